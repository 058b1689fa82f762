/** What the persistence cookie is worth, and what the client is told, with the rules that choose a server beside it. */
import { expect, test } from 'vitest';
import { CLOSE, listen, origin } from './listen.ts';
import { ask, connect, ok } from './wire.ts';

const OWN = 'set-cookie: SRV=own; path=/';

test.each([
  // the client's cookie, lines, the cookie's state, Set-Cookie lines that the client gets
  ['', '', 'none I', ['SRV=a; path=/']],
  ['a', '', 'valid D', []],
  ['a', 'server s9 127.0.0.1:1 cookie x disabled', 'valid D', []],
  ['x', 'option persist\n  server s9 127.0.0.1:1 cookie x disabled', 'down N', null],
  ['', 'ignore-persist if TRUE', 'none N', ['SRV=own; path=/']],
  ['a', 'ignore-persist if TRUE', 'unused N', ['SRV=own; path=/']],
  ['zz', 'ignore-persist if TRUE', 'unused N', ['SRV=own; path=/']],
  ['', 'use-server s1 if TRUE', 'none D', []],
  ['a', 'use-server s1 if TRUE', 'unused D', []],
  ['zz', 'use-server s1 if TRUE', 'unused D', []],
] as const)('%j, %s', async (client, lines, state, cookies) => {
  const s = await origin(() => ok('ok', `${OWN}\r\n`));
  const rig = await listen(['cookie SRV insert indirect', `server s1 127.0.0.1:${s.port} cookie a`, lines]);
  const got = await ask(
    rig.port('web'),
    CLOSE.replace('Host', client === '' ? 'Host' : `Cookie: SRV=${client}\r\nHost`),
  );
  expect(rig.ends[0]!.cookie).toBe(state);
  if (cookies === null) expect(got).toMatch(/^HTTP\/1.1 503 /);
  else expect(Array.from(got.matchAll(/^set-cookie: (.*)\r$/gm), ([, value]) => value)).toEqual(cookies);
});

test('bound by a rule, the client gets the dates that it lacks', async () => {
  const s = await origin(() => ok());
  const lines = ['cookie SRV insert indirect maxidle 10s', 'use-server s1 if TRUE'];
  const rig = await listen([...lines, `server s1 127.0.0.1:${s.port} cookie a`]);
  expect(await ask(rig.port('web'), CLOSE)).toMatch(/^set-cookie: SRV=a\|.*; path=\/\r$/m);
  expect(rig.ends[0]!.cookie).toBe('none U');
});

test.each([
  ['insert', 'I', ['SRV=; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/']],
  ['rewrite', 'P', ['SRV=own; path=/']],
  ['prefix', 'P', ['SRV=own; path=/']],
])('a server without a cookie, %s: the client is to forget what it has', async (mode, set, cookies) => {
  const s = await origin(() => ok('ok', `${OWN}\r\n`));
  const rig = await listen([`cookie SRV ${mode}`, `server s1 127.0.0.1:${s.port}`]);
  const got = await ask(rig.port('web'), CLOSE.replace('Host', 'Cookie: SRV=a\r\nHost'));
  expect(Array.from(got.matchAll(/^set-cookie: (.*)\r$/gm), ([, value]) => value)).toEqual(cookies);
  expect(rig.ends[0]!.cookie).toBe(`invalid ${set}`);
});

test.each([
  // mode, the client's cookies, what the server sees, which server it is
  ['rewrite', 'SRV=zz; SRV=b', 'SRV=zz; SRV=b', 's2', 'valid'],
  ['rewrite', 'SRV=a; SRV=b', 'SRV=a; SRV=b', 's1', 'valid'],
  ['rewrite', 'x=1\r\nCookie: SRV=zz\r\nCookie: y=2, SRV=b', 'x=1|SRV=zz|y=2, SRV=b', 's2', 'valid'],
  ['prefix', 'SRV=a~x; SRV=b~y', 'SRV=x; SRV=y', 's1', 'valid'],
  ['prefix', 'SRV=zz~x; SRV=b~y; c=d', 'SRV=x; SRV=y; c=d', 's2', 'valid'],
  ['prefix', 'SRV=~', 'SRV=', null, 'invalid'],
  ['insert indirect', 'a=b; SRV=zz; c=d; SRV=b', 'a=b; c=d', 's2', 'valid'],
])('%s: %j', async (mode, sent, seen, server, state) => {
  const s = await origin();
  const lines = [
    `cookie SRV ${mode}`,
    `server s1 127.0.0.1:${s.port} cookie a`,
    `server s2 127.0.0.1:${s.port} cookie b`,
  ];
  const rig = await listen(lines);
  const client = await connect(rig.port('web'));
  client.send(CLOSE.replace('Host', `Cookie: ${sent}\r\nHost`));
  const conn = await (await s.conn(0)).has('\r\n\r\n');
  expect(Array.from(conn.received.matchAll(/^cookie: (.*)\r$/gm), ([, value]) => value).join('|')).toBe(seen);
  conn.send(ok());
  await client.end();
  expect(rig.ends[0]!.cookie.split(' ')[0]).toBe(state);
  if (server !== null) expect(rig.ends[0]!.server).toBe(server);
});

test.each([
  // mode, what the server sets, what the client gets of it, what is captured
  ['rewrite', 'Set-Cookie: SRV=own, T=2', 'SRV=a, T=2', 'SRV=own'],
  ['rewrite', 'Set-Cookie: T=1, SRV=own', 'T=1, SRV=own', ''],
  ['rewrite', 'Set-Cookie2: SRV=own; Version=1', 'SRV=a; Version=1', 'SRV=own'],
  ['rewrite', 'Set-Cookie2: T=1; Comment="x,y", SRV=own', 'T=1; Comment="x,y", SRV=a', 'SRV=own'],
  ['rewrite', 'Set-Cookie2: SRV="o,w;n", T=2', 'SRV=a, T=2', 'SRV="o,w;n"'],
  ['prefix', 'Set-Cookie2: T=1, SRV = own', 'T=1, SRV = a~own', 'SRV=own'],
  ['insert', 'Set-Cookie2: SRV=own; Version=1', 'SRV=a; path=/', 'SRV=own'],
  ['insert', 'Set-Cookie2: T=1, SRV=own; Version=1', 'T=1|SRV=a; path=/', 'SRV=own'],
  ['insert', 'Set-Cookie2: SRV="o,w;n"; Version=1, T=2', 'T=2|SRV=a; path=/', 'SRV="o,w;n"'],
])('%s, %s', async (mode, set, got, kept) => {
  const s = await origin(() => ok('ok', `${set}\r\n`));
  const lines = [`cookie SRV ${mode}`, 'capture cookie SRV len 20', 'http-response set-header x-kept %CS'];
  const rig = await listen([...lines, `server s1 127.0.0.1:${s.port} cookie a`]);
  const answer = await ask(rig.port('web'), CLOSE);
  expect(Array.from(answer.matchAll(/^set-cookie2?: (.*)\r$/gim), ([, value]) => value).join('|')).toBe(got);
  expect(/^x-kept: (.*)\r$/m.exec(answer)?.[1]).toBe(kept);
});
