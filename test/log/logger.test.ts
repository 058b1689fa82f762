/** Lines about real traffic. */
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { unixAddress } from '../../engine/io/address.ts';
import type { Layer } from '../../engine/io/contract.ts';
import { AF_UNIX, bind, closeFd, encodeSockaddr, SOCK_DGRAM, socket } from '../../engine/io/native.ts';
import { Logger } from '../../engine/log/index.ts';
import { WORKER } from '../../engine/shm/words.ts';
import { wallMs } from '../../engine/time.ts';
import { GET, HEADER, listen, start, steady } from './world.ts';

describe('option httplog', () => {
  test.each([
    ['a request', GET('/x?y'), 'l l/s T/T/T/T/T 200 62 - - ---- 1/1/0/0/0 0/0 "GET /x?y HTTP/1.1"'],
    ['no request', 'GARBAGE\r\n\r\n', 'l l/<NOSRV> -1/-1/-1/-1/T 400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"'],
    ['half a request', 'GET / HT', 'l l/<NOSRV> -1/-1/-1/-1/T 408 0 - - cR-- 1/1/0/0/0 0/0 "<BADREQ>"'],
    ['a server that closes', GET('/close'), 'l l/s T/T/T/-1/T 502 206 - - SH-- 1/1/0/0/0 0/0 "GET /close HTTP/1.1"'],
    ['a server that is silent', GET('/never'), 'l l/s T/T/T/-1/T 504 213 - - sH-- 1/1/0/0/0 0/0 "GET /never HTTP/1.1"'],
  ])('%s', async (_, request, expected) => {
    const world = await start(listen('option httplog'));
    const got = await world.send('l', request);
    const line = steady(await world.next());
    const bytes = Number(/ \d{3} (\d+) - -/.exec(line)![1]);
    // What is no request has no bytes, as with HAProxy.
    expect(bytes).toBe(line.includes('BADREQ') ? 0 : got.length);
    expect(line.replace(` ${bytes} `, ' B ')).toBe(`CLIENT [DATE] ${expected.replace(/ (\d{3}) \d+ -/, ' $1 B -')}`);
  });

  test('no server, a dead server', async () => {
    const none = await start(listen('option httplog', 'server s 127.0.0.1:$SERVER disabled'));
    await none.send('l', GET('/'));
    expect(steady(await none.next())).toContain('l/<NOSRV> T/-1/-1/-1/T 503');
    const dead = await start(listen('option httplog', 'server s 127.0.0.1:$DEAD'));
    await dead.send('l', GET('/'));
    const line = steady(await dead.next());
    expect(line).toContain('l/s T/T/-1/-1/T 503');
    expect(line).toContain('SC-- 1/1/0/0/1 0/0');
  });

  test('bytes that a terminal must not see', async () => {
    const world = await start(listen('option httplog'));
    await world.send('l', GET('/a"b?{|}'));
    expect(await world.next()).toMatch(/"GET \/a#22b\?\{\|\} HTTP\/1\.1"$/);
  });

  test('every request of a connection, each from its own time', async () => {
    const world = await start(listen('log-format "%HU %Ti %Th %Tt"'));
    const client = net.connect(world.rig.port('l'), '127.0.0.1');
    onTestFinished(() => void client.destroy());
    client.write('GET /1 HTTP/1.1\r\nhost: a\r\n\r\n');
    expect(await world.next()).toMatch(/^\/1 \d{1,2} 0 \d{1,2}$/);
    await new Promise(resolve => setTimeout(resolve, 60));
    client.write('GET /2 HTTP/1.1\r\nhost: a\r\n\r\n');
    const [, idle, , total] = (await world.next()).split(' ').map(Number);
    expect(idle).toBeGreaterThanOrEqual(50);
    expect(total).toBeGreaterThanOrEqual(idle!);
  });
});

