/** How many server connections there may be, and for how long: `strict-maxconn`, `max-session-srv-conns`, `max-reuse`, `pool-conn-name`. */
import { expect, test } from 'vitest';
import { origin, rigOf } from './listen.ts';
import { pass } from './network.ts';
import type { Rig } from './rig.ts';
import { ask, connect, ok, type WireServer } from './wire.ts';

let rig: Rig;

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

async function start(words: string, workers = 1, reuse = 'always'): Promise<WireServer> {
  const server = await origin(() => ok('x'));
  rig = await rigOf(
    `
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 1s
  timeout queue 1s
  http-reuse ${reuse}
frontend web
  bind 127.0.0.1:1
  default_backend b
backend b
  server s 127.0.0.1:${server.port} ${words}
`,
    { workers },
  );
  return server;
}

const idle = () => rig.counter('server', 'b/s', 'cur_idle');

test('one worker reuses the connection that is there', async () => {
  const server = await start('maxconn 1 strict-maxconn');
  for (let n = 0; n < 3; n++) expect(await ask(rig.port('web'), GET)).toContain(' 200 ');
  expect(idle()).toBe(1);
  expect(server.conns.length).toBe(1);
});

const open = ({ conns }: WireServer) => conns.filter(({ ended, closed }) => !ended && !closed).length;

test.each([1, 2, 3])('two workers have %i connections to the server at most, and keep them', async maxconn => {
  const server = await start(`maxconn ${maxconn} pool-low-conn 9 strict-maxconn`, 2);
  let most = 0;
  for (let round = 0; round < 5; round++) {
    const answers = Array.from({ length: 8 }, () => ask(rig.port('web'), GET));
    for (const answer of answers) expect(await answer).toContain(' 200 ');
    most = Math.max(most, rig.serverWord('b', 's', 'conns'));
  }
  expect(most).toBeLessThanOrEqual(maxconn);
  expect(idle()).toBeGreaterThan(0);
  expect(rig.serverWord('b', 's', 'conns')).toBe(idle());
  await pass(50);
  expect(open(server)).toBe(idle());
});

test('an idle connection of another worker ends for one that this one needs, of a session, too', async () => {
  const server = await start('maxconn 1 strict-maxconn', 2, 'never');
  const clients = await Promise.all(Array.from({ length: 6 }, () => connect(rig.port('web'))));
  for (const client of clients) {
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.has('\r\n\r\nx');
  }
  expect(rig.serverWord('b', 's', 'conns')).toBe(1);
  await pass(50);
  expect(open(server)).toBe(1);
  for (const client of clients) client.socket.destroy();
  await pass(50);
  expect(rig.serverWord('b', 's', 'conns')).toBe(0);
});

test('pool-max-conn is for all workers', async () => {
  await start('pool-low-conn 9 pool-max-conn 1', 2);
  await Promise.all(Array.from({ length: 8 }, () => ask(rig.port('web'), GET)));
  expect(idle()).toBe(1);
});

test('pool-purge-delay 0: none is kept', async () => {
  await start('pool-purge-delay 0');
  expect(await ask(rig.port('web'), GET)).toContain(' 200 ');
  expect(idle()).toBe(0);
});

/** Connections that the server has open when two clients, one after the other, have asked and stay. */
async function openAtTheEnd(words: string, reuse: string): Promise<number> {
  const server = await start(words, 1, reuse);
  const [one, other] = [await connect(rig.port('web')), await connect(rig.port('web'))];
  for (const client of [one, other]) {
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.has('\r\n\r\nx');
  }
  await pass(50);
  const there = open(server);
  for (const client of [one, other]) client.socket.destroy();
  return there;
}

// Others know themselves that a second idle connection would be of no use.
test.each([
  ['never', 2],
  ['safe', 1],
] as const)('http-reuse %s: an idle connection that cannot serve makes room', async (reuse, otherwise) => {
  expect(await openAtTheEnd('maxconn 1 strict-maxconn', reuse)).toBe(1);
  await rig.stop();
  expect(await openAtTheEnd('maxconn 1', reuse)).toBe(otherwise);
});

test.each([
  [0, 0],
  [1, 1],
  [2, 2],
])('max-session-srv-conns %i: so many idle connections stay with a client', async (most, kept) => {
  const there = [];
  for (let n = 0; n < 3; n++) there.push(await origin(() => ok('x')));
  rig = await rigOf(`
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 1s
  http-reuse never
listen web
  bind 127.0.0.1:1
  max-session-srv-conns ${most}
  balance roundrobin
${there.map(({ port }, i) => `  server s${i} 127.0.0.1:${port}\n`).join('')}`);
  const client = await connect(rig.port('web'));
  for (let n = 0; n < 6; n++) {
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.has('\r\n\r\nx');
    client.take();
  }
  await pass(50);
  const idle = there.map((_, i) => rig.counter('server', `web/s${i}`, 'cur_idle_private'));
  expect(idle.reduce((sum, n) => sum + n)).toBe(kept);
  // Each server is asked twice: the second time over the connection that was kept.
  expect(there.map(({ conns }) => conns.length).filter(n => n === 1).length).toBe(kept);
  client.socket.destroy();
  await pass(50);
  expect(there.map((_, i) => rig.counter('server', `web/s${i}`, 'cur_idle_private'))).toEqual([0, 0, 0]);
});

test('max-reuse: a connection serves so many requests more, and then no other', async () => {
  const server = await start('max-reuse 2');
  for (let n = 0; n < 7; n++) expect(await ask(rig.port('web'), GET)).toContain(' 200 ');
  expect(server.conns.length).toBe(3);
});

test('pool-conn-name: clients share a connection only where it is the same', async () => {
  const server = await start('pool-low-conn 3 pool-conn-name req.hdr(x-name)');
  const named = (name: string) => ask(rig.port('web'), GET.replace('\r\n\r\n', `\r\nX-Name: ${name}\r\n\r\n`));
  for (const name of ['a', 'b', 'a', 'b', 'c']) expect(await named(name)).toContain(' 200 ');
  expect(server.conns.length).toBe(3);
});
