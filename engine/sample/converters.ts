/** The table of all converters. */
import { DATE_CONVERTERS } from './converters-date.ts';
import { ENCODING_CONVERTERS } from './converters-encoding.ts';
import { FORWARDED_CONVERTERS } from './converters-forwarded.ts';
import { HASH_CONVERTERS } from './converters-hash.ts';
import { LATER_CONVERTERS } from './converters-later.ts';
import { NUMBER_CONVERTERS } from './converters-number.ts';
import { PACKET_CONVERTERS } from './converters-packet.ts';
import { PROTOCOL_CONVERTERS } from './converters-protocol.ts';
import { STATE_CONVERTERS } from './converters-state.ts';
import { STICK_CONVERTERS } from './converters-stick.ts';
import { TEXT_CONVERTERS } from './converters-text.ts';
import { MAP_CONVERTERS } from './map.ts';
import { byName, type ConverterRow } from './row.ts';

export const CONVERTERS: ReadonlyMap<string, ConverterRow> = byName<ConverterRow>([
  NUMBER_CONVERTERS,
  TEXT_CONVERTERS,
  ENCODING_CONVERTERS,
  HASH_CONVERTERS,
  DATE_CONVERTERS,
  STATE_CONVERTERS,
  MAP_CONVERTERS,
  FORWARDED_CONVERTERS,
  PACKET_CONVERTERS,
  PROTOCOL_CONVERTERS,
  STICK_CONVERTERS,
  LATER_CONVERTERS,
]);
