/** Files of ticket keys (`tls-ticket-keys`): a key per line, base64. */
import type { DerFile } from '../config/tls-model.ts';
import type { Problem } from './bundle.ts';

/** So many keys are known at a time, as with HAProxy: the last but one makes tickets. */
const KEYS = 3;
/** 48: AES-128. 80: AES-256. */
const SIZES: readonly number[] = [48, 80];

export function readTicketKeys(name: string, bytes: Uint8Array): DerFile | Problem {
  const lines = Buffer.from(bytes).toString('latin1').split('\n');
  const keys = lines.filter(line => line.trim() !== '').map(line => Buffer.from(line.trim(), 'base64'));
  const size = keys[0]?.length ?? 0;
  if (!SIZES.includes(size) || keys.some(key => key.length !== size)) {
    return { problem: `'tls-ticket-keys' : invalid key in '${name}': 48 or 80 bytes, all of one size` };
  }
  if (keys.length < KEYS) {
    return { problem: `'tls-ticket-keys' : please supply at least ${KEYS} keys in '${name}'` };
  }
  return { name, entries: keys.slice(-KEYS).map(key => new Uint8Array(key)) };
}

/** With `key` as the last one instead of the first; null = it is not of their size. */
export function rotated({ name, entries }: DerFile, key: Uint8Array): DerFile | null {
  return key.length === entries[0]!.length ? { name, entries: [...entries.slice(1), key] } : null;
}
