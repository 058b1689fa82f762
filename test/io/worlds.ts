/** The places that the contract's tests run in: each io with a way to listen and to let time pass. */

import { closeFd, openListener } from '../../engine/io/bind.ts';
import type { Address, Conn, Io, Listening } from '../../engine/io/contract.ts';
import { createNetIo } from '../../engine/io/net.ts';
import { createSim } from '../../engine/io/sim.ts';
import { createUringIo, type UringIo, type UringOptions } from '../../engine/io/uring/index.ts';
import { acceptTls, connectTls } from '../../engine/tls/conn.ts';
import { TLS_CLIENT, TLS_SERVER } from '../tls/ends.ts';
import { PLAIN_SPEC } from './plain-spec.ts';
import { Recorder } from './recorder.ts';

export interface World {
  /** The io that connects, and the io that accepts. */
  readonly client: Io;
  readonly server: Io;
  listen(accept: (conn: Conn) => void, address?: Address): { address: Address; listening: Listening };
  /** An address that connects to get no answer. */
  hole(): Promise<Address>;
  /** A client hears that it is connected only when the server has accepted. */
  readonly layered?: true;
  /** Lets things happen until `done`; throws when that takes too long. */
  until(done: () => boolean): Promise<void>;
  /** Lets `ms` pass. */
  pass(ms: number): Promise<void>;
  stop(): Promise<void>;
}

export const LOOPBACK: Address = { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: 0 };
export const PATIENCE_MS = 5_000;

const sleep = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms));

const netIo = () => createNetIo({ poison: true });

/** Throws where the machine does not give a ring. */
export function uringIo(options: UringOptions = {}): UringIo {
  const io = createUringIo({ poison: true, ...options });
  if (typeof io === 'string') throw new Error(io);
  return io;
}

/** Few and small blocks: everything runs out of them. */
export const SCARCE: UringOptions = {
  received: { bytes: 4096, count: 4, max: 8 },
  output: { bytes: 4096, count: 2, max: 4 },
};

/** Real sockets between two ios of this thread. */
function realWorld(client: Io, server: Io): World {
  const holes: number[] = [];
  return {
    client,
    server,
    listen(accept, address = LOOPBACK) {
      const made = openListener({ ...PLAIN_SPEC, address });
      if (!('fd' in made)) throw new Error(made.message);
      return { address: made.address, listening: server.listen(made.fd, 64, accept) };
    },
    async hole() {
      // A listener that nobody accepts from: with its queue full the kernel drops what comes.
      const made = openListener({ ...PLAIN_SPEC, address: LOOPBACK, backlog: 1 });
      if (!('fd' in made)) throw new Error(made.message);
      holes.push(made.fd);
      for (let i = 0; i < 4; i++) client.connect(made.address, { source: null, tfo: false }, new Recorder());
      await sleep(20);
      return made.address;
    },
    async until(done) {
      const limit = performance.now() + PATIENCE_MS;
      while (!done()) {
        if (performance.now() > limit) throw new Error('waited too long');
        await sleep(1);
      }
    },
    pass: sleep,
    async stop() {
      await Promise.all([client.stop(), server.stop()]);
      for (const fd of holes.splice(0)) closeFd(fd);
    },
  };
}

function simWorld(seed: number): World {
  const sim = createSim(seed);
  const client = sim.host();
  const server = sim.host();
  return {
    client,
    server,
    listen(accept, address = LOOPBACK) {
      const fd = sim.bind(address);
      return { address: sim.nameOf(fd), listening: server.listen(fd, 64, accept) };
    },
    async hole() {
      const address = { ...LOOPBACK, port: 9 };
      sim.blackhole(address);
      return address;
    },
    until: async done => sim.until(done),
    pass: async ms => sim.run(ms),
    async stop() {
      const stopped = Promise.all([client.stop(), server.stop()]);
      sim.run();
      await stopped;
    },
  };
}

/** The same with TLS over it. */
function tlsWorld(world: World): World {
  return {
    ...world,
    layered: true,
    client: tlsClient(world.client),
    listen: (accept, address) => world.listen(conn => accept(acceptTls(world.server, conn, TLS_SERVER)), address),
  };
}

function tlsClient(io: Io): Io {
  const client: Io = Object.create(io);
  for (const name of ['now', 'listen', 'onTurn', 'wake', 'take', 'settle', 'stop'] as const) {
    client[name] = (io[name] as (...args: never[]) => unknown).bind(io) as never;
  }
  client.connect = (address, options, handler) =>
    connectTls(io, TLS_CLIENT, handler, under => io.connect(address, options, under));
  return client;
}

const URING_WORLDS = [
  ['uring', () => realWorld(uringIo(), uringIo())],
  ['uring to net', () => realWorld(uringIo(), netIo())],
  ['net to uring', () => realWorld(netIo(), uringIo())],
  ['uring with few blocks', () => realWorld(uringIo(SCARCE), uringIo(SCARCE))],
] as const;

/** Whether this machine gives a ring. */
export const URING_HERE = uringHere();

function uringHere(): boolean {
  const io = createUringIo();
  if (typeof io === 'string') return false;
  void io.stop();
  return true;
}

/** Every io, by the name its tests carry. */
export const PLAIN_WORLDS: readonly (readonly [string, () => World])[] = [
  ['net', () => realWorld(netIo(), netIo())],
  ...(URING_HERE ? URING_WORLDS : []),
  ...[1, 2, 3, 4].map(seed => [`sim, seed ${seed}`, () => simWorld(seed)] as const),
];

/** The same with TLS between the two. */
export const TLS_WORLDS: readonly (readonly [string, () => World])[] = [
  ['net', () => tlsWorld(realWorld(netIo(), netIo()))],
  ...(URING_HERE
    ? ([
        ['uring', () => tlsWorld(realWorld(uringIo(), uringIo()))],
        ['uring with few blocks', () => tlsWorld(realWorld(uringIo(SCARCE), uringIo(SCARCE)))],
      ] as const)
    : []),
  ...[1, 2, 3, 4].map(seed => [`sim, seed ${seed}`, () => tlsWorld(simWorld(seed))] as const),
];

export const WORLDS: readonly (readonly [string, () => World])[] = [
  ...PLAIN_WORLDS,
  ...TLS_WORLDS.map(([name, create]) => [`TLS over ${name}`, create] as const),
];
