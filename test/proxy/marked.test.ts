/** What a change of state does to streams under way, and what traffic tells of servers. */
import { expect, test } from 'vitest';
import { origin, rigOf } from './listen.ts';
import type { Rig } from './rig.ts';
import { connect, type Wire } from './wire.ts';

let rig: Rig;

const DEFAULTS = `
defaults
  mode tcp
  timeout client 5s
  timeout server 5s
  timeout connect 1s
  retries 0
`;

/** A server that greets and waits. */
async function greeter(text: string): Promise<number> {
  const server = await origin((_head, conn) => {
    conn.socket.write(text);
    return null;
  });
  return server.port;
}

async function greeted(port: number, greeting: string): Promise<Wire> {
  const wire = await connect(port);
  wire.send('x\r\n\r\n');
  return wire.has(greeting);
}

test.each([1, 2])('on-marked-down ends the sessions on the server in all %i workers, and no others', async workers => {
  rig = await rigOf(
    `${DEFAULTS}
listen l
  bind 127.0.0.1:1
  balance roundrobin
  server a 127.0.0.1:${await greeter('from a')} on-marked-down shutdown-sessions
  server b 127.0.0.1:${await greeter('from b')}
`,
    { workers },
  );
  const port = rig.port('l');
  const wires = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const wire = await connect(port);
      return wire.send('x\r\n\r\n').until(w => /from [ab]/.test(w.received));
    }),
  );
  rig.setServer('l', 'a', 'maint');
  const onA = wires.filter(wire => wire.received.includes('from a'));
  const onB = wires.filter(wire => wire.received.includes('from b'));
  expect(onA.length).toBe(3);
  await Promise.all(onA.map(wire => wire.end()));
  expect(onB.some(wire => wire.ended)).toBe(false);
  expect(rig.ends.map(end => [end.server, end.state])).toEqual(onA.map(() => ['a', 'D-']));
  expect(rig.counter('server', 'l/a', 'cli_aborts')).toBe(0);
  for (const wire of wires) wire.socket.destroy();
});

test.each([
  ['waits', 'HTTP/1.1 103 Early Hints\r\n\r\n', 'HTTP/1.1 502 Bad Gateway', 'DH', { failed_resp: 1, srv_aborts: 0 }],
  ['flows', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok', '\r\n\r\nok', 'DD', { failed_resp: 0, srv_aborts: 1 }],
] as const)('an HTTP stream that is shut down while its response %s', async (_when, said, last, state, counters) => {
  rig = await rigOf(`${DEFAULTS}
listen l
  mode http
  bind 127.0.0.1:1
  server a 127.0.0.1:${await greeter(said)} on-marked-down shutdown-sessions
`);
  const wire = await connect(rig.port('l'));
  wire.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await wire.has(said.slice(-8));
  rig.setServer('l', 'a', 'maint');
  await wire.has(last);
  await wire.until(() => rig.ends.length > 0);
  expect(rig.ends.map(end => end.state.slice(0, 2))).toEqual([state]);
  const counted = Object.keys(counters).map(name => [
    name,
    rig.counter('server', 'l/a', name as keyof typeof counters),
  ]);
  expect(Object.fromEntries(counted)).toEqual(counters);
  wire.socket.destroy();
});

test('on-marked-up ends the sessions on backup servers', async () => {
  rig = await rigOf(`${DEFAULTS}
listen l
  bind 127.0.0.1:1
  server a 127.0.0.1:${await greeter('from a')} on-marked-up shutdown-backup-sessions
  server b 127.0.0.1:${await greeter('from b')} backup
`);
  rig.setServer('l', 'a', 'maint');
  const wire = await greeted(rig.port('l'), 'from b');
  rig.setServer('l', 'a', 'ready');
  await wire.end();
  expect(rig.ends.map(end => [end.server, end.state])).toEqual([['b', 'U-']]);
  const next = await greeted(rig.port('l'), 'from a');
  next.socket.destroy();
});

test('observe: workers count what they see', async () => {
  const answers = [
    '200 OK',
    '503 No',
    '503 No',
    '200 OK',
    '500 No',
    '103 Early Hints\r\n\r\nHTTP/1.1 500 No',
    '501 Fine',
  ];
  const server = await origin(() => `HTTP/1.1 ${answers.shift()}\r\nContent-Length: 0\r\n\r\n`);
  rig = await rigOf(`${DEFAULTS}
listen l
  mode http
  bind 127.0.0.1:1
  server a 127.0.0.1:${server.port} check observe layer7 error-limit 10
  server gone 127.0.0.1:1 check observe layer4 disabled
`);
  const seen: number[] = [];
  const wire = await connect(rig.port('l'));
  for (let i = 0; i < 7; i++) {
    wire.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await wire.has('ength: 0\r\n\r\n');
    wire.take();
    seen.push(rig.serverWord('l', 'a', 'errors'));
  }
  expect(seen).toEqual([0, 1, 2, 0, 1, 1, 0]);
  rig.setServer('l', 'a', 'maint');
  rig.setServer('l', 'gone', 'ready');
  wire.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await wire.has(' 503 ');
  expect(rig.serverWord('l', 'gone', 'errors')).toBe(1);
  wire.socket.destroy();
});
