/** `filter bwlim-in` and `bwlim-out`: how fast bytes pass, in which order filters count, and that nothing is lost. */
import { describe, expect, test } from 'vitest';
import { origin, rigOf } from './listen.ts';
import { needsKernel, network, until } from './network.ts';
import type { Rig } from './rig.ts';
import { connect, type Wire } from './wire.ts';

let rig: Rig;

async function proxy(port: number, lines: string, mode = 'http'): Promise<Rig> {
  rig = await rigOf(`
defaults
  mode ${mode}
  timeout client 1s
  timeout server 1s
  timeout connect 1s
listen web
  bind 127.0.0.1:1
  ${lines.split('\n').join('\n  ')}
  server s1 127.0.0.1:${port}
`);
  return rig;
}

/** How late a busy machine may be. Exactness is tested without a clock: byte-meter.test.ts. */
const LATE = 4;

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Payload in which each byte tells where it was. */
function payload(bytes: number): string {
  let text = '';
  while (text.length < bytes) text += `${text.length}.`;
  return text.slice(0, bytes);
}

async function exchange(lines: string, body: string, request = GET): Promise<{ client: Wire; from: Wire }> {
  const s = await origin();
  const r = await proxy(s.port, lines);
  const client = await connect(r.port('web'));
  client.send(request);
  const from = await s.conn();
  await from.has('\r\n\r\n');
  from.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  return { client, from };
}

/**
 * Looks at what `wire` gets until it has `bytes` of payload: never more than the limit, then the limit's rate, since `began`, which
 * was before anything was sent. Gives how long it took. Milliseconds.
 */
async function watch(wire: Wire, bytes: number, limit: number, periodMs: number, began: number): Promise<number> {
  let worst = 0;
  const look = (): number => {
    const got = wire.received.length - wire.received.indexOf('\r\n\r\n') - 4;
    const allowed = limit * Math.max(1, (network().now() - began + 2) / periodMs);
    worst = Math.max(worst, got / allowed);
    return got;
  };
  await wire.until(w => w.received.includes('\r\n\r\n') && look() >= bytes, 10_000);
  expect(worst).toBeLessThan(1.02);
  return network().now() - began;
}

const SLOW = 'filter bwlim-out slow default-limit 100000 default-period 200ms\nhttp-request set-bandwidth-limit slow';

