/**
 * One name server: sends it queries, believes answers only to what was asked of it, and counts what comes.
 *
 *   ask ──► main channel (UDP or TCP) ──► answer ──► done
 *                                           └─ truncated ──► the same over TCP ──► answer ──► done
 *
 * A channel lives while something is asked: the next one has another port.
 */
import { getRandomValues } from 'node:crypto';
import type { Nameserver as NameserverConfig } from '../config/server-model.ts';
import { NAMESERVER } from '../shm/counters.ts';
import { type Channel, type ChannelHandler, TcpChannel, udpChannel } from './channel.ts';
import type { ResolverEnv } from './env.ts';
import { type Answered, decodeAnswer, encodeQuery, type Failure, idOf, type Question } from './packet.ts';

/** What `show resolvers` tells, in its order (management manual). */
export const COUNTERS: readonly Counter[] = Object.keys(NAMESERVER.at) as Counter[];

export type Counter = keyof typeof NAMESERVER.at;

const COUNTER_OF: Readonly<Record<Failure, Counter>> = {
  nx: 'nx',
  refused: 'refused',
  empty: 'any_err',
  cnameError: 'cname_error',
  other: 'other',
  invalid: 'invalid',
  truncated: 'truncated',
};

/** Ids in use at a time: with more a free one is hard to find and easy to guess. */
const PENDING_MAX = 16_384;

/** Something asked and not answered yet. */
export interface Query {
  readonly id: number;
  readonly question: Question;
  readonly bytes: Uint8Array;
  /** It goes over TCP because the answer was too long for a datagram. */
  long: boolean;
  readonly done: (answer: Answered) => void;
}

export class Nameserver {
  readonly config: NameserverConfig;
  readonly #counters: Float64Array;
  readonly #env: ResolverEnv;
  readonly #payloadBytes: number;
  readonly #pending = new Map<number, Query>();
  /** Datagrams, or the one TCP connection, and the TCP connection beside datagrams. */
  #main: Channel | null = null;
  #long: Channel | null = null;

  /** @param number in the shared memory, where it counts */
  constructor(env: ResolverEnv, config: NameserverConfig, payloadBytes: number, number: number) {
    this.#env = env;
    this.config = config;
    this.#payloadBytes = payloadBytes;
    this.#counters = env.memory.nameserver(number);
  }

  /** Asks; `done` is called in a later event, once, unless it is given up before. Null when too much is asked already. */
  ask(question: Question, done: (answer: Answered) => void): Query | null {
    if (this.#pending.size >= PENDING_MAX) {
      this.count('snd_error');
      return null;
    }
    const id = this.#freeId();
    const query = { id, question, bytes: encodeQuery(id, question, this.#payloadBytes), long: false, done };
    this.#pending.set(id, query);
    this.count('sent');
    this.#main ??= this.#open(this.config.transport === 'tcp', false);
    this.#main.send(query.bytes);
    return query;
  }

  /** The answer is not waited for any more. */
  giveUp(query: Query, late: boolean): void {
    if (this.#pending.get(query.id) !== query) return;
    if (late) this.count('timeout');
    this.#forget(query);
  }

  count(what: Counter): void {
    this.#counters[NAMESERVER.at[what]]! += 1;
  }

  /** How often something happened. */
  counted(what: Counter): number {
    return this.#counters[NAMESERVER.at[what]]!;
  }

  clear(): void {
    this.#counters.fill(0);
  }

  stop(): void {
    this.#pending.clear();
    this.#closeIdle();
  }

  #freeId(): number {
    const random = new Uint16Array(1);
    do getRandomValues(random);
    while (this.#pending.has(random[0]!));
    return random[0]!;
  }

  #open(tcp: boolean, long: boolean): Channel {
    const { address } = this.config;
    const handler: ChannelHandler = {
      onAnswer: bytes => this.#answered(bytes, long),
      onLost: () => this.#lost(long, tcp),
    };
    return tcp ? new TcpChannel(this.#env, address, handler) : udpChannel(this.#env, address, handler);
  }

  #answered(bytes: Uint8Array, long: boolean) {
    const query = this.#pending.get(idOf(bytes));
    if (query === undefined || query.long !== long) {
      this.count('outdated');
      return;
    }
    const answer = decodeAnswer(bytes, query.question);
    // Whoever guesses an id does not end the query: the true answer may still come.
    if (answer.status === 'invalid') {
      this.count('invalid');
      return;
    }
    if (answer.status !== 'valid') this.count(COUNTER_OF[answer.status]);
    else {
      this.count('valid');
      if (answer.aliased) this.count('cname');
    }
    if (answer.status === 'truncated' && !long && this.config.transport === 'udp') return this.#askLong(query);
    this.#forget(query);
    query.done(answer);
  }

  #askLong(query: Query): void {
    query.long = true;
    this.count('sent');
    this.#long ??= this.#open(true, true);
    this.#long.send(query.bytes);
  }

  /** Of a TCP connection all that was asked over it is lost; a datagram may still be answered when it is asked again. */
  #lost(long: boolean, tcp: boolean): void {
    this.count('snd_error');
    if (!tcp) return;
    if (long) this.#long = null;
    else this.#main = null;
    for (const query of [...this.#pending.values()].filter(q => q.long === long)) {
      this.#forget(query);
      query.done({ status: 'other' });
    }
  }

  #forget(query: Query): void {
    this.#pending.delete(query.id);
    this.#closeIdle();
  }

  #closeIdle(): void {
    if (this.#pending.size > 0) return;
    this.#main?.close();
    this.#long?.close();
    this.#main = this.#long = null;
  }
}
