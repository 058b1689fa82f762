/** How far a stream got shows in its line and in the counters: what HAProxy 2.6 writes in the same cases. */
import net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { CounterName } from '../../engine/shm/counters.ts';
import { GET, listen, start, type World } from './world.ts';

const FORMAT = 'log-format "%TR/%Tw/%Tc/%Tr/%Ta %ST %B %tsc %{+Q}r %[be_name]"';
const POST = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n';
const LINE = '"GET / HTTP/1.1"';

/** The line with T for every time that was reached, B for every size but none. */
function steady(line: string): string {
  const [times, status, bytes, ...rest] = line.split(' ');
  return [times!.replace(/(?<!-|\d)\d+/g, 'T'), status, bytes === '0' ? '0' : 'B', ...rest].join(' ');
}

function counters(world: World, ...names: readonly [kind: 'frontend' | 'backend', counter: CounterName][]): number[] {
  return names.map(([kind, counter]) => world.rig.counter(kind, 'l', counter));
}

describe('whom rules send away', () => {
  test.each([
    ['http-request reject', `-1/-1/-1/-1/T -1 0 PR-- ${LINE} l`, [1, 1]],
    ['http-request silent-drop', `-1/-1/-1/-1/T -1 0 PR-- ${LINE} l`, [1, 0]],
    ['http-request deny', `T/-1/-1/-1/T 403 B PR-- ${LINE} l`, [1, 0]],
    ['http-request return', `T/-1/-1/-1/T 200 B LR-- ${LINE} l`, [0, 0]],
    ['redirect location /x', `T/-1/-1/-1/T 302 B LR-- ${LINE} l`, [0, 0]],
    ['cookie c insert\n http-request return', `T/-1/-1/-1/T 200 B LRNN ${LINE} l`, [0, 0]],
    ['http-request tarpit', `-1/T/-1/-1/T 500 B PT-- ${LINE} l`, [1, 0]],
    ['tcp-request content reject', '-1/-1/-1/-1/T -1 0 PR-- "<BADREQ>" l', [1, 0]],
    ['http-response deny', `T/T/T/-1/T 502 B PH-- ${LINE} l`, [0, 0]],
    ['http-response return', `T/T/T/-1/T 200 B LH-- ${LINE} l`, [0, 0]],
    ['http-response silent-drop', `T/T/T/-1/T 200 0 PR-- ${LINE} l`, [1, 1]],
    ['tcp-response content reject', `T/T/T/-1/T -1 0 PD-- ${LINE} l`, [0, 0]],
    ['http-response wait-for-body time 1s', `T/T/T/T/T 200 B ---- ${LINE} l`, [0, 0]],
  ])('%s', async (rule, expected, denied) => {
    const world = await start(listen(`${FORMAT}\n timeout tarpit 50ms\n ${rule}`));
    await world.send('l', GET('/'));
    expect(steady(await world.next())).toBe(expected);
    expect(counters(world, ['frontend', 'denied_req'], ['backend', 'denied_req'])).toEqual(denied);
  });

  test('before there is a session', async () => {
    const rejected = await start(listen('tcp-request session reject'));
    await rejected.send('l', GET('/'));
    expect(counters(rejected, ['frontend', 'cum_sess'], ['frontend', 'denied_sess'])).toEqual([0, 1]);
    const dropped = await start(listen('tcp-request session silent-drop'));
    await dropped.send('l', GET('/'));
    expect(counters(dropped, ['frontend', 'denied_sess'], ['frontend', 'denied_req'])).toEqual([0, 1]);
    expect([...rejected.lines, ...dropped.lines]).toEqual([]);
  });

  test.each([
    ['cookie S', '----'],
    ['cookie S indirect', '--NN'],
    ['cookie S rewrite', '--NN'],
  ])('%s: what became of it, unless it is only looked at', async (cookie, state) => {
    const world = await start(listen(`${FORMAT}\n ${cookie}`));
    await world.send('l', GET('/'));
    expect(await world.next()).toContain(` ${state} `);
  });

  test('no backend is no server', async () => {
    const world = await start(listen(FORMAT, '').replace('listen', 'frontend'));
    await world.send('l', GET('/'));
    expect(steady(await world.next())).toBe(`-1/-1/-1/-1/T 503 B SC-- ${LINE} l`);
  });

  test('what is no request', async () => {
    const world = await start(listen(FORMAT));
    await world.send('l', 'GARBAGE\r\n\r\n');
    expect(steady(await world.next())).toBe('-1/-1/-1/-1/T 400 0 PR-- "<BADREQ>" -');
    expect(counters(world, ['frontend', 'failed_req'], ['frontend', 'bytes_out'])).toEqual([1, 0]);
  });
});

