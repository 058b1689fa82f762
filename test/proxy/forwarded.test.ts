/** `option forwarded`: what a server reads in the Forwarded header. */
import { expect, test } from 'vitest';
import { origin, rigOf } from './listen.ts';
import type { Rig } from './rig.ts';
import { ask, ok } from './wire.ts';

let rig: Rig;

/** The Forwarded headers that reach the server. */
async function forwarded(args: string, more = ''): Promise<string[]> {
  let heard = '';
  const s = await origin(head => {
    heard = head;
    return ok('x');
  });
  rig = await rigOf(`
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 1s
  option forwarded ${args}
listen web
  bind 127.0.0.1:1
  ${more}
  server s1 127.0.0.1:${s.port}
`);
  await ask(rig.port('web'), `GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`);
  return [...heard.matchAll(/^forwarded: (.*)\r$/gm)].map(match => match[1]!);
}

test('proto and for when nothing else is asked for', async () => {
  expect(await forwarded('')).toEqual(['proto=http;for=127.0.0.1']);
});

test('all parameters, in their order, with the ports in quotes', async () => {
  const [value] = await forwarded('for_port for by_port by host proto', 'http-request set-src-port int(4711)');
  expect(value).toBe(`proto=http;host="a.example";by="127.0.0.1:${rig.port('web')}";for="127.0.0.1:4711"`);
});

test.each([
  ['for-expr src,xxh32,hex', /^for=_[0-9A-F]{16}$/],
  ['for-expr rand,hex for_port-expr str(x)', /^for="_[0-9A-F]+:_x"$/],
  ['host-expr str(host.com) by-expr str(_sluice)', /^host="host\.com";by=_sluice$/],
  ['for-expr ipv6(2001:db8::1) for_port-expr int(10)', /^for="\[2001:db8::1\]:10"$/],
  ['for-expr ipv6(2001:db8::1)', /^for="\[2001:db8::1\]"$/],
  ['for-expr str(192.0.2.7)', /^for=192\.0\.2\.7$/],
  ["for-expr 'str(two words)'", /^for=unknown$/],
  ['for-expr req.hdr(x-none) for_port-expr int(70000)', /^for=unknown$/],
  ['proto by_port for_port', /^proto=http$/],
])('%s', async (args, expected) => {
  expect(await forwarded(args)).toEqual([expect.stringMatching(expected)]);
});

test('what would end the quotes is escaped', async () => {
  expect(await forwarded('host-expr url_param(h),url_dec', 'http-request set-uri /?h=%%22a%%5Cb')).toEqual([
    'host="\\"a\\\\b"',
  ]);
});

test('one without a value is not sent, and `no option forwarded` ends it', async () => {
  expect(await forwarded('host-expr req.hdr(x-none)')).toEqual([]);
  await rig.stop();
  expect(await forwarded('', 'no option forwarded')).toEqual([]);
});

test('what came is kept: this proxy adds its own', async () => {
  expect(await forwarded('for', 'http-request set-header Forwarded for=192.0.2.1')).toEqual([
    'for=192.0.2.1',
    'for=127.0.0.1',
  ]);
});