describe('other formats', () => {
  test('option httplog clf', async () => {
    const world = await start(listen('option httplog clf'));
    await world.send('l', GET('/'));
    expect(await world.next()).toMatch(
      /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/ HTTP\/1\.1" 200 \d+ "" "" \d+ \d{3} "l" "l" "s" \d+ \d+ \d+ \d+ \d+ ---- 1 1 0 0 0 0 0 "" ""$/,
    );
  });

  test('option tcplog', async () => {
    const world = await start(listen('option tcplog').replace('mode http', 'mode tcp'));
    await world.send('l', GET('/'), true);
    expect(steady(await world.next())).toBe('CLIENT [DATE] l l/s T/T/T 43 -- 1/1/0/0/0 0/0');
  });

  test('none: the accept', async () => {
    const world = await start(listen(''));
    await world.send('l', GET('/'));
    expect(await world.next()).toMatch(/^Connect from 127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+ \(l\/HTTP\)$/);
    await world.send('l', 'GARBAGE\r\n\r\n');
    expect(world.lines).toEqual([]);
  });

  test('what is known at once still waits for the rules', async () => {
    const world = await start(`
      defaults
        mode http
        log 127.0.0.1:$LOG local0
        log-format "%ci %f/%b"
        timeout client 1s
        timeout server 1s
        timeout connect 1s
      frontend l
        bind 127.0.0.1:1
        http-request set-log-level silent if { path /silent }
        http-request set-src str(192.0.2.1) if { path /from }
        default_backend b
      frontend t
        mode tcp
        bind 127.0.0.1:1
        default_backend bt
      backend b
        server s 127.0.0.1:$SERVER
      backend bt
        mode tcp
        server s 127.0.0.1:$SERVER
`);
    for (const path of ['/silent', '/', '/from']) await world.send('l', GET(path));
    await world.send('t', GET('/'));
    expect([await world.next(), await world.next(), await world.next()]).toEqual([
      '127.0.0.1 l/b',
      '192.0.2.1 l/b',
      '127.0.0.1 t/bt',
    ]);
  });

  test('error-log-format for what was no request', async () => {
    const world = await start(listen('option httplog\n error-log-format "E %ST %tsc %OG"'));
    await world.send('l', 'GARBAGE\r\n\r\n');
    expect(await world.next()).toBe('E 400 PR-- sess_error');
  });

  test.each([
    ['none', GET('/'), 'Received something which does not look like a PROXY protocol header'],
    ['none, and too short', 'hello', 'Truncated PROXY protocol header received'],
    ['cut', 'PROXY TCP4 192.0.2.1 ', 'Truncated PROXY protocol header received'],
  ])('a PROXY header that is %s', async (_, sent, message) => {
    const world = await start(listen('option httplog').replace('127.0.0.1:1', '127.0.0.1:1 accept-proxy name in'));
    await world.send('l', sent, true);
    expect(await world.next()).toMatch(new RegExp(`^127\\.0\\.0\\.1:\\d+ \\[[^ ]+\\] l\\/in: ${message}$`));
  });

  test('parts of the request line, flags, numbers that count', async () => {
    const world = await start(listen('log-format "%HM %HP %HPO %{+Q}HQ %HV %{+X}ci %{+X}pid %lc %rt %s %{+E}HU"'));
    await world.send('l', GET('http://a/p]?q'));
    expect(await world.next()).toBe('GET http://a/p] /p] "?q" HTTP/1.1 7F000001 002A 0 0 s http://a/p\\]?q');
    await world.send('l', GET('/'));
    expect(await world.next()).toMatch(/ 1 1 s \/$/);
  });
});

test.each([
  ['OPTIONS *', '*|'],
  ['CONNECT a:80', 'a:80|'],
  ['GET http://a/p?q', 'http://a/p|/p'],
])('the path of %s', async (request, expected) => {
  const world = await start(listen('log-format "%HP|%HPO"'));
  await world.send(
    'l',
    `${request} HTTP/1.1\r\nhost: ${request.startsWith('C') ? 'a:80' : 'a'}\r\nconnection: close\r\n\r\n`,
  );
  expect(await world.next()).toBe(expected);
});

test('a server that nobody connected to has no address', async () => {
  const redirecting = 'server s 127.0.0.1:$SERVER redir http://elsewhere';
  const world = await start(listen('log-format "%s %si:%sp %ts"', redirecting));
  await world.send('l', GET('/'));
  expect(await world.next()).toBe('s -:- LC');
});