describe('bwlim-out', () => {
  test('lets the limit pass in a period, then its rate, all of it in order', async () => {
    const body = payload(400_000);
    const began = network().now();
    const { client } = await exchange(SLOW, body);
    // The first quarter at once, the others from the second period on.
    const took = await watch(client, body.length, 100_000, 200, began);
    expect(took).toBeGreaterThan(780);
    expect(took).toBeLessThan(LATE * 800);
    expect(client.received.endsWith(body)).toBe(true);
  });

  test('a stream that waits longer than its time-outs is not cut', async () => {
    const body = payload(3_000);
    const { client } = await exchange(SLOW.replace('100000', '1000').replace('200ms', '1200ms'), body);
    await client.until(w => w.received.endsWith(body));
    expect(rig.ends.map(({ state }) => state)).toEqual(['--']);
  });

  test('the limit of a rule, and of the last rule', async () => {
    const lines = `${SLOW} limit int(20000)\nhttp-response set-bandwidth-limit slow limit 50000 period 500ms`;
    const began = network().now();
    const { client } = await exchange(lines, payload(100_000));
    expect(await watch(client, 100_000, 50_000, 500, began)).toBeLessThan(LATE * 1_000);
  });

  test('no rule, no limit', async () => {
    const body = payload(400_000);
    const { client } = await exchange(SLOW.split('\n')[0]!.replace('200ms', '1h'), body);
    await client.until(w => w.received.endsWith(body));
  });

  test('chunks pass with their framing, and two streams do not share', async () => {
    const s = await origin();
    const r = await proxy(s.port, SLOW);
    const body = payload(150_000);
    const clients = await Promise.all([connect(r.port('web')), connect(r.port('web'))]);
    for (const [i, client] of clients.entries()) {
      client.send(GET);
      const from = await s.conn(i);
      await from.has('\r\n\r\n');
      from.send(
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${(150_000).toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      );
    }
    await Promise.all(clients.map(client => client.until(w => w.received.endsWith('0\r\n\r\n'))));
    for (const client of clients) expect(client.received).toContain(`\r\n${body}\r\n`);
  });

  test('counts what it is given: before compression all, after it little', async context => {
    needsKernel(context, 'the network is faster than the limit');
    const body = 'x'.repeat(300_000);
    const slow = 'filter bwlim-out slow default-limit 100000 default-period 400ms';
    const rule = 'http-request set-bandwidth-limit slow\ncompression algo gzip';
    const request = 'GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n';
    const took: number[] = [];
    for (const lines of [`filter comp-res\n${slow}\n${rule}`, `${slow}\nfilter comp-res\n${rule}`]) {
      const began = network().now();
      const { client } = await exchange(lines, body, request);
      await client.until(w => w.received.endsWith('\r\n0\r\n\r\n'));
      took.push(network().now() - began);
      expect(client.received).toContain('content-encoding: gzip');
      await rig.stop();
    }
    expect(took[1]! - took[0]!).toBeGreaterThan(400);
    expect(took[1]).toBeGreaterThan(750);
  });

  test('a client that leaves meanwhile leaves nothing behind', async () => {
    const { client } = await exchange(SLOW, payload(400_000));
    await client.has('\r\n\r\n');
    client.socket.resetAndDestroy();
    await until(() => rig.ends.length === 1);
    expect(rig.ends.map(({ state }) => state)).toEqual(['CD']);
  });
});

describe('bwlim-in', () => {
  const LINES = 'filter bwlim-in slow default-limit 50000 default-period 200ms\nhttp-request set-bandwidth-limit slow';

  test('an upload passes at its rate, and the client is made to wait', async () => {
    const s = await origin();
    const r = await proxy(s.port, LINES);
    const body = payload(200_000);
    const client = await connect(r.port('web'));
    const began = network().now();
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const from = await s.conn();
    await from.has('\r\n\r\n');
    const took = await watch(from, body.length, 50_000, 200, began);
    expect(took).toBeGreaterThan(780);
    expect(took).toBeLessThan(LATE * 800);
    expect(from.received.endsWith(body)).toBe(true);
    from.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await client.has('ok');
  });

  test('an early response: the rest of the upload still goes', async () => {
    const s = await origin();
    const r = await proxy(s.port, LINES);
    const body = payload(120_000);
    const client = await connect(r.port('web'));
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const from = await s.conn();
    await from.has('\r\n\r\n');
    from.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await client.has('ok');
    await from.until(w => w.received.endsWith(body));
    client.send(GET);
    await from.until(w => w.received.endsWith('\r\n\r\n'));
  });
});

describe('a limit that streams share', () => {
  const LINES = [
    'stick-table type string len 20 size 100 expire 10s store bytes_out_rate(200ms)',
    'filter bwlim-out all limit 40000 key req.hdr(x-user)',
    'http-request set-bandwidth-limit all',
  ].join('\n');

  async function download(r: Rig, users: readonly string[], body: string): Promise<number[]> {
    const began = network().now();
    return Promise.all(
      users.map(async user => {
        const client = await connect(r.port('web'));
        client.send(`GET / HTTP/1.1\r\nHost: a\r\nX-User: ${user}\r\n\r\n`);
        await client.until(w => w.received.endsWith(body));
        client.socket.destroy();
        return network().now() - began;
      }),
    );
  }

  test('one user alone gets all of it, two streams of a user half each, another user his own', async () => {
    const body = payload(80_000);
    const s = await origin(() => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const r = await proxy(s.port, LINES);
    const [alone] = await download(r, ['ann'], body);
    expect(alone).toBeGreaterThan(300);
    expect(alone).toBeLessThan(LATE * 400);
    const [bob, bob2, eve] = await download(r, ['bob', 'bob', 'eve'], body);
    expect(Math.max(bob!, bob2!)).toBeGreaterThan(650);
    expect(Math.max(bob!, bob2!)).toBeLessThan(LATE * 800);
    expect(Math.min(bob!, bob2!)).toBeGreaterThan(eve!);
  });
});

test('TCP: what is held back arrives though the client is done with both directions', async () => {
  const s = await origin();
  const lines = [
    'filter bwlim-in up default-limit 20000 default-period 100ms',
    'tcp-request content set-bandwidth-limit up',
  ];
  const r = await proxy(s.port, lines.join('\n'), 'tcp');
  const client = await connect(r.port('web'));
  const up = payload(60_000);
  client.send(up);
  client.socket.end();
  const from = await s.conn();
  from.send('all');
  from.socket.end();
  await client.end();
  expect(client.received).toBe('all');
  await from.end();
  expect(from.received).toBe(up);
  await until(() => r.ends.length === 1);
  expect(r.ends[0]!.state).toBe('--');
});

test('TCP: both directions, each at its own rate', async () => {
  const s = await origin();
  const lines = [
    'filter bwlim-in up default-limit 20000 default-period 100ms',
    'filter bwlim-out down default-limit 40000 default-period 100ms',
    'tcp-request content set-bandwidth-limit up',
    'tcp-response content set-bandwidth-limit down',
  ];
  const r = await proxy(s.port, lines.join('\n'), 'tcp');
  const client = await connect(r.port('web'));
  const [up, down] = [payload(60_000), payload(120_000)];
  const began = network().now();
  client.send(up);
  client.socket.end();
  const from = await s.conn();
  from.send(down);
  from.socket.end();
  await Promise.all([client.end(), from.end()]);
  const took = network().now() - began;
  expect(from.received).toBe(up);
  expect(client.received).toBe(down);
  expect(took).toBeGreaterThan(280);
  expect(took).toBeLessThan(LATE * 300);
});
