/** The table of all converters. */

import { TEXT_CONVERTERS } from './converters-text.ts';
import { byName, type ConverterRow } from './row.ts';

export const CONVERTERS: ReadonlyMap<string, ConverterRow> = byName<ConverterRow>([TEXT_CONVERTERS]);
