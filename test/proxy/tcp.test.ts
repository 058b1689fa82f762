/** TCP mode on the wire. */
import { expect, test } from 'vitest';
import { DEAD, listen, origin } from './listen.ts';
import { pass, until } from './network.ts';
import { ask, connect, type Wire } from './wire.ts';

async function relay(lines: readonly string[] = []) {
  const s = await origin();
  const rig = await listen(['mode tcp', ...lines, `server s1 127.0.0.1:${s.port}`]);
  const client = await connect(rig.port('web'));
  client.send('hello');
  const conn = await s.conn();
  await conn.has('hello');
  conn.send('welcome');
  await client.has('welcome');
  return { s, rig, client, conn };
}

function wasReset(wire: Wire): boolean {
  return wire.error?.code === 'ECONNRESET' && !wire.ended;
}

test('each direction ends on its own, whichever is first', async () => {
  for (const clientFirst of [true, false]) {
    const { rig, client, conn } = await relay();
    const [one, two] = clientFirst ? [client, conn] : [conn, client];
    one.socket.end();
    await two.end();
    two.send('bye');
    await one.has('bye');
    two.socket.end();
    await one.end();
    await one.until(() => rig.ends.length === 1);
    expect(rig.ends[0]!.state).toBe('--');
    expect(rig.counter('frontend', 'web', 'bytes_in')).toBe(clientFirst ? 5 : 8);
  }
});

test('a reset goes on to the other side', async () => {
  const first = await relay();
  first.client.socket.resetAndDestroy();
  await first.conn.until(w => w.closed);
  expect(wasReset(first.conn)).toBe(true);
  expect(first.rig.ends[0]!.state).toBe('CD');
  const second = await relay();
  second.conn.socket.resetAndDestroy();
  await second.client.end();
  expect(second.rig.ends[0]!.state).toBe('SD');
  expect(second.rig.counter('server', 'web/s1', 'failed_resp')).toBe(1);
});

test('a silent tunnel ends by the time-out of its client', async () => {
  const { rig, client, conn } = await relay(['timeout tunnel 100ms']);
  await Promise.all([client.end(), conn.end()]);
  expect(rig.ends[0]!.state).toBe('cD');
  expect(rig.counter('server', 'web/s1', 'cli_aborts')).toBe(1);
});

test('a side that is silent for too long has ended, and no more', async () => {
  const { rig, client, conn } = await relay(['timeout client 200ms', 'timeout server 5s']);
  await conn.end();
  conn.send('bye');
  await client.has('bye');
  expect(rig.ends).toEqual([]);
  conn.socket.end();
  await client.end();
  await client.until(() => rig.ends.length === 1);
  expect(rig.ends[0]!.state).toBe('cD');
  const second = await relay(['timeout client 5s', 'timeout server 200ms']);
  await second.client.end();
  second.client.send('bye');
  await second.conn.has('bye');
  expect(second.rig.ends).toEqual([]);
  second.client.socket.end();
  await second.client.until(() => second.rig.ends.length === 1);
  expect(second.rig.ends[0]!.state).toBe('sD');
});

test('a server that has ended has no time-out', async () => {
  const { rig, client, conn } = await relay(['timeout client 300ms', 'timeout server 100ms']);
  conn.socket.end();
  await client.end();
  await client.until(() => rig.ends.length === 1);
  expect(rig.ends[0]!.state).toBe('cD');
});

test('timeout client-fin is for a client that is still to send', async () => {
  const { rig, client, conn } = await relay(['timeout client-fin 100ms']);
  conn.socket.end();
  await conn.end();
  expect(rig.ends[0]!.state).toBe('cD');
  client.socket.destroy();
});

test('option abortonclose sees the end of a client that has already sent something', async () => {
  const s = await origin();
  const rig = await listen([
    'mode tcp',
    'option abortonclose',
    'timeout queue 2s',
    `server s1 127.0.0.1:${s.port} maxconn 1`,
  ]);
  const first = await connect(rig.port('web'));
  first.send('one');
  await (await s.conn()).has('one');
  const second = await connect(rig.port('web'));
  second.send('two');
  await second.until(() => rig.word('web', 'be_total_queued') === 1);
  second.socket.end();
  await second.end();
  expect(rig.ends[0]!.state).toBe('CQ');
  first.socket.destroy();
});

test('without the option that ends only who has sent nothing', async () => {
  const s = await origin();
  const rig = await listen(['mode tcp', 'timeout queue 2s', `server s1 127.0.0.1:${s.port} maxconn 1`]);
  const first = await connect(rig.port('web'));
  first.send('one');
  await (await s.conn()).has('one');
  const second = await connect(rig.port('web'));
  await second.until(() => rig.word('web', 'be_total_queued') === 1);
  second.socket.end();
  await second.end();
  expect(rig.ends[0]!.state).toBe('CQ');
  expect(rig.counter('backend', 'web', 'cli_aborts')).toBe(0);
  first.socket.destroy();
});

