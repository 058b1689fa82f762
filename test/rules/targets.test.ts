/** What rules make of a request's target. */
import { expect, test } from 'vitest';
import { listen, origin } from '../proxy/listen.ts';
import { ask, ok } from '../proxy/wire.ts';

/** The request line that a server gets. */
async function sent(rule: string | readonly string[], target: string): Promise<string> {
  let head = '';
  const s = await origin(text => {
    head = text;
    return ok();
  });
  const rig = await listen([...[rule].flat(), `server s1 127.0.0.1:${s.port}`]);
  await ask(rig.port('web'), `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  return head.slice(0, head.indexOf(' HTTP/'));
}

test.each([
  ['/a', 'GET /a'],
  ['/a?', 'GET /a?'],
  ['/a?x%3D1', 'GET /a?x=1'],
])('an empty query keeps its question mark, but brings none: %s', async (target, line) => {
  expect(await sent('http-request set-query %[query,regsub(%3D,=,g)]', target)).toBe(line);
});

test.each([
  ['path-merge-slashes', '//a#//b?//c', '/a#/b?//c'],
  ['path-strip-dotdot', '/a#b/../c', '/c'],
  ['path-strip-dot', '/./a#/./b', '/a#/b'],
  ['percent-to-uppercase', '/%aa#%bb', '/%AA#%BB'],
  ['query-sort-by-name', '/#x?b&a&', '/#x?a&b'],
  ['fragment-strip', '/a#b', '/a'],
  ['fragment-encode', '/a#b', '/a%23b'],
])('a fragment that was let in stays where a normalizer finds it: %s %s', async (name, target, made) => {
  const lines = ['option accept-unsafe-violations-in-http-request', `http-request normalize-uri ${name}`];
  expect(await sent(lines, target)).toBe(`GET ${made}`);
});
