/**
 * The resolution of one name: asked again and again while servers have it, or once for a rule (manual 5.3.2).
 *
 *   try:  ask all name servers ──► the first valid answer ──────────────────────────────► resolved
 *           ├─ all failed ──► the other address family, then the next try ─┬─► try again
 *           └─ timeout retry ──────────────► the next try ────────────────┘
 *                                              └─ resolve_retries are used up ──────────► failed
 */
import type { Resolvers } from '../config/server-model.ts';
import { hostText, sameAddress } from '../io/address.ts';
import { ANSWER_RECORDS_MAX } from '../limits.ts';
import { Timer } from '../time.ts';
import type { ResolverEnv } from './env.ts';
import type { Nameserver, Query } from './nameserver.ts';
import type { Answered, DnsRecord, Failure, QueryType } from './packet.ts';

/** What the last resolution came to. */
export type Status = 'none' | 'valid' | 'timeout' | Failure;

/** Who wants to know. */
export interface Requester {
  /** Called for each valid answer; `by` names the server it came from, once, then the cache. True = it changed something. */
  resolved(resolution: Resolution, by: string): boolean;
  failed(resolution: Resolution): void;
}

interface Kept<R> {
  record: R;
  /** The last answer that had it. */
  seenAt: number;
}

export const BY_CACHE = 'DNS cache';

/** What a resolution may know of its section. */
export interface Section {
  readonly config: Resolvers;
  readonly nameservers: readonly Nameserver[];
  /** The types to ask for, the preferred one first. */
  types(kind: 4 | 6 | 'service'): readonly QueryType[];
}

export class Resolution {
  readonly name: string;
  readonly kind: 4 | 6 | 'service';
  /** Servers that live by it: it is asked again and again while there are some. */
  readonly requesters = new Set<Requester>();
  status: Status = 'none';
  /** Which of the addresses a rule gets next. */
  turn = 0;
  /** When it last had a valid answer, or else when it began. */
  lastValidMs: number;
  readonly #env: ResolverEnv;
  readonly #section: Section;
  readonly #timer: Timer<Resolution>;
  /** Called once, when the resolution under way ends. */
  #waiting: (() => void)[] = [];
  #kept: Kept<DnsRecord>[] = [];
  #hosts: ReadonlySet<string> = new Set();
  #queries: [Nameserver, Query][] = [];
  #types: readonly QueryType[] = [];
  #type = 0;
  #tries = 0;
  #running = false;
  #startedMs = -Infinity;

  constructor(env: ResolverEnv, section: Section, name: string, kind: 4 | 6 | 'service') {
    this.#env = env;
    this.#section = section;
    this.name = name;
    this.kind = kind;
    this.lastValidMs = env.now();
    this.#timer = new Timer<Resolution>(this, resolution => resolution.#onTimer());
  }

  get records(): readonly DnsRecord[] {
    return this.#kept.map(({ record }) => record);
  }

  /** The addresses among the records, as text. */
  get hosts(): ReadonlySet<string> {
    return this.#hosts;
  }

  /** Its records can be used without asking. */
  get fresh(): boolean {
    return this.status === 'valid' && this.#env.now() - this.lastValidMs < this.#section.config.hold.validMs;
  }

  get idle(): boolean {
    return !this.#running && this.requesters.size === 0;
  }

  /** Asks for those who live by it, soon, unless that is under way. */
  startAfter(ms: number): void {
    if (!this.#running) this.#env.wheel.arm(this.#timer, this.#env.now() + ms);
  }

  /** Asks now, unless that is under way. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#startedMs = this.#env.now();
    this.#types = this.#section.types(this.kind);
    this.#tries = this.#section.config.retries;
    this.#type = 0;
    this.#ask();
  }

  /** Asks, and calls `done` when that has ended. */
  once(done: () => void): void {
    this.#waiting.push(done);
    this.start();
  }

  stop(): void {
    this.#env.wheel.forget(this.#timer);
    this.#giveUp(false);
    this.#running = false;
    this.#waiting = [];
  }

  #ask(): void {
    const { wheel } = this.#env;
    const question = { type: this.#types[this.#type]!, name: this.name };
    wheel.arm(this.#timer, this.#env.now() + this.#section.config.retryMs);
    for (const server of this.#section.nameservers) {
      const query = server.ask(question, answer => this.#answered(server, answer));
      if (query !== null) this.#queries.push([server, query]);
    }
  }

  #answered(server: Nameserver, answer: Answered): void {
    this.#queries = this.#queries.filter(([other]) => other !== server);
    if (answer.status === 'valid') {
      this.#giveUp(false);
      this.#keep(answer.records);
      this.#resolved(server);
    } else if (this.#queries.length === 0) this.#failed(answer.status);
  }

  /** What was not in this answer is kept for `hold obsolete`. */
  #keep(records: readonly DnsRecord[]): void {
    const now = this.#env.now();
    const { obsoleteMs } = this.#section.config.hold;
    const older = this.#kept.filter(
      ({ record, seenAt }) => now - seenAt < obsoleteMs && !records.some(other => sameRecord(record, other)),
    );
    this.#kept = [...records.map(record => ({ record, seenAt: now })), ...older].slice(0, ANSWER_RECORDS_MAX);
    this.#hosts = new Set(this.records.flatMap(r => (r.address === null ? [] : [hostText(r.address)])));
    this.lastValidMs = now;
  }

  #resolved(server: Nameserver): void {
    this.status = 'valid';
    let by = `${this.#section.config.name}/${server.config.name}`;
    let changed = false;
    for (const requester of [...this.requesters]) {
      changed = requester.resolved(this, by) || changed;
      by = BY_CACHE;
    }
    if (changed) server.count('update');
    this.#rest();
  }

  /** All servers have answered, none of them well: the last of their answers counts. */
  #failed(status: Failure): void {
    this.#type++;
    if (this.#type < this.#types.length) this.#ask();
    else {
      this.#type = 0;
      this.#again(status);
    }
  }

  #onTimer(): void {
    if (!this.#running) {
      if (this.requesters.size > 0) this.start();
      return;
    }
    this.#giveUp(true);
    this.#again('timeout');
  }

  #again(status: Failure | 'timeout') {
    this.#tries--;
    if (this.#tries > 0) return this.#ask();
    this.status = status;
    for (const requester of [...this.requesters]) requester.failed(this);
    this.#rest();
  }

  /** Until `timeout resolve` after the beginning, if anyone lives by it. */
  #rest(): void {
    this.#running = false;
    const { resolveMs } = this.#section.config;
    if (this.requesters.size > 0) this.#env.wheel.arm(this.#timer, this.#startedMs + resolveMs);
    else this.#env.wheel.forget(this.#timer);
    for (const done of this.#waiting.splice(0)) done();
  }

  #giveUp(late: boolean): void {
    for (const [server, query] of this.#queries.splice(0)) server.giveUp(query, late);
  }
}

/** How long ago a valid answer may be to make up for this status. Milliseconds. */
export function holdMs({ hold }: Resolvers, status: Status): number {
  if (status === 'nx') return hold.nxMs;
  if (status === 'refused') return hold.refusedMs;
  return status === 'timeout' ? hold.timeoutMs : hold.otherMs;
}

function sameRecord(a: DnsRecord, b: DnsRecord): boolean {
  if ('host' in a || 'host' in b) return 'host' in a && 'host' in b && a.host === b.host && a.port === b.port;
  return sameAddress(a.address, b.address);
}