test('a client that resets in a queue is seen, and one that waits there has its whole time afterwards', async () => {
  const s = await origin();
  const lines = ['mode tcp', 'timeout queue 2s', 'timeout client 300ms', `server s1 127.0.0.1:${s.port} maxconn 1`];
  const rig = await listen(lines);
  const wires: Wire[] = [];
  for (let n = 0; n < 3; n++) {
    const wire = await connect(rig.port('web'));
    wire.send('hello');
    wires.push(wire);
    await wire.until(() => rig.word('web', 'be_served') + rig.word('web', 'be_total_queued') === n + 1);
  }
  wires[1]!.socket.resetAndDestroy();
  await until(() => rig.ends.length === 1);
  expect(rig.ends[0]!.state).toBe('CQ');
  for (let n = 0; n < 5; n++) {
    await pass(50);
    wires[0]!.send('.');
  }
  wires[0]!.socket.resetAndDestroy();
  const conn = await s.conn(1);
  await conn.has('hello');
  await pass(200);
  conn.send('welcome');
  await wires[2]!.has('welcome');
  wires[2]!.socket.destroy();
});

test('what came before there was a connection is sent in its order', async () => {
  const s = await origin();
  const rig = await listen([
    'mode tcp',
    'option abortonclose',
    'timeout queue 2s',
    `server s1 127.0.0.1:${s.port} maxconn 1`,
  ]);
  const first = await connect(rig.port('web'));
  await s.conn();
  const second = await connect(rig.port('web'));
  for (const piece of ['a', 'b', 'c']) {
    second.send(piece);
    await pass(15);
  }
  first.socket.resetAndDestroy();
  await (await s.conn(1)).has('abc');
  second.socket.destroy();
});

test('a connection without its PROXY header is no session, and is reset', async () => {
  const s = await origin();
  const rig = await listen(['mode tcp', `server s1 127.0.0.1:${s.port}`], 'accept-proxy');
  const client = await connect(rig.port('web'));
  client.send('hello hello hello');
  await client.until(w => w.closed);
  expect(wasReset(client)).toBe(true);
  expect(rig.counter('frontend', 'web', 'cum_conn')).toBe(1);
  expect(rig.counter('frontend', 'web', 'cum_sess')).toBe(0);
  expect(s.conns.length).toBe(0);
});

test('no server', async () => {
  const rig = await listen(['mode tcp', `server s1 ${DEAD} disabled`]);
  const client = await connect(rig.port('web'));
  await client.end();
  expect(rig.ends[0]!.state).toBe('SC');
  expect(rig.counter('backend', 'web', 'failed_conn')).toBe(1);
});

test('a connection that is still closing takes nothing from those that came after it', async () => {
  const s = await origin((_head, conn) => {
    conn.socket.end('bye');
    return null;
  });
  const rig = await listen(['mode tcp', `server s1 127.0.0.1:${s.port}`]);
  const LANES = 4;
  const TURNS = 50;
  const lane = async () => {
    const got: string[] = [];
    for (let i = 0; i < TURNS; i++) got.push(await ask(rig.port('web'), 'hello\r\n\r\n'));
    return got;
  };
  const got = await Promise.all(Array.from({ length: LANES }, lane));
  expect(new Set(got.flat())).toEqual(new Set(['bye']));
  // A stream is counted at its end, a moment after the client saw its own.
  await until(() => rig.counter('frontend', 'web', 'bytes_out') === LANES * TURNS * 'bye'.length);
});

test('option contstats counts bytes while they pass', async () => {
  for (const [option, bytes] of [
    ['no option contstats', 0],
    ['option contstats', 5],
  ] as const) {
    const { rig, client, conn } = await relay([option]);
    expect(rig.counter('frontend', 'web', 'bytes_in')).toBe(bytes);
    client.socket.end('!');
    await conn.has('!');
    await client.until(() => rig.counter('server', 'web/s1', 'bytes_in') === (bytes === 0 ? 0 : 6));
    client.socket.resetAndDestroy();
    await client.until(() => rig.ends.length === 1);
    expect(rig.counter('frontend', 'web', 'bytes_in')).toBe(6);
    expect(rig.counter('frontend', 'web', 'bytes_out')).toBe(7);
  }
});

test('option independent-streams: what is sent to a silent client is no activity of its', async () => {
  for (const independent of [false, true]) {
    const { rig, client, conn } = await relay([
      'timeout client 400ms',
      independent ? 'option independent-streams' : 'no option independent-streams',
    ]);
    for (let n = 0; n < 9; n++) {
      await pass(60);
      conn.send('.');
    }
    // Its silence is but the end of what it sends: the server may go on.
    expect(conn.ended).toBe(independent);
    expect(rig.ends).toEqual([]);
    conn.socket.end();
    await client.has('.'.repeat(9));
    await client.end();
    client.socket.destroy();
    await client.until(() => rig.ends.length === 1);
    expect(rig.ends[0]!.state).toBe(independent ? 'cD' : '--');
  }
});
