/** balance hdr(name): the first value of a header (lists are cut at the comma); with `use_domain_only` the main part of the host name in it. */
import type { Balance } from '../config/proxy-model.ts';
import type { Subject } from './balancer.ts';
import type { Hash } from './hash.ts';
import { type Key, NO_KEY } from './keyed.ts';

const DOT = 0x2e;
const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const TAB = 0x09;

export function hdrKey(balance: Balance, hash: Hash): Key {
  const name = balance.name.toLowerCase();
  return (subject: Subject) => {
    const value = subject.header(name);
    if (value === null) return NO_KEY;
    const { bytes, start } = value;
    const end = firstElement(bytes, start, value.end);
    if (end === start) return NO_KEY;
    return balance.domainOnly ? domainHash(bytes, start, end, hash) : hash(bytes, start, end);
  };
}

/** Where the first element of a comma-separated list ends, without white space; a quoted comma does not end it. */
function firstElement(bytes: Uint8Array, start: number, end: number): number {
  let quoted = false;
  let at = start;
  for (; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) quoted = !quoted;
    else if (byte === BACKSLASH && quoted) at++;
    else if (byte === COMMA && !quoted) break;
  }
  at = Math.min(at, end);
  while (at > start && (bytes[at - 1] === SPACE || bytes[at - 1] === TAB)) at--;
  return at;
}

/**
 * The part of a host name before its last dot and after the one before: `1wt` of `haproxy.1wt.eu`. A dot at the start ends
 * nothing, nor does one just before the last: the part is never empty. Without a dot it is all of the name.
 */
function domainHash(bytes: Uint8Array, start: number, end: number, hash: Hash): number {
  const dot = lastDot(bytes, start + 1, end);
  if (dot <= start) return hash(bytes, start, end);
  return hash(bytes, lastDot(bytes, start, dot - 1) + 1, dot);
}

/** The last dot in [start, end), or start - 1. */
function lastDot(bytes: Uint8Array, start: number, end: number): number {
  let at = end - 1;
  while (at >= start && bytes[at] !== DOT) at--;
  return Math.max(at, start - 1);
}
