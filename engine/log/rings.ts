/**
 * Rings (manual 12.5), in the control thread: lines come from all threads through channels, are kept for `show events`, and go to
 * the ring's servers.
 *
 *     worker 0 ─► channel ─┐
 *     worker 1 ─► channel ─┼─► ring buffer ─┬─► forwarder ─► server
 *     control  ─► channel ─┘                └─► show events
 *
 * Where anything is full, lines are dropped and counted; nobody waits.
 */

import type { Ring } from '../config/log-model.ts';
import type { Model } from '../config/model.ts';
import type { Io } from '../io/contract.ts';
import type { Channel } from '../shm/channel.ts';
import { listenLogs } from '../shm/doorbell.ts';
import type { Memory } from '../shm/memory.ts';
import { PROCESS } from '../shm/words.ts';
import type { TimerWheel } from '../time.ts';
import { serverEnd } from '../tls/ends.ts';
import { tlsStore } from '../tls/store.ts';
import { Forwarder } from './forwarder.ts';
import { type Place, RingBuffer } from './ring-buffer.ts';

export interface RingsEnv {
  readonly model: Model;
  readonly memory: Memory;
  readonly io: Io;
  readonly wheel: TimerWheel;
}

/** One ring at work. */
export interface LiveRing {
  readonly config: Ring;
  readonly buffer: RingBuffer;
}

export class Rings {
  readonly #env: RingsEnv;
  readonly #rings: readonly (LiveRing & {
    readonly channels: readonly Channel[];
    readonly forwarders: readonly Forwarder[];
  })[];
  readonly #doorbell: { stop(): void };
  readonly #watchers = new Set<() => void>();

  constructor(env: RingsEnv) {
    const { model, memory, io, wheel } = env;
    this.#env = env;
    this.#rings = model.rings.map((config, index) => {
      const buffer = new RingBuffer(config.sizeBytes);
      const channels = Array.from({ length: memory.shape.workers + 1 }, (_, thread) => memory.channel(index, thread));
      const forwarders = config.servers.map(server => {
        return new Forwarder(io, wheel, config, server, buffer, serverEnd(tlsStore(model.tls), server.tls));
      });
      return { config, buffer, channels, forwarders };
    });
    this.#doorbell = listenLogs(memory, () => {
      io.wake();
      this.look();
    });
    this.look();
  }

  /** The rings, as `show events` lists them. */
  get list(): readonly LiveRing[] {
    return this.#rings;
  }

  /** Calls `look` after lines have come; gives what ends that. */
  watch(look: () => void): () => void {
    this.#watchers.add(look);
    return () => this.#watchers.delete(look);
  }

  /** Takes in what the threads have written. */
  look(): void {
    const { memory } = this.#env;
    for (const { buffer, channels, forwarders } of this.#rings) {
      for (const channel of channels) {
        for (let line = channel.take(); line !== null; line = channel.take()) {
          if (!buffer.append(line)) Atomics.add(memory.words, memory.process + PROCESS.at.dropped_logs, 1);
        }
      }
      for (const forwarder of forwarders) forwarder.push();
    }
    for (const look of [...this.#watchers]) look();
  }

  /** What came last is still sent. */
  stop(): void {
    this.#doorbell.stop();
    this.look();
    for (const { forwarders } of this.#rings) for (const forwarder of forwarders) forwarder.stop();
  }
}

export type { Place };
