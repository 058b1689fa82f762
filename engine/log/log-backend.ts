/**
 * `log backend@<name>`: each line goes to one of the servers of a backend of `mode log`, chosen by its `balance`. A server
 * that takes a stream has a ring of its own (config/build-rings.ts), so that a slow one loses only its own lines.
 */
import { type Balancer, createBalancer, type Slice, type Subject } from '../balance/index.ts';
import type { Proxy } from '../config/proxy-model.ts';
import { cast } from '../sample/cast.ts';
import { compileConverters } from '../sample/compile.ts';
import type { Fetch } from '../sample/context.ts';
import type { Outside } from '../sample/outside.ts';
import { Sample, STR } from '../sample/sample.ts';
import type { Memory, Topology } from '../shm/memory.ts';
import type { Line } from './line.ts';
import type { Sink } from './sinks.ts';

/** Nobody takes lines now: ENOTCONN. */
const NOBODY = -107;

export class LogBackend implements Subject {
  readonly #proxy: Proxy;
  readonly #balancer: Balancer;
  /** By index in `proxy.servers`. */
  readonly #sinks: readonly Sink[];
  readonly #sample = new Sample();
  #message: Line | null = null;
  #key: Fetch | null = null;
  #there: Outside | null = null;

  constructor(memory: Memory, topology: Topology, proxy: Proxy, sinks: readonly Sink[], seed: number) {
    this.#proxy = proxy;
    this.#balancer = createBalancer(memory, topology, proxy, seed);
    this.#sinks = sinks;
  }

  /** From now on `log-hash` can be evaluated; until then lines take turns. */
  evaluate(there: () => Outside): void {
    const { algorithm, converters } = this.#proxy.balance;
    if (algorithm !== 'log-hash') return;
    this.#there = there();
    this.#key = compileConverters(converters, (_, out) => this.#text(out), this.#there.env);
  }

  /** Sends a line to one of the servers; `message` is what it says behind its header. */
  readonly sink: Sink = (bytes, length, message) => {
    this.#message = message;
    const server = this.#balancer.pick(this, -1);
    return server < 0 ? NOBODY : this.#sinks[server]!(bytes, length, message);
  };

  hashed(): Slice | null {
    const sample = this.#sample;
    sample.begin(false);
    if (this.#key === null || !this.#key(this.#there!.at, sample) || !cast(sample, STR)) return null;
    return sample;
  }

  #text(out: Sample): boolean {
    const { bytes, length } = this.#message!;
    return out.setStr(bytes, 0, length);
  }

  // A line is no request: no other algorithm is for log backends.
  source(): null {
    return null;
  }

  uri(): null {
    return null;
  }

  header(): null {
    return null;
  }

  body(): null {
    return null;
  }

  payload(): null {
    return null;
  }
}
