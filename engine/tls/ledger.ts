/**
 * Native objects outlive the thread that made them. So that nothing is left of a thread that dies, its handles are noted in
 * shared memory, and the master frees what it finds there when the thread has ended.
 *
 *   slot   8 bytes, a double: address + kind (addresses are multiples of 16); 0 = free
 */
import type { Kind } from './handle.ts';
import { openssl } from './openssl.ts';

/** In the order in which they are freed: what others refer to comes last. The place is the number in a slot. */
const KINDS: readonly { readonly kind: Kind; readonly free: (pointer: bigint) => void }[] = [
  { kind: 'connection', free: openssl.SSL_free },
  { kind: 'session', free: openssl.SSL_SESSION_free },
  { kind: 'context', free: openssl.SSL_CTX_free },
  { kind: 'store', free: openssl.X509_STORE_free },
];

const ALIGNMENT = 16;
const SLOT_BYTES = 8;

/** Memory for the handles of one thread; those beyond `handles` are not noted. */
export function newLedger(handles: number): SharedArrayBuffer {
  return new SharedArrayBuffer(handles * SLOT_BYTES);
}

let slots: Float64Array = new Float64Array(0);
/** Slots that were used and are free again; those from `fresh` on were never used. */
const spare: number[] = [];
let fresh = 0;

/** From now on the handles of this thread are noted there. */
export function keepLedger(memory: SharedArrayBuffer): void {
  slots = new Float64Array(memory);
  spare.length = 0;
  fresh = 0;
}

/** Gives the slot, -1 when there is none. */
export function note(kind: Kind, pointer: bigint): number {
  const slot = spare.pop() ?? (fresh < slots.length ? fresh++ : -1);
  if (slot >= 0) slots[slot] = Number(pointer) + KINDS.findIndex(row => row.kind === kind);
  return slot;
}

export function erase(slot: number): void {
  if (slot < 0) return;
  slots[slot] = 0;
  spare.push(slot);
}

/**
 * Frees what a thread left behind, which uses none of it any more: it has died, or has finished its task. Gives how many
 * objects that were.
 */
export function freeLedger(memory: SharedArrayBuffer): number {
  const entries = new Float64Array(memory);
  const left = [...entries].filter(entry => entry !== 0);
  entries.fill(0);
  KINDS.forEach(({ free }, number) => {
    for (const entry of left) if (entry % ALIGNMENT === number) free(BigInt(entry - number));
  });
  return left.length;
}
