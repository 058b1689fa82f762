/** Keywords of what is kept for the logs, and of the unique id of a request (manual 4.2). */
import type { Use } from '../log/format-text.ts';
import { takeFormat, warnOfBytes } from '../rules/format.ts';
import type { Cursor } from './cursor.ts';
import type { ProxyDraft } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';

type Row = Keyword<ProxyDraft>;
type Slots = 'requestCaptures' | 'responseCaptures';

/** `len <length>`; null after reporting. */
function length(cursor: Cursor, name: string): number | null {
  if (cursor.expectOneOf(name, ['len']) === null) return null;
  return cursor.expectInt('len', { min: 1, max: 65_535 });
}

function captureHeader(name: string, slots: Slots, doc: string): Row {
  return supported<ProxyDraft>({
    ...{ name, doc, where: 'FL', args: '<name> len <length>' },
    parse(cursor, proxy) {
      const header = cursor.expectWord('a header name');
      const lenBytes = header === null ? null : length(cursor, name);
      if (header !== null && lenBytes !== null) proxy[slots].push({ name: header.text.toLowerCase(), lenBytes });
    },
    good: [`${name} Host len 64`],
    bad: [
      [name, `'header' expects a header name`],
      [`${name} Host`, `'Host' expects 'len' as ${name}`],
      [`${name} Host len 0`, "'len' expects an integer between 1 and 65535, not '0'"],
    ],
  });
}

const UNIQUE_ID: Use = { spaces: 'merged', mandatory: false, http: true, point: 'frontRequest' };

export const CAPTURES: readonly Row[] = [
  captureHeader('capture request header', 'requestCaptures', 'Logs a request header.'),
  captureHeader('capture response header', 'responseCaptures', 'Logs a response header.'),
  supported<ProxyDraft>({
    name: 'capture cookie',
    where: 'FL',
    args: '<name> len <length>',
    doc: 'Logs a cookie of the request and of the response.',
    parse(cursor, proxy) {
      const name = cursor.expectWord('a cookie name');
      const lenBytes = name === null ? null : length(cursor, 'capture cookie');
      if (name !== null && lenBytes !== null) proxy.cookieCapture = { name: name.text, lenBytes };
    },
    good: ['capture cookie SESSION= len 32'],
    bad: [['capture cookie', "'cookie' expects a cookie name"]],
  }),
  supported<ProxyDraft>({
    name: 'declare capture',
    where: 'FL',
    args: '{ request | response } len <length>',
    doc: 'Reserves a slot for a capture.',
    parse(cursor, proxy) {
      const side = cursor.expectOneOf('declare capture', ['request', 'response']);
      const lenBytes = side === null ? null : length(cursor, 'declare capture');
      if (lenBytes !== null) proxy[`${side!}Captures`].push({ name: null, lenBytes });
    },
    good: ['declare capture request len 32', 'declare capture response len 32'],
    bad: [['declare capture foo len 5', "'declare capture' expects 'request' or 'response', not 'foo'"]],
  }),
  supported<ProxyDraft>({
    name: 'unique-id-format',
    where: 'DFLB',
    args: '<format>',
    doc: 'How a unique id of a request is made.',
    parse(cursor, proxy, context) {
      const word = cursor.expectWord('a format');
      const format = word === null ? null : takeFormat(cursor, proxy, word, UNIQUE_ID, context.resources);
      if (word !== null) warnOfBytes(cursor, word, format);
      if (format !== null) proxy.uniqueIdFormat = format;
    },
    good: ['unique-id-format %{+X}o\\ %ci:%cp_%Ts'],
    bad: [['unique-id-format', "'unique-id-format' expects a format"]],
  }),
  supported<ProxyDraft>({
    name: 'unique-id-header',
    where: 'DFL',
    args: '<name>',
    doc: 'Header that carries the unique id.',
    parse(cursor, proxy) {
      const word = cursor.expectWord('a header name');
      if (word !== null) proxy.uniqueIdHeader = word.text.toLowerCase();
    },
    good: ['unique-id-header X-Unique-ID'],
    bad: [['unique-id-header', "'unique-id-header' expects a header name"]],
  }),
];
