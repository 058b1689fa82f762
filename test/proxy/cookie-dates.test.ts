/** `cookie ... maxidle`, `maxlife`, `dynamic`: values and verdicts as Debian's HAProxy gave them. */
import { expect, test } from 'vitest';
import { dynamicName } from '../../engine/balance/dynamic-cookies.ts';
import { encodeDate } from '../../engine/proxy/cookie-dates.ts';
import { CLOSE, listen, origin } from './listen.ts';
import { ask, ok } from './wire.ts';

const NOW = Math.floor(Date.now() / 1000);
const at = (seconds: number) => encodeDate(NOW + seconds);
const BOTH = 'maxidle 60s maxlife 1h';

test('five digits of four seconds each', () => {
  expect(encodeDate(0)).toBe('AAAAA');
  expect(encodeDate(1)).toBe('AAAAB');
  expect(encodeDate(4 * 63)).toBe('AAAA/');
  expect(encodeDate(1_795_375_999)).toMatch(/^[A-Za-z0-9+/]{5}$/);
});

// [the options, the request's cookie, its worth and what became of it, what the client is sent: now, the date it had, or nothing].
const ROWS: readonly [options: string, cookie: string | null, state: string, sent: RegExp | null][] = [
  ['maxidle 60s', null, 'none I', /^A\|.{5}$/],
  ['maxidle 60s', 'A', 'valid U', /^A\|.{5}$/],
  ['maxidle 60s', `A|${at(400)}`, 'valid N', null],
  ['maxidle 60s', `A|${at(-8)}`, 'valid U', /^A\|.{5}$/],
  ['maxidle 60s', `A|${at(-100)}`, 'expired I', /^A\|.{5}$/],
  ['maxidle 60s', `A|${at(90_000)}`, 'expired I', /^A\|.{5}$/],
  ['maxidle 60s', `A|${at(400)}|zz`, 'valid N', null],
  ['maxidle 60s', 'A|xx', 'valid U', /^A\|.{5}$/],
  ['maxidle 60s', `X|${at(0)}`, 'invalid I', /^A\|.{5}$/],
  ['maxlife 1h', null, 'none I', /^A\|(.{5})\|\1$/],
  ['maxlife 1h', `A||${at(-60)}`, 'valid N', null],
  ['maxlife 1h', `A||${at(-5000)}`, 'old I', /^A\|(.{5})\|\1$/],
  ['maxlife 1h', `A|${at(-5)}`, 'valid U', /^A\|(.{5})\|\1$/],
  [BOTH, `A|${at(-8)}|${at(-60)}`, 'valid U', new RegExp(`^A\\|.{5}\\|${at(-60).replaceAll('+', '\\+')}$`)],
  [BOTH, `A|${at(-100)}|${at(-200)}`, 'expired I', /^A\|(.{5})\|\1$/],
  [BOTH, `A|${at(400)}|${at(-5000)}`, 'old I', /^A\|(.{5})\|\1$/],
  [BOTH, `A|${at(-100)}|${at(-5000)}`, 'old I', /^A\|(.{5})\|\1$/],
  ['', 'A', 'valid N', null],
  ['', `A|${at(0)}`, 'valid U', /^A$/],
];

test.each(ROWS)('cookie SRV insert indirect %s, %s', async (options, cookie, state, sent) => {
  const s = await origin(() => ok());
  const rig = await listen([`cookie SRV insert indirect ${options}`, `server s 127.0.0.1:${s.port} cookie A`]);
  const request = cookie === null ? CLOSE : CLOSE.replace('Host', `Cookie: SRV=${cookie}\r\nHost`);
  const answer = await ask(rig.port('web'), request);
  const value = /^set-cookie: SRV=([^;]*); path=\/\r$/m.exec(answer)?.[1] ?? null;
  expect(rig.ends[0]!.cookie).toBe(state);
  if (sent === null) expect(value).toBeNull();
  else expect(value).toMatch(sent);
});