describe('a payload that rules wait for', () => {
  const WAITS = [['http-request wait-for-body time 100ms'], ['option http-buffer-request']];

  test.each(WAITS)('%s: too late', async rule => {
    const world = await start(listen(`${FORMAT}\n ${rule}`));
    await world.send('l', POST);
    expect(steady(await world.next())).toBe('-1/-1/-1/-1/T 408 B cR-- "POST / HTTP/1.1" l');
    expect(counters(world, ['frontend', 'failed_req'], ['backend', 'cli_aborts'])).toEqual([1, 0]);
  });

  test.each(WAITS)("%s: its time is the request's", async rule => {
    const world = await start(listen(`${FORMAT}\n ${rule}`));
    const client = open(world);
    client.write(POST);
    await new Promise(resolve => setTimeout(resolve, 60));
    client.write('hello');
    expect(Number.parseInt(await world.next(), 10)).toBeGreaterThanOrEqual(30);
  });

  test.each([
    ['http-request wait-for-body time 100ms', (client: net.Socket) => client.resetAndDestroy()],
    ['http-request wait-for-body time 100ms', (client: net.Socket) => client.end()],
    ['option http-buffer-request', (client: net.Socket) => client.resetAndDestroy()],
  ])('%s: the client leaves, the rules go on', async (rule, leave) => {
    const world = await start(listen(`${FORMAT}\n ${rule}\n capture request header host len 1`));
    const client = open(world);
    client.write(POST);
    await new Promise(resolve => setTimeout(resolve, 30));
    leave(client);
    expect(steady(await world.next())).toBe('T/-1/-1/-1/T -1 0 CR-- "POST / HTTP/1.1" l');
    const found = counters(world, ['frontend', 'failed_req'], ['backend', 'cli_aborts'], ['backend', 'cum_sess']);
    expect(found).toEqual([1, 1, 1]);
  });

  test.each(WAITS)('%s: what cannot be read ends it', async rule => {
    const world = await start(listen(`${FORMAT}\n ${rule}`));
    const client = open(world);
    client.write('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n');
    await new Promise(resolve => setTimeout(resolve, 30));
    client.write('zz\r\n');
    expect(steady(await world.next())).toBe('-1/-1/-1/-1/T 400 B PR-- "POST / HTTP/1.1" l');
    expect(counters(world, ['frontend', 'failed_req'], ['backend', 'cum_sess'])).toEqual([1, 0]);
  });

  test('the backend has a time-out of its own', async () => {
    const world = await start(`
      defaults
        mode http
        log 127.0.0.1:$LOG local0
        timeout client 5s
        timeout server 1s
        timeout connect 1s
      frontend l
        bind 127.0.0.1:1
        ${FORMAT}
        default_backend b
      backend b
        timeout http-request 50ms
        option http-buffer-request
        server s 127.0.0.1:$SERVER
`);
    await world.send('l', POST);
    expect(steady(await world.next())).toBe('-1/-1/-1/-1/T 408 B cR-- "POST / HTTP/1.1" b');
  });
});

test('the request line has no port that goes without saying', async () => {
  const world = await start(listen('log-format "%{+Q}r %HU"'));
  await world.send('l', GET('http://a:80/x?y'));
  expect(await world.next()).toBe('"GET http://a/x?y HTTP/1.1" http://a/x?y');
});

test('a client that slowly begins has its whole time for the request from its first byte on', async () => {
  const world = await start(listen(`log-format "%Ti %Ta"`));
  const client = open(world);
  await new Promise(resolve => setTimeout(resolve, 100));
  client.write('GET');
  const [idle, active] = (await world.next()).split(' ').map(Number);
  expect(idle).toBeGreaterThanOrEqual(90);
  expect(active).toBeGreaterThanOrEqual(190);
});

test('who waits for the place is not yet at the server when the line of who had it is written', async () => {
  const world = await start(listen('log-format "%HU %sc %bq"', 'server s 127.0.0.1:$SERVER maxconn 1'));
  const [first, second] = [open(world), open(world)];
  first.write(GET('/late'));
  await new Promise(resolve => setTimeout(resolve, 30));
  second.write(GET('/then'));
  expect([await world.next(), await world.next()]).toEqual(['/late 0 0', '/then 0 1']);
});

test("without a time for the whole head the client's time-out is between its pieces", async () => {
  const world = await start(listen(FORMAT).replace('timeout http-request 1s', '').replace('client 2s', 'client 300ms'));
  const client = open(world);
  for (const piece of ['GET / HT', 'TP/1.1\r\n', 'host: a\r\n', '\r\n']) {
    client.write(piece);
    await new Promise(resolve => setTimeout(resolve, 120));
  }
  expect(steady(await world.next())).toBe(`T/T/T/T/T 200 B ---- ${LINE} l`);
});

test('what was received has no plus sign where a line is early', async () => {
  const world = await start(listen('option logasap\n log-format "%B %U %Tt"'));
  await world.send('l', GET('/'));
  expect(await world.next()).toMatch(/^\+\d+ \d+ \+\d+$/);
});

function open(world: World): net.Socket {
  const client = net.connect(world.rig.port('l'), '127.0.0.1');
  client.on('error', () => {});
  onTestFinished(() => void client.destroy());
  return client;
}
