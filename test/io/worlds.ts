/** The places that the contract's tests run in: each io with a way to listen and to let time pass. */

import { closeFd, openListener, PLAIN_SPEC } from '../../engine/io/bind.ts';
import type { Address, Conn, Io, Listening } from '../../engine/io/contract.ts';
import { createNetIo } from '../../engine/io/net.ts';
import { createSim } from '../../engine/io/sim.ts';
import { Recorder } from './recorder.ts';

export interface World {
  /** The io that connects, and the io that accepts. */
  readonly client: Io;
  readonly server: Io;
  listen(accept: (conn: Conn) => void, address?: Address): { address: Address; listening: Listening };
  /** An address that connects to get no answer. */
  hole(): Promise<Address>;
  /** Lets things happen until `done`; throws when that takes too long. */
  until(done: () => boolean): Promise<void>;
  /** Lets `ms` pass. */
  pass(ms: number): Promise<void>;
  stop(): Promise<void>;
}

export const LOOPBACK: Address = { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: 0 };
export const PATIENCE_MS = 5_000;

const sleep = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms));

function netWorld(): World {
  const client = createNetIo({ poison: true });
  const server = createNetIo({ poison: true });
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

/** Every io, by the name its tests carry. */
export const WORLDS: readonly (readonly [string, () => World])[] = [
  ['net', netWorld],
  ...[1, 2, 3, 4].map(seed => [`sim, seed ${seed}`, () => simWorld(seed)] as const),
];