test('dynamic: a name made of key, address and port, the same everywhere', async () => {
  const address = { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: 42_243 } as const;
  expect(dynamicName('secret', address)).toBe('8ae3536775812c99');
  expect(dynamicName('k', address)).toBe('4cbcb0302fa482ca');
  expect(dynamicName('k', { family: 1, bytes: new Uint8Array(3), port: 0 })).toBeNull();

  const s = await origin(() => ok());
  const rig = await listen([
    'cookie SRV insert indirect dynamic',
    'dynamic-cookie-key secret',
    `server s 127.0.0.1:${s.port}`,
    `server t 127.0.0.1:${s.port} cookie T`,
  ]);
  const name = dynamicName('secret', { ...address, port: s.port });
  expect(await ask(rig.port('web'), CLOSE)).toContain(`set-cookie: SRV=${name}; path=/\r\n`);
  expect(await ask(rig.port('web'), CLOSE)).toContain('set-cookie: SRV=T; path=/\r\n');
  for (let i = 0; i < 3; i++) await ask(rig.port('web'), CLOSE.replace('Host', `Cookie: SRV=${name}\r\nHost`));
  expect(rig.ends.slice(2).map(end => end.server)).toEqual(['s', 's', 's']);
});

// [the options, the method, the request's cookie, what the server sets, what the client gets]: as Debian's HAProxy did it.
const SETS: readonly [options: string, method: string, cookie: string, set: string[], sent: string[]][] = [
  ['', 'GET', 'x', ['SRV=1; Path=/'], ['SRV=1; Path=/']],
  ['indirect', 'GET', 'x', ['SRV=1'], ['SRV=1']],
  ['indirect', 'GET', 'A', ['SRV=1', 'a=b'], ['a=b']],
  ['rewrite', 'GET', 'A|xxxxx', [], []],
  ['rewrite', 'GET', 'x', ['SRV=1; Path=/', 'a=b', 'SRV=2'], ['SRV=A; Path=/', 'a=b', 'SRV=A']],
  ['prefix', 'GET', 'x', ['SRV=1', 'SRV=2'], ['SRV=A~1', 'SRV=A~2']],
  ['prefix indirect', 'GET', 'x', ['SRV=1'], ['SRV=A~1']],
  ['prefix indirect', 'GET', 'A', ['SRV=1', 'a=b'], ['a=b']],
  ['insert preserve', 'GET', 'x', ['SRV=1', 'SRV=2'], ['SRV=1', 'SRV=2']],
  ['insert postonly', 'GET', 'A|xxxxx', [], []],
  ['insert postonly', 'POST', 'A|xxxxx', [], ['SRV=A; path=/']],
];

test.each(SETS)('cookie SRV %s, %s with %s, and the server sets %j', async (options, method, cookie, set, sent) => {
  const head = ['HTTP/1.1 200 OK', ...set.map(value => `Set-Cookie: ${value}`), 'Content-Length: 0', '', ''];
  const s = await origin(() => head.join('\r\n'));
  const rig = await listen([`cookie SRV ${options}`, `server s 127.0.0.1:${s.port} cookie A`]);
  const answer = await ask(
    rig.port('web'),
    CLOSE.replace('GET', method).replace('Host', `Cookie: SRV=${cookie}\r\nHost`),
  );
  expect([...answer.matchAll(/^set-cookie: (.*)\r$/gim)].map(match => match[1])).toEqual(sent);
  if (options === 'rewrite' && set.length === 0) expect(rig.ends[0]!.cookie).toBe('valid N');
});

test.each([
  ['Cookie: SRV', ''],
  ['Cookie: SRV=a, x=2', 'SRV=a'],
  ['Cookie: b=1; SRVX="q; r"; SRV=a', 'SRVX="q; r"'],
])('capture cookie SRV of %s', async (header, captured) => {
  const s = await origin(() => ok());
  const rules = ['capture cookie SRV len 20', 'http-response set-header x-seen %CC'];
  const rig = await listen([...rules, `server s 127.0.0.1:${s.port}`]);
  const answer = await ask(rig.port('web'), CLOSE.replace('Host', `${header}\r\nHost`));
  expect(/^x-seen: (.*)\r$/m.exec(answer)?.[1]).toBe(captured);
});
