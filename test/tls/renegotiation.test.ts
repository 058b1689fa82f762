/** `renegotiate`, `no-renegotiate`: servers that ask for another handshake, up to TLS 1.2. */
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { startRig } from '../proxy/rig.ts';
import { pemFile } from './certificates.ts';

const SITE = readFileSync(pemFile({ name: 'localhost', names: ['localhost'] }));
const BYTES = 300_000;

async function listening(server: Server): Promise<number> {
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** What goes through to a server. */
interface Relay {
  port: number;
  /** `asked`: the server has spoken; `held`: what it says after the answer to that is held back. */
  state: 'open' | 'armed' | 'asked' | 'held';
  readonly held: Buffer[];
  release(): void;
}

/** A server that asks for another handshake when it has read `go`; all that it has read, or `failed`. */
async function asking(): Promise<{ relay: Relay; whole: Promise<string> }> {
  const { promise: whole, resolve } = Promise.withResolvers<string>();
  const server = createTlsServer({ cert: SITE, key: SITE, maxVersion: 'TLSv1.2' }, (socket: TLSSocket) => {
    let text = '';
    socket.on('error', () => resolve('failed'));
    socket.on('data', piece => {
      text += piece;
      if (text !== 'go') return;
      relay.state = 'armed';
      // Node asks as a client only; its handle does for both.
      (socket as unknown as { _handle: { renegotiate(): void } })._handle.renegotiate();
      socket.write('asked');
    });
    socket.on('end', () => resolve(text));
  });
  const relay = await relayTo(await listening(server));
  return { relay, whole };
}

async function relayTo(to: number): Promise<Relay> {
  const relay: Relay = { port: 0, state: 'open', held: [], release() {} };
  const server = createServer({ allowHalfOpen: true }, (client: Socket) => {
    const upstream = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true });
    client.on('data', piece => {
      if (relay.state === 'asked') relay.state = 'held';
      upstream.write(piece);
    });
    client.on('end', () => upstream.end());
    upstream.on('data', (piece: Buffer) => {
      if (relay.state === 'armed') relay.state = 'asked';
      if (relay.state === 'held') relay.held.push(piece);
      else client.write(piece);
    });
    upstream.on('end', () => client.end());
    for (const socket of [client, upstream]) socket.on('error', () => {});
    relay.release = () => {
      relay.state = 'open';
      for (const piece of relay.held) client.write(piece);
    };
  });
  relay.port = await listening(server);
  return relay;
}

async function client(port: number, words: string): Promise<Socket> {
  const rig = await startRig(`
defaults
  mode tcp
  timeout client 5s
  timeout server 5s
  timeout connect 2s
listen l
  bind 127.0.0.1:1
  server s 127.0.0.1:${port} ssl verify none ${words}
`);
  onTestFinished(() => rig.stop());
  const socket = connect({ port: rig.port('l'), host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  return socket;
}

const until = async (what: () => boolean) => {
  while (!what()) await new Promise(done => setTimeout(done, 5));
};

test.each(['', 'renegotiate'])('what is sent meanwhile waits for it: %j', async words => {
  const { relay, whole } = await asking();
  const socket = await client(relay.port, words);
  let heard = '';
  socket.on('data', piece => (heard += piece));
  socket.write('go');
  await until(() => relay.held.length > 0);
  socket.end('x'.repeat(BYTES));
  // It comes to the proxy before the server's next words.
  await new Promise(done => setTimeout(done, 50));
  relay.release();
  expect(await whole).toBe(`go${'x'.repeat(BYTES)}`);
  expect(heard).toBe('asked');
});

test('no-renegotiate: the server is refused', async () => {
  const { relay, whole } = await asking();
  const socket = await client(relay.port, 'no-renegotiate');
  socket.write('go');
  expect(await whole).toBe('failed');
});