describe('what is not logged, and how loud', () => {
  test('logasap writes before the end', async () => {
    const world = await start(listen('option httplog\n option logasap'));
    await world.send('l', GET('/'));
    expect(steady(await world.next())).toMatch(/l\/s T\/T\/T\/T\/\+T 200 \+\d+ - - ---- 1\/1\/1\/1\/0/);
    expect(world.lines).toEqual([]);
  });

  test('dontlognull', async () => {
    const quiet = await start(listen('option httplog\n option dontlognull\n monitor-uri /up'));
    await quiet.send('l', '', true);
    await quiet.send('l', GET('/up'));
    await quiet.send('l', GET('/real'));
    expect(await quiet.next()).toContain('/real');
    const loud = await start(listen('option httplog'));
    await loud.send('l', '', true);
    expect(await loud.next()).toContain('400 0 - - CR--');
  });

  test('dontlog-normal', async () => {
    const world = await start(listen('option httplog\n option dontlog-normal'));
    await world.send('l', GET('/fine'));
    await world.send('l', GET('/close'));
    expect(await world.next()).toContain('/close');
  });

  test('log-separate-errors raises the level', async () => {
    const world = await start(listen('option httplog\n option log-separate-errors'));
    await world.send('l', GET('/fine'));
    await world.send('l', GET('/close'));
    expect(await world.nextRaw()).toMatch(/^<134>/);
    expect(await world.nextRaw()).toMatch(/^<131>/);
  });
});

describe('targets', () => {
  test('each with its level, length, tag and framing', async () => {
    const world = await start(`
      global
        log 127.0.0.1:$LOG len 80 format rfc5424 local7 info notice
        log 127.0.0.1:$LOG local0 notice
      ${listen('log global\n mode http\n log-tag tag\n log-format %HU\n log-format-sd [x@1\\ st="%ST"]').replace('log 127.0.0.1:$LOG local0', '')}`);
    await world.send('l', GET(`/${'u'.repeat(200)}`));
    const line = await world.nextRaw();
    expect(line).toMatch(
      /^<190>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[-+]\d\d:\d\d - tag 42 - \[x@1 st=200\] \/u+\n$/,
    );
    expect(line).toHaveLength(81);
    expect(world.lines).toEqual([]);
  });

  test('a unix datagram socket', async () => {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-')), 'log');
    const fd = socket(AF_UNIX, SOCK_DGRAM);
    expect(bind(fd, encodeSockaddr(unixAddress(file))!)).toBe(0);
    onTestFinished(() => void closeFd(fd));
    const world = await start(listen(`log ${file} local0\n log-format %HU`).replace('log 127.0.0.1:$LOG local0', ''));
    await world.send('l', GET('/unix'));
    const bytes = Buffer.alloc(1000);
    const length = fs.readSync(fd, bytes);
    expect(bytes.toString('latin1', 0, length).replace(HEADER, '')).toBe('/unix\n');
  });

  test('a descriptor', async () => {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-')), 'log');
    const fd = fs.openSync(file, 'w');
    onTestFinished(() => fs.closeSync(fd));
    const config = listen(`log fd@${fd} format raw local0\n log-format %HU`).replace('log 127.0.0.1:$LOG local0', '');
    const world = await start(config);
    await world.send('l', GET('/1'));
    await world.send('l', GET('/2'));
    expect(fs.readFileSync(file, 'utf8')).toBe('/1\n/2\n');
  });

  test('a target that is not there: lines are lost and counted, traffic is served, one complaint', async () => {
    const world = await start(listen('log /nonexistent/log local0\n option httplog'));
    for (let i = 0; i < 3; i++) expect(await world.send('l', GET('/'))).toContain('200 OK');
    expect(world.rig.processWord('dropped_logs')).toBe(3);
    expect(world.complaints).toHaveLength(1);
    expect(world.complaints[0]).toMatch(/^log '\/nonexistent\/log' at test\.cfg:\d+: No such file or directory$/);
    for (let i = 0; i < 3; i++) expect(await world.next()).toContain('200');
  });
});

test('a thread that takes the place of another sends through its sockets', async () => {
  const world = await start(listen('log-format %HU'));
  const { memory, model } = world.rig;
  const at = memory.worker(0) + WORKER.at.log_sockets;
  const before = [...memory.words.subarray(at, at + 3)];
  expect(before).toEqual([expect.any(Number), 0, 0]);
  const facts = { pid: 43, hostname: 'vm' };
  const io = { settle: (batch: Layer) => batch.settle() };
  const next = new Logger({ model, memory, worker: 0, facts, wall: wallMs, io, complain: () => {} });
  next.line(5, 0, 'Server l/s is DOWN.');
  expect(await world.nextRaw()).toMatch(/^<133>.{15} haproxy\[43\]: Server l\/s is DOWN\.\n$/);
  expect([...memory.words.subarray(at, at + 3)]).toEqual(before);
});
