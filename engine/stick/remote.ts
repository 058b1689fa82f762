/** What peers teach: entries are written without being told on as changes of our own. */
import { setKeyBytes } from './key.ts';
import type { Table } from './table.ts';

/**
 * The entry of a key that a peer names, held, added if it is new; the caller writes its data (`setValue`, `setRate`) and
 * releases it. -1 = there is no room.
 * @param bytes as `keyBytes` gives them: an address, a text, an integer's four bytes, lowest first, a block
 * @param expireMs how long it has to live, by the peer; at most the table's own `expire`
 */
export function learn(table: Table, bytes: Uint8Array, now: number, expireMs: number): number {
  setKeyBytes(table.spec, bytes);
  const entry = table.findOrAdd(now);
  if (entry < 0) return -1;
  const own = table.spec.expireMs;
  table.expireIn(entry, now, own === 0 ? 0 : Math.min(Math.max(expireMs, 0), own));
  return entry;
}
