/**
 * Random connections through a relay, one run on each io: chunks, half-closes, resets, readers that pause. Client and
 * server are on net; what arrives must be what was sent, to the byte, or the beginning of it where one side reset.
 */
import net from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { openListener } from '../../engine/io/bind.ts';
import type { Address, Io } from '../../engine/io/contract.ts';
import { createNetIo } from '../../engine/io/net.ts';
import fc from '../properties.ts';
import { PLAIN_SPEC } from './plain-spec.ts';
import { relay } from './relay.ts';
import { LOOPBACK, SCARCE, URING_HERE, uringIo } from './worlds.ts';

const step = fc.record({
  op: fc.constantFrom('send', 'send', 'send', 'wait', 'pause', 'resume'),
  bytes: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 150_000 })),
});
/** What one end of one connection does; at last it half-closes or resets. */
const end = fc.record({
  steps: fc.array(step, { maxLength: 8 }),
  last: fc.constantFrom('end', 'end', 'end', 'end', 'reset'),
});
const script = fc.array(fc.record({ client: end, server: end }), { minLength: 1, maxLength: 12 });
type End = typeof end extends fc.Arbitrary<infer S> ? S : never;
type Script = typeof script extends fc.Arbitrary<infer S> ? S : never;

const sleep = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms));
/** The bytes that an end sends, all its sends behind one another. */
function stream(steps: End['steps'], salt: number): Buffer {
  const length = steps.reduce((sum, s) => sum + (s.op === 'send' ? s.bytes : 0), 0);
  return Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) + salt) & 0xff));
}

/** Plays one end on a socket; gives what it received once the socket is closed. */
async function play(socket: net.Socket, what: End, salt: number): Promise<Buffer> {
  const got: Buffer[] = [];
  const closed = new Promise<void>(resolve => socket.on('close', () => resolve()));
  socket.on('data', data => got.push(data as Buffer));
  socket.on('error', () => {});
  const bytes = stream(what.steps, salt);
  let at = 0;
  for (const { op, bytes: length } of what.steps) {
    if (op === 'wait') await sleep(1);
    else if (op !== 'send') socket[op]();
    else {
      socket.write(bytes.subarray(at, at + length));
      at += length;
    }
  }
  socket.resume();
  if (what.last === 'end') socket.end();
  else {
    await sleep(2);
    socket.resetAndDestroy();
  }
  await closed;
  return Buffer.concat(got);
}

/** One server for all runs: the first two bytes that a client sends say which of the script's connections it is. */
let playing: Script = [];
let served: Promise<Buffer>[] = [];
const server = net.createServer({ allowHalfOpen: true }, socket => {
  socket.on('error', () => {});
  socket.once('readable', () => {
    const head = socket.read(2) as Buffer | null;
    if (head === null) {
      socket.destroy();
      return;
    }
    const index = head.readUInt16BE(0);
    const what = playing[index];
    if (what === undefined) socket.destroy();
    else served[index] = play(socket, what.server, index + 100);
  });
});
const target = new Promise<Address>(resolve => {
  server.listen(0, '127.0.0.1', () => resolve({ ...LOOPBACK, port: (server.address() as net.AddressInfo).port }));
});
afterAll(() => void server.close());

/** Runs the script through a relay on `io`; gives what each end received, null where the server never heard. */
async function run(io: Io, what: Script): Promise<{ client: Buffer; server: Buffer | null }[]> {
  const made = openListener({ ...PLAIN_SPEC, address: LOOPBACK });
  if (!('fd' in made)) throw new Error(made.message);
  relay(io, made.fd, await target);
  playing = what;
  served = [];
  const clients = what.map(async (c, index) => {
    const socket = net.connect({ port: made.address.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.write(Buffer.of(index >> 8, index & 0xff));
    return play(socket, c.client, index);
  });
  const received = await Promise.all(clients);
  const servers = await Promise.all(what.map((_, index) => served[index] ?? null));
  await io.stop();
  return received.map((client, index) => ({ client, server: servers[index] ?? null }));
}

const isPrefix = (part: Buffer, whole: Buffer) => whole.subarray(0, part.length).equals(part);

async function check(io: Io, what: Script): Promise<void> {
  const got = await run(io, what);
  what.forEach(({ client, server: other }, index) => {
    const fromServer = stream(other.steps, index + 100);
    const fromClient = stream(client.steps, index);
    const { client: atClient, server: atServer } = got[index]!;
    if (client.last === 'end' && other.last === 'end') {
      expect(atClient.equals(fromServer)).toBe(true);
      expect(atServer?.equals(fromClient)).toBe(true);
    } else {
      expect(isPrefix(atClient, fromServer)).toBe(true);
      expect(atServer === null || isPrefix(atServer, fromClient)).toBe(true);
    }
  });
}

const IOS: readonly (readonly [string, () => Io])[] = [
  ['net', () => createNetIo({ poison: true })],
  ...(URING_HERE
    ? ([
        ['uring', () => uringIo()],
        ['uring with few blocks', () => uringIo(SCARCE)],
      ] as const)
    : []),
];

test.each(IOS)('what goes through a relay on %s arrives', async (_name, create) => {
  await fc.assert(
    fc.asyncProperty(script, what => check(create(), what)),
    { numRuns: 25, seed: 20_261_123, endOnFailure: true },
  );
});
