/** The authority of an absolute-form target (RFC 9112 3.2.2) and the Host header, which say the same in all that leaves. */
import { isWord, latin1 } from './chars.ts';
import type { Head } from './head.ts';
import { H_HOST, METHOD_CONNECT } from './names.ts';
import { UriParts } from './uri.ts';

const COLON = 58;
const SLASH = 47;
const DEFAULT_PORTS = [
  { scheme: latin1('http'), port: latin1('80') },
  { scheme: latin1('https'), port: latin1('443') },
];

const parts = new UriParts();

/** Splits the target into `parts`; false when it is not in absolute form. */
function splitAbsolute({ uriBytes, uriStart, uriEnd }: Head): boolean {
  parts.split(uriBytes, uriStart, uriEnd);
  return parts.authorityEnd > parts.authorityStart;
}

/** Takes the port of the scheme out of target and Host as they came (RFC 3986 6.2.3), for logs too. */
export function dropDefaultPort(head: Head): void {
  if (head.methodId === METHOD_CONNECT) {
    for (const { port } of DEFAULT_PORTS) shortenHost(head, port);
  } else if (head.bytes[head.uriStart] !== SLASH) dropPort(head);
}

function shortenHost(head: Head, port: Uint8Array): void {
  for (let i = head.find(H_HOST); i >= 0; i = head.find(H_HOST, i + 1)) {
    const valueEnd = withoutPort(head.bytesOf(i), head.valueStart[i]!, head.valueEnd[i]!, port);
    if (valueEnd < head.valueEnd[i]!) head.shrink(i, valueEnd);
  }
}

function dropPort(head: Head): void {
  if (!splitAbsolute(head)) return;
  const { bytes, uriStart } = head;
  const { authorityStart, authorityEnd, schemeEnd } = parts;
  const known = DEFAULT_PORTS.find(({ scheme }) => isWord(bytes, uriStart, schemeEnd, scheme));
  const end = known === undefined ? authorityEnd : withoutPort(bytes, authorityStart, authorityEnd, known.port);
  if (end === authorityEnd) return;
  shortenHost(head, known!.port);
  head.cutUri(end, authorityEnd);
}

/** The Host header was changed: so is the target. False when there is no room. */
export function followHost(head: Head): boolean {
  const slot = head.find(H_HOST);
  if (slot < 0 || !splitAbsolute(head)) return true;
  const { uriBytes, uriStart, uriEnd } = head;
  const host = head.bytesOf(slot).slice(head.valueStart[slot], head.valueEnd[slot]);
  const rest = Buffer.concat([host, uriBytes.subarray(parts.authorityEnd, uriEnd)]);
  return head.setUri(joined(uriBytes, uriStart, parts.authorityStart, rest));
}

function joined(bytes: Uint8Array, start: number, end: number, rest: Uint8Array): Uint8Array {
  return Buffer.concat([bytes.subarray(start, end), rest]);
}

/** Where the host ends when `port`, or none, is behind its colon; else `end`. */
function withoutPort(bytes: Uint8Array, start: number, end: number, port: Uint8Array): number {
  let colon = end - 1;
  while (colon > start && bytes[colon]! >= 48 && bytes[colon]! <= 57) colon--;
  if (bytes[colon] !== COLON || colon === start) return end;
  return colon === end - 1 || isWord(bytes, colon + 1, end, port) ? colon : end;
}
