/** Targets in absolute form, and the Host header beside them (RFC 9112 3.2.2); what TE may say further on. */
import { expect, test } from 'vitest';
import { dropDefaultPort, followHost } from '../../engine/http/authority.ts';
import { keepTrailersOnly } from '../../engine/http/hop.ts';
import { H_HOST } from '../../engine/http/names.ts';
import { request, written } from './wire.ts';

/** Target and Host as they come, and as they go on. */
test.each([
  ['http://a:80/x', 'a', 'http://a/x', 'a'],
  ['http://a:80/x?y:80', 'a:80', 'http://a/x?y:80', 'a'],
  ['HTTPS://a:443', 'a', 'HTTPS://a', 'a'],
  ['http://a:/', 'a', 'http://a/', 'a'],
  ['http://[::1]:80/', '[::1]', 'http://[::1]/', '[::1]'],
  ['http://[::80]/', '[::80]', 'http://[::80]/', '[::80]'],
  ['http://a:443/', 'a:443', 'http://a:443/', 'a:443'],
  ['http://a/', 'a:80', 'http://a/', 'a:80'],
  ['ftp://a:80/', 'a:80', 'ftp://a:80/', 'a:80'],
  ['/a:80', 'a:80', '/a:80', 'a:80'],
])('%s with Host %s', (target, host, toTarget, toHost) => {
  const { head, verdict } = request(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  expect(verdict).toBe('ok');
  dropDefaultPort(head);
  expect(written(head)).toBe(`GET ${toTarget} HTTP/1.1\r\nhost: ${toHost}\r\n\r\n`);
});

/** A tunnel has no scheme: either port goes without saying. */
test.each([
  ['a:80', 'a:80', 'a'],
  ['A:443', 'A:443', 'A'],
  ['a:8080', 'a:8080', 'a:8080'],
])('CONNECT %s with Host %s', (target, host, toHost) => {
  const { head, verdict } = request(`CONNECT ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  expect(verdict).toBe('ok');
  dropDefaultPort(head);
  expect(written(head)).toBe(`CONNECT ${target} HTTP/1.1\r\nhost: ${toHost}\r\n\r\n`);
});

test.each([
  ['http://a/x?y', 'http://b:1/x?y'],
  ['/x', '/x'],
])('a Host that was changed is put into %s', (target, expected) => {
  const { head } = request(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
  head.setValue(head.find(H_HOST), 'b:1');
  expect(followHost(head)).toBe(true);
  expect(written(head)).toBe(`GET ${expected} HTTP/1.1\r\nhost: b:1\r\n\r\n`);
});

test.each([
  ['TE: trailers\r\n', 'te: trailers\r\n'],
  ['TE: gzip, Trailers;q=1\r\nTE: trailers\r\nTE: x\r\n', 'te: trailers\r\n'],
  ['TE: gzip\r\n', ''],
  ['TE: trailersx\r\n', ''],
])('%j becomes %j', (lines, expected) => {
  const { head } = request(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
  expect(keepTrailersOnly(head)).toBe(true);
  expect(written(head)).toBe(`GET / HTTP/1.1\r\nhost: a\r\n${expected}\r\n`);
});
