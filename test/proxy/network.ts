/**
 * The network that a test of the data path runs in: its clients and servers, the worker's io and time itself. Real sockets, or
 * the simulated network, in which time is virtual and moves only while the test waits for something here.
 */
import type { Duplex } from 'node:stream';
import type { TestContext } from 'vitest';
import type { ListenSpec } from '../../engine/io/bind.ts';
import { probeIo } from '../../engine/io/choose.ts';
import type { Io } from '../../engine/io/contract.ts';
import { realNetwork } from './real-network.ts';
import { simNetwork } from './sim-network.ts';

/** What the tests use of `net.Socket`. */
export interface Socket extends Duplex {
  readonly bytesWritten: number;
  resetAndDestroy(): this;
  setNoDelay(on: boolean): this;
}

export interface Served {
  readonly port: number;
  /** Accepts nothing more; what was accepted stays. */
  close(): void;
}

export interface Network {
  /** Milliseconds, of the clock that the workers have. */
  now(): number;
  /** A new io, for a worker. */
  io(): Io;
  /** A listening descriptor at the address of a bind line, with a port of the network's choice. */
  bind(spec: ListenSpec): { fd: number; port: number };
  /** Another descriptor of the same socket, for `Io.listen`. */
  dup(fd: number): number;
  close(fd: number): void;
  /** To 127.0.0.1; emits `connect`. */
  connect(port: number, allowHalfOpen: boolean): Socket;
  serve(allowHalfOpen: boolean, accept: (socket: Socket) => void): Promise<Served>;
  /** Waits until `done`; false when `ms` are over before. */
  wait(done: () => boolean, ms: number): Promise<boolean>;
  /** Something happened that may be waited for. */
  wake(): void;
}

/** The io of this run of the data-path tests: vitest.config.ts. Where there is no ring they run on `net` twice. */
function testIo(): 'net' | 'uring' | 'sim' {
  const asked = process.env.SLUICE_TEST_IO;
  if (asked === 'sim') return 'sim';
  return asked === 'uring' && probeIo('auto').name === 'uring' ? 'uring' : 'net';
}

const IO = testIo();
let current: Network | null = null;

/** The network of this test. */
export function network(): Network {
  current ??= IO === 'sim' ? simNetwork(1, 0) : realNetwork(IO);
  return current;
}

let seed = 1;

/** From here on, a simulated network with this seed. */
export function useSeed(of: number): void {
  seed = of;
  current = simNetwork(seed, 0);
}

/** The same, in which connections break with this likelihood whenever they send. Before anything is in it. */
export function breakConnections(likelihood: number): void {
  current = simNetwork(seed, likelihood);
}

/** True when time is virtual and buffers are small. */
export const SIMULATED = IO === 'sim';

/** Skips a test that asks for what the simulated network does not promise; `why` says what that is. */
export function needsKernel(context: TestContext, why: string): void {
  context.skip(SIMULATED, why);
}

/** The contrary. */
export function needsSimulation(context: TestContext, why: string): void {
  context.skip(!SIMULATED, why);
}

/** Lets `ms` pass. */
export async function pass(ms: number): Promise<void> {
  await network().wait(() => false, ms);
}

/** Waits until `done`; throws after `ms`. */
export async function until(done: () => boolean, ms = 5000): Promise<void> {
  if (!(await network().wait(done, ms))) throw new Error('waited in vain');
}

/** Waits for what the network makes happen. */
export async function settle<T>(promise: Promise<T>): Promise<T> {
  let over = false;
  const done = () => {
    over = true;
    network().wake();
  };
  promise.then(done, done);
  await until(() => over, 20_000);
  return promise;
}
