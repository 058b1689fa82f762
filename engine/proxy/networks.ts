import type { Address } from '../io/contract.ts';

/** Whether `address` is in the network `base/bits`. Different families never match. */
export function inNetwork(address: Address, base: Address, bits: number): boolean {
  if (address.family !== base.family) return false;
  for (let i = 0; i * 8 < bits; i++) {
    const left = bits - i * 8;
    const mask = left >= 8 ? 0xff : (0xff << (8 - left)) & 0xff;
    if ((address.bytes[i]! & mask) !== (base.bytes[i]! & mask)) return false;
  }
  return true;
}
