/**
 * `option http-restrict-req-hdr-names` (manual 4.2): header names beyond letters, digits and hyphens. What becomes of them
 * at a server that makes variables of headers (FastCGI, CGI) is ambiguous: `x_a` and `x-a` are the same there.
 */
import { type Head, REMOVED } from '../http/head.ts';

/** Names come in lower case from the parser. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) => (/[a-z0-9-]/.test(String.fromCharCode(byte)) ? 1 : 0));

/** Applies `policy` to the request; false = it must be refused. */
export function restrictHeaderNames(head: Head, policy: 'preserve' | 'delete' | 'reject'): boolean {
  if (policy === 'preserve') return true;
  for (let i = 0; i < head.count; i++) {
    if (head.source[i] === REMOVED || isPlain(head.bytesOf(i), head.nameStart[i]!, head.nameEnd[i]!)) continue;
    if (policy === 'reject') return false;
    head.remove(i);
  }
  return true;
}

function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (PLAIN[bytes[i]!] === 0) return false;
  return true;
}
