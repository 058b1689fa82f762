/**
 * Rings (manual 12.5), in the control thread: lines come from all threads through channels, are kept for `show events`, and go to
 * the ring's servers.
 *
 *     worker 0 ─► channel ─┐
 *     worker 1 ─► channel ─┼─► ring buffer ─┬─► forwarder ─► server
 *     control  ─► channel ─┘                ├─► show events
 *                                           └─► backing file
 *
 * Where anything is full, lines are dropped and counted; nobody waits.
 */

import type { Ring } from '../config/log-model.ts';
import type { Model } from '../config/model.ts';
import type { Io } from '../io/contract.ts';
import { callOf } from '../proxy/streamless.ts';
import type { Channel } from '../shm/channel.ts';
import { listenLogs } from '../shm/doorbell.ts';
import type { Memory } from '../shm/memory.ts';
import { PROCESS } from '../shm/words.ts';
import type { TimerWheel } from '../time.ts';

import { tlsStore } from '../tls/store.ts';
import { Forwarder } from './forwarder.ts';
import { type Place, RingBuffer } from './ring-buffer.ts';
import { RingFile } from './ring-file.ts';

interface RingsEnv {
  readonly model: Model;
  readonly memory: Memory;
  readonly io: Io;
  readonly wheel: TimerWheel;
  /** Hears of files that cannot be written. */
  readonly complain: (text: string) => void;
}

/** One ring at work. */
export interface LiveRing {
  readonly config: Ring;
  readonly buffer: RingBuffer;
}

interface RunningRing extends LiveRing {
  readonly channels: readonly Channel[];
  readonly forwarders: readonly Forwarder[];
  /** null = it has none, or cannot be written any more. */
  file: RingFile | null;
}

export class Rings {
  readonly #env: RingsEnv;
  readonly #rings: readonly RunningRing[];
  readonly #doorbell: { stop(): void };
  readonly #watchers = new Set<() => void>();

  constructor(env: RingsEnv) {
    const { model, memory, io, wheel } = env;
    this.#env = env;
    this.#rings = model.rings.map((config, index) => {
      const buffer = new RingBuffer(config.sizeBytes);
      const channels = Array.from({ length: memory.shape.workers + 1 }, (_, thread) => memory.channel(index, thread));
      const forwarders = config.servers.map(server => {
        return new Forwarder(io, wheel, config, server, buffer, callOf(server, model.global.tune, tlsStore(model.tls)));
      });
      return { config, buffer, channels, forwarders, file: this.#open(config) };
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
    for (const ring of this.#rings) {
      const { buffer, channels, forwarders } = ring;
      for (const channel of channels) {
        for (let line = channel.take(); line !== null; line = channel.take()) {
          if (buffer.append(line)) this.#write(ring, line);
          else Atomics.add(memory.words, memory.process + PROCESS.at.dropped_logs, 1);
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
    for (const { forwarders, file } of this.#rings) {
      for (const forwarder of forwarders) forwarder.stop();
      file?.close();
    }
  }

  #open(config: Ring): RingFile | null {
    if (config.backingFile === null) return null;
    try {
      return new RingFile(config.backingFile, config.sizeBytes);
    } catch (error) {
      this.#env.complain(`ring '${config.name}': cannot write '${config.backingFile}': ${error}`);
      return null;
    }
  }

  #write(ring: RunningRing, line: Uint8Array): void {
    try {
      ring.file?.append(line);
    } catch (error) {
      const { name, backingFile } = ring.config;
      this.#env.complain(`ring '${name}': nothing more goes to '${backingFile}': ${error}`);
      ring.file?.close();
      ring.file = null;
    }
  }
}

export type { Place };
