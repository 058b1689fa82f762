/** What the HTTP tests share: bytes from strings, a parsed head as plain data, recorded exchanges of HAProxy 2.6. */
import { readFileSync } from 'node:fs';
import { latin1, textOf } from '../../engine/http/chars.ts';
import { Head, REMOVED } from '../../engine/http/head.ts';
import { errorOf } from '../../engine/http/invalid.ts';
import { type Limits, parseRequest, parseResponse } from '../../engine/http/parse.ts';
import { maxHeadLength, writeRequestHead, writeResponseHead } from '../../engine/http/write.ts';

export const LIMITS: Limits = { maxHeadBytes: 15_360, maxHeaders: 100, relaxed: false };
export const RELAXED: Limits = { ...LIMITS, relaxed: true };

export type Parser = typeof parseRequest;

export function newHead(): Head {
  return new Head(100, 1024);
}

export interface Parsed {
  head: Head;
  /** What the parser returned. */
  result: number;
  /** The error's name, or 'ok', or 'more'. */
  verdict: string;
}

export function parse(parser: Parser, text: string, limits: Limits = LIMITS): Parsed {
  const head = newHead();
  const bytes = latin1(text);
  const result = parser(head, bytes, 0, bytes.length, limits);
  return { head, result, verdict: verdictOf(result) };
}

export function request(text: string, limits: Limits = LIMITS): Parsed {
  return parse(parseRequest, text, limits);
}

export function response(text: string, limits: Limits = LIMITS): Parsed {
  return parse(parseResponse, text, limits);
}

export function verdictOf(result: number): string {
  if (result < 0) return errorOf(result).name;
  return result === 0 ? 'more' : 'ok';
}

/** Headers left in a head, in order. */
export function fieldsOf(head: Head): [string, string][] {
  const fields: [string, string][] = [];
  for (let i = 0; i < head.count; i++) {
    if (head.source[i] === REMOVED) continue;
    const bytes = head.bytesOf(i);
    fields.push([
      textOf(bytes, head.nameStart[i]!, head.nameEnd[i]!),
      textOf(bytes, head.valueStart[i]!, head.valueEnd[i]!),
    ]);
  }
  return fields;
}

/** Everything a parser found, as data that can be compared. */
export function factsOf(head: Head): unknown {
  const { methodId, status, version, contentLength, chunked, mustClose, verbatim } = head;
  const { connectionClose, connectionKeepAlive, connectionUpgrade, expectContinue } = head;
  const uri = textOf(head.uriBytes, head.uriStart, head.uriEnd);
  const method = textOf(head.bytes, head.methodStart, head.methodEnd);
  const reason = textOf(head.bytes, head.reasonStart, head.reasonEnd);
  const flags = {
    connectionClose,
    connectionKeepAlive,
    connectionUpgrade,
    expectContinue,
    chunked,
    mustClose,
    verbatim,
  };
  return { methodId, method, uri, status, reason, version, contentLength, flags, fields: fieldsOf(head) };
}

export function written(head: Head): string {
  const out = new Uint8Array(maxHeadLength(head) + 3);
  const end = (head.status === 0 ? writeRequestHead : writeResponseHead)(head, out, 3);
  if (end - 3 > maxHeadLength(head)) throw new Error('maxHeadLength is too small');
  return textOf(out, 3, end);
}

export function recorded<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(`./haproxy-${name}.json`, import.meta.url), 'utf8')) as T[];
}
