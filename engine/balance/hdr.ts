/** balance hdr(name): the value of a header; with `use_domain_only` the main part of the host name in it. */
import type { Balance } from '../config/model.ts';
import type { Subject } from './balancer.ts';
import type { Hash } from './hash.ts';
import { type Key, NO_KEY } from './keyed.ts';

const DOT = 0x2e;

export function hdrKey(balance: Balance, hash: Hash): Key {
  const name = balance.name.toLowerCase();
  return (subject: Subject) => {
    const value = subject.header(name);
    if (value === null || value.start === value.end) return NO_KEY;
    const { bytes } = value;
    if (!balance.domainOnly) return hash(bytes, value.start, value.end);
    const end = lastDot(bytes, value.start, value.end);
    return hash(bytes, lastDot(bytes, value.start, end) + 1, end);
  };
}

/** The last dot in [start, end), or start - 1. */
function lastDot(bytes: Uint8Array, start: number, end: number): number {
  let at = end - 1;
  while (at >= start && bytes[at] !== DOT) at--;
  return at;
}
