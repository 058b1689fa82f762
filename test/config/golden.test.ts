/**
 * Golden files: `test/golden/<name>.cfg` with the model it gives, or what is said about it when it gives none, in
 * `<name>.txt`. `GOLDEN=write npx vitest run test/config/golden.test.ts` writes them anew; read the difference.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatAddress } from '../../engine/config/address.ts';
import { formatDiagnostics } from '../../engine/config/print.ts';
import type { Address } from '../../engine/io/contract.ts';
import { load } from './load-text.ts';

const FOLDER = join(import.meta.dirname, '../golden');
const NAMES = readdirSync(FOLDER)
  .filter(file => file.endsWith('.cfg'))
  .map(file => file.slice(0, -'.cfg'.length));

function isAddress(value: unknown): value is Address {
  return typeof value === 'object' && value !== null && 'family' in value && 'bytes' in value;
}

/** Addresses as text, so that a reader can read them. */
function readable(_key: string, value: unknown): unknown {
  return isAddress(value) ? formatAddress(value) : value;
}

/** Everything that loading gives, as one text. */
function outcome(name: string): string {
  const file = `${name}.cfg`;
  const { model, diagnostics } = load(readFileSync(join(FOLDER, file), 'utf8'), { file });
  const said = formatDiagnostics(diagnostics.list, { pid: 1, executable: null, diag: true });
  return `${said}${model === null ? '' : `${JSON.stringify(model, readable, 1)}\n`}`;
}

describe('golden configurations', () => {
  test.each(NAMES)('%s', name => {
    const expected = join(FOLDER, `${name}.txt`);
    if (process.env.GOLDEN === 'write') writeFileSync(expected, outcome(name));
    expect(outcome(name)).toBe(readFileSync(expected, 'utf8'));
  });
});
