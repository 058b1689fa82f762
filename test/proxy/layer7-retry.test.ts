/** `retry-on`: requests that a server took and failed are sent again, whole. */
import { expect, test } from 'vitest';
import { GET, listen, origin } from './listen.ts';
import { connect, ok, type Wire } from './wire.ts';

/** What a server does with the first request, by the condition that makes us try again. */
const FAILURES: readonly [condition: string, fail: (wire: Wire) => void, counted?: number][] = [
  ['empty-response', wire => void wire.socket.end()],
  ['junk-response', wire => void wire.send('SSH-2.0-OpenSSH\r\n\r\n'), 1],
  ['junk-response', wire => void wire.socket.end('HTTP/1.1 200 OK\r\nContent-')],
  ['response-timeout', () => {}],
  ['503', wire => void wire.send('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n')],
  ['all-retryable-errors', wire => void wire.send('HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\n12')],
];

/** A server that fails the first request and answers the others; it notes what it was sent. */
async function failing(fail: (wire: Wire) => void) {
  const server = await origin();
  const seen: string[] = [];
  server.onConn = wire => {
    void wire
      .until(w => w.received.endsWith('0\r\n\r\n') || (w.received.endsWith('\r\n\r\n') && w.received.startsWith('GET')))
      .then(() => {
        const first = seen.push(wire.take()) === 1;
        if (first) fail(wire);
        else wire.send(ok());
      })
      .catch(() => {});
  };
  return { port: server.port, seen };
}

test.each(FAILURES)('%s', async (condition, fail, counted = 0) => {
  const s = await failing(fail);
  const lines = [`retry-on ${condition}`, 'retries 2', 'timeout server 200ms', `server s 127.0.0.1:${s.port}`];
  const rig = await listen(lines);
  const wire = await connect(rig.port('web'));
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
  wire.send(post);
  await wire.has('\r\n\r\nok');
  expect(s.seen).toHaveLength(2);
  expect(s.seen[0]).toContain('3\r\nabc\r\n0\r\n\r\n');
  expect(s.seen[1]).toBe(s.seen[0]);
  expect(rig.ends[0]).toMatchObject({ status: 200, retries: 1 });
  expect(rig.counter('server', 'web/s', 'retries')).toBe(1);
  // Unlike silence, an invalid head counts though another attempt follows.
  expect(rig.counter('server', 'web/s', 'failed_resp')).toBe(counted);
});

test('what is no response head is told at once, however short it is', async () => {
  const server = await origin();
  server.onConn = wire => void wire.has('GET').then(() => wire.send('foo'));
  const rig = await listen(['timeout server 1h', `server s 127.0.0.1:${server.port}`]);
  const wire = await connect(rig.port('web'));
  wire.send(GET);
  await wire.has('HTTP/1.1 502 ');
  expect(rig.ends[0]).toMatchObject({ status: 502, state: 'PH' });
});

test.each([
  ['conn-failure', GET, 502],
  ['503', GET, 502],
  ['empty-response', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n${'x'.repeat(20_000)}`, 502],
])(
  'retry-on %s: what is not listed, or larger than a buffer, is not sent again',
  async (condition, request, status) => {
    const server = await origin();
    server.onConn = wire => void wire.until(w => w.received.length >= request.length).then(() => wire.socket.destroy());
    const rig = await listen([`retry-on ${condition}`, 'retries 2', `server s 127.0.0.1:${server.port}`]);
    const wire = await connect(rig.port('web'));
    wire.send(request);
    await wire.has(`HTTP/1.1 ${status} `);
    expect(server.conns).toHaveLength(1);
    expect(rig.ends[0]).toMatchObject({ status, retries: 0 });
  },
);

test('the retries run out: the last failure is what the client sees', async () => {
  const server = await origin(() => 'HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy');
  const rig = await listen(['retry-on 503', 'retries 2', `server s 127.0.0.1:${server.port}`]);
  const wire = await connect(rig.port('web'));
  wire.send(GET);
  await wire.has('busy');
  expect(rig.ends[0]).toMatchObject({ status: 503, retries: 2 });
});

test('disable-l7-retry, and retry-on none', async () => {
  const server = await origin(() => 'HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy');
  const lines = ['retry-on 503', 'http-request disable-l7-retry', 'retries 2', `server s 127.0.0.1:${server.port}`];
  const rig = await listen(lines);
  const wire = await connect(rig.port('web'));
  wire.send(GET);
  await wire.has('busy');
  expect(rig.ends[0]).toMatchObject({ status: 503, retries: 0 });

  const none = await listen(['retry-on none', 'retries 2', 'server s 127.0.0.1:1']);
  const other = await connect(none.port('web'));
  other.send(GET);
  await other.has('HTTP/1.1 503 ');
  expect(none.ends[0]).toMatchObject({ status: 503, retries: 0 });
});

test('option redispatch: another server has its turn', async () => {
  const bad = await origin((_request, wire) => {
    wire.socket.end();
    return null;
  });
  const good = await origin(() => ok());
  const lines = ['retry-on empty-response', 'retries 1', 'option redispatch'];
  const rig = await listen([...lines, `server a 127.0.0.1:${bad.port}`, `server b 127.0.0.1:${good.port}`]);
  const wire = await connect(rig.port('web'));
  wire.send(GET);
  await wire.has('\r\n\r\nok');
  expect(rig.ends[0]).toMatchObject({ status: 200, retries: 1, server: 'b' });
  expect(rig.counter('server', 'web/a', 'redispatches')).toBe(1);
});
