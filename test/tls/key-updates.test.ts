/** `tune.ssl.keyupdate-rate-limit`: a client that renews its keys for nothing is sent away. */
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { TlsConnection } from '../../engine/tls/connection.ts';
import { NO_HELLO } from '../../engine/tls/hello.ts';
import { openssl, pointerTo } from '../../engine/tls/openssl.ts';
import * as wire from '../../engine/tls/wire.ts';
import { startRig } from '../proxy/rig.ts';
import { pemFile } from './certificates.ts';
import { TLS_CLIENT } from './ends.ts';

const SITE = pemFile({ name: 'localhost', names: ['localhost'] });
const ROOM = 65_536;

/** What came back after so many key updates and a request: '' = the connection was closed. */
async function asked(limit: string, updates: number): Promise<string> {
  const rig = await startRig(`
global
  ${limit}
frontend f
  mode http
  timeout client 5s
  bind 127.0.0.1:1 ssl crt ${SITE}
  http-request return status 200
`);
  onTestFinished(() => rig.stop());
  const tls = new TlsConnection(TLS_CLIENT.context(NO_HELLO)!, true);
  const socket = connect(rig.port('f'), '127.0.0.1');
  const room = new Uint8Array(ROOM);
  const flush = () => {
    const n = wire.produced();
    if (n === 0) return;
    wire.take(pointerTo(room), n);
    socket.write(room.slice(0, n));
  };
  const say = (text: string) => {
    const bytes = Buffer.alloc(text.length, text);
    const records = tls.write(pointerTo(bytes), bytes.length, pointerTo(room), ROOM);
    socket.write(room.slice(0, records));
  };
  const request = () => {
    for (let i = 0; i < updates; i++) {
      openssl.SSL_key_update(tls.pointer, 0);
      // What is said next goes with the new key.
      say(i === 0 ? 'GET / HTTP/1.0\r\n' : `x: ${i}\r\n`);
    }
    say('\r\n');
  };
  let answer = '';
  let open = false;
  socket.on('connect', () => {
    tls.handshake();
    flush();
  });
  socket.on('data', (chunk: Buffer) => {
    wire.feed(chunk, undefined, 0, chunk.length);
    if (!open && tls.handshake() === 1) {
      open = true;
      flush();
      request();
    }
    const n = open ? tls.read(pointerTo(room), ROOM) : 0;
    if (n > 0) answer += Buffer.from(room.slice(0, n)).toString();
    wire.drop();
    flush();
  });
  await new Promise(done => socket.on('close', done).on('error', done));
  tls.free();
  return answer;
}

test('a few are nobody’s business', async () => {
  expect(await asked('', 50)).toMatch(/^HTTP\/1\.\d 200/);
});

test('too many end the connection', async () => {
  expect(await asked('tune.ssl.keyupdate-rate-limit 20', 21)).toBe('');
});

test('the limit is what the configuration says', async () => {
  expect(await asked('tune.ssl.keyupdate-rate-limit 20', 20)).toMatch(/^HTTP\/1\.\d 200/);
  expect(await asked('tune.ssl.keyupdate-rate-limit 0', 90)).toMatch(/^HTTP\/1\.\d 200/);
});
