/**
 * The ports that connections to a server may come from (`source <address>:<first>-<last>`), shared by all threads:
 *
 *   [ where the next look begins ] [ port first ] ... [ port last ]      a word each: 0 = free, else 1 + the thread that has it
 *
 * Ports take turns, so that one that was just given back rests as long as can be. What a dead thread had is given back by the master.
 */
import type { Model } from '../config/model.ts';
import type { Reach, Server } from '../config/server-model.ts';
import type { SourcePorts } from '../io/contract.ts';
import type { Memory } from './memory.ts';

export class PortRange implements SourcePorts {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #first: number;
  readonly #count: number;
  readonly #owner: number;

  /** @param at where its words stand, `count` + 1 of them */
  constructor(words: Int32Array, at: number, first: number, count: number, thread: number) {
    this.#words = words;
    this.#at = at;
    this.#first = first;
    this.#count = count;
    this.#owner = thread + 1;
  }

  take(): number {
    const from = Atomics.add(this.#words, this.#at, 1) >>> 0;
    for (let i = 0; i < this.#count; i++) {
      const nth = (from + i) % this.#count;
      if (Atomics.compareExchange(this.#words, this.#at + 1 + nth, 0, this.#owner) === 0) return this.#first + nth;
    }
    return 0;
  }

  give(port: number): void {
    Atomics.store(this.#words, this.#at + 1 + port - this.#first, 0);
  }
}

/** Ports of a range; 0 = none is named. */
export function portCount({ source }: Pick<Reach, 'source'>): number {
  return source === null || source.lastPort === source.address.port ? 0 : source.lastPort - source.address.port + 1;
}

/** Words that `portCount` ports need. */
export function portWords(count: number): number {
  return count === 0 ? 0 : count + 1;
}

/** Those of a server of a proxy; null = it names no range. */
export function portsOf(memory: Memory, server: Server, thread: number): SourcePorts | null {
  const count = portCount(server);
  if (count === 0) return null;
  return new PortRange(memory.words, memory.ports + server.portsAt, server.source!.address.port, count, thread);
}

/** Those of a server that only this thread connects to. */
export function ownPortsOf(reach: Pick<Reach, 'source'>): SourcePorts | null {
  const count = portCount(reach);
  return count === 0 ? null : new PortRange(new Int32Array(portWords(count)), 0, reach.source!.address.port, count, 0);
}

/** Gives back what a thread had of all ranges. */
export function reclaimPorts({ words, ports }: Memory, model: Pick<Model, 'proxies'>, thread: number): void {
  for (const server of model.proxies.flatMap(({ servers }) => servers)) {
    const at = ports + server.portsAt + 1;
    for (let i = portCount(server) - 1; i >= 0; i--) Atomics.compareExchange(words, at + i, thread + 1, 0);
  }
}
