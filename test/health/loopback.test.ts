/** Checks of real servers on the loopback, through the net io and the real clock. */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Model } from '../../engine/config/model.ts';
import { type Health, startHealth } from '../../engine/health/index.ts';
import type { Io } from '../../engine/io/contract.ts';
import { createNetIo } from '../../engine/io/net.ts';
import { OPER_RUNNING, OPER_STOPPED } from '../../engine/shm/words.ts';
import { TimerWheel } from '../../engine/time.ts';
import { parseModel } from '../proxy/rig.ts';
import { pemFile } from '../tls/certificates.ts';
import {
  checkOfLines,
  HTTP_CHECK,
  type ModelOptions,
  modelOf,
  type ServerOptions,
  type World,
  worldOf,
} from './fixture.ts';

let io: Io;
let health: Health | null = null;
const servers: net.Server[] = [];

beforeEach(() => {
  io = createNetIo();
});

afterEach(async () => {
  health?.stop();
  await io.stop();
  for (const server of servers.splice(0)) server.close();
});

/** A server that lets `serve` deal with each connection. Gives its port. */
function listen(serve: (socket: net.Socket) => void, port = 0): Promise<number> {
  const server = net.createServer(socket => {
    socket.on('error', () => {});
    serve(socket);
  });
  servers.push(server);
  return new Promise(resolve => {
    server.listen(port, '127.0.0.1', () => resolve((server.address() as net.AddressInfo).port));
  });
}

function start(options: readonly ServerOptions[], o: ModelOptions = {}): World {
  return startModel(modelOf(options, o));
}

function startModel(model: Model): World {
  const world = worldOf(model);
  const wheel = new TimerWheel(io.now());
  health = startHealth({ ...world.env, now: () => io.now(), io, wheel, random: () => 0.5 });
  io.onTurn(now => wheel.advance(now));
  return world;
}

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !done(); i++) await new Promise(resolve => setTimeout(resolve, 10));
  expect(done()).toBe(true);
}

test('a server killed and revived shows DOWN and UP', async () => {
  const port = await listen(socket => socket.resume());
  const world = start([{ port, inter: 40, rise: 2, fall: 2 }]);
  await until(() => world.status(0) === 'L4OK');
  await new Promise(resolve => servers.pop()!.close(resolve));
  await until(() => world.word(0, 'oper') === OPER_STOPPED);
  expect([world.status(0), world.text(0)]).toEqual(['L4CON', 'Connection refused']);
  await listen(socket => socket.resume(), port);
  await until(() => world.word(0, 'oper') === OPER_RUNNING);
  expect(world.lines.map(line => line.replace(/duration: \d+ms/, 'duration: _'))).toEqual([
    '<1>Server b/s1 is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: _. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
    '<0>backend b has no server available!',
    '<5>Server b/s1 is UP, reason: Layer4 check passed, check duration: _. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.',
  ]);
});

test('HTTP servers of every kind', async () => {
  const answer = (text: string) => listen(socket => socket.once('data', () => socket.end(text)));
  const ports = await Promise.all([
    answer('HTTP/1.0 200 OK\r\n\r\n'),
    answer('HTTP/1.1 503 Sorry\r\n\r\n'),
    answer('ready? no\n'),
    listen(socket => socket.once('data', () => socket.resetAndDestroy())),
    listen(socket => socket.resume()),
  ]);
  const world = start(
    ports.map(port => ({ port, inter: 200, fall: 1 })),
    { check: HTTP_CHECK, global: { maxSpreadChecksMs: 10 } },
  );
  await until(() => ports.every((_, i) => world.status(i) !== 'INI'));
  expect(ports.map((_, i) => world.status(i))).toEqual(['L7OK', 'L7STS', 'L7RSP', 'SOCKERR', 'L7TOUT']);
  expect([world.word(0, 'check_code'), world.text(1), world.text(3)]).toEqual([
    200,
    'Sorry',
    'Connection reset by peer',
  ]);
  expect(world.word(4, 'check_duration')).toBeGreaterThanOrEqual(199);
  expect([world.px('act'), world.word(0, 'eweight')]).toEqual([1, 1]);
});

test('a server hears what is configured, after a PROXY header that names our end of the connection', async () => {
  let heard = '';
  let peer = 0;
  const port = await listen(socket => {
    peer = socket.remotePort!;
    socket.on('data', data => {
      heard += data;
      if (heard.includes('\r\n\r\n')) socket.end('HTTP/1.1 200 OK\r\n\r\n');
    });
  });
  const check = checkOfLines('option httpchk GET /test HTTP/1.1 a');
  const world = start([{ port, inter: 1000, checkSendProxy: true, sendProxy: 1 }], { check });
  await until(() => world.status(0) === 'L7OK');
  expect(heard).toBe(
    `PROXY TCP4 127.0.0.1 127.0.0.1 ${peer} ${port}\r\nGET /test HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`,
  );
});

test('a check that only shakes hands ends so that the server has done it, too', async () => {
  const heard: string[] = [];
  const pem = readFileSync(pemFile({ name: 'a.org' }));
  const server = tls.createServer({ cert: pem, key: pem }, socket => {
    heard.push('shaken');
    socket.on('error', () => heard.push('broken'));
  });
  server.on('tlsClientError', error => heard.push(`${(error as NodeJS.ErrnoException).code}`));
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const world = startModel(parseModel(`backend b\n  server s1 127.0.0.1:${port} check inter 50ms ssl verify none\n`));
  await until(() => heard.length >= 5);
  expect(world.status(0)).toBe('L6OK');
  expect(heard).not.toContain('ECONNRESET');
});

test.each([
  ['ca-file %', ''],
  ['ca-file % verifyhost b.org', 'Server presented an SSL certificate different from the configured one'],
  ['ca-file % check-sni b.org', 'Server presented an SSL certificate different from the expected one'],
  ['ca-file @system-ca check-sni a.org', 'SSL handshake failure'],
])('a check looks at the certificate: %s', async (words, text) => {
  const file = pemFile({ name: 'a.org' });
  const pem = readFileSync(file);
  const server = tls.createServer({ cert: pem, key: pem }, socket => socket.on('error', () => {}));
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const settings = `ssl verify required ${words.replace('%', file)}`;
  const world = startModel(parseModel(`backend b\n  server s1 127.0.0.1:${port} check inter 50ms ${settings}\n`));
  await until(() => world.status(0) !== 'INI');
  expect([world.status(0), world.text(0)]).toEqual([text === '' ? 'L6OK' : 'L6RSP', text]);
});
