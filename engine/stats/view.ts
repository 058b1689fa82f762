/**
 * The view: what statistics read. It holds the model and the shared memory and looks at the words and rows where they
 * stand; no other thread is asked or stopped. A `Subject` says which thing is being looked at, and when.
 */
import type { DynamicCookies } from '../balance/dynamic-cookies.ts';
import { type Bind, isBackend, isFrontend, type Model, placings } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import type { Server } from '../config/server-model.ts';
import { hostText, isNowhere } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { CUM_LB, CUM_REQ } from '../shm/counters.ts';
import { type Merged, type Span, TIMERS } from '../shm/histogram.ts';
import { meanLoad } from '../shm/load.ts';
import type { Memory, RowKind, Topology } from '../shm/memory.ts';
import { rateMax, rateRead } from '../shm/rate.ts';
import { LiveAddress } from '../shm/server-address.ts';
import { CHECK_TEXT_BYTES, isGauge, PROCESS, PROXY, SERVER, WORKER } from '../shm/words.ts';
import type { Table } from '../stick/table.ts';

/** Which rows a column has a value in. */
export const F = 1;
export const B = 2;
export const S = 4;
export const L = 8;

/** What the process knows of itself and no memory holds. */
export interface Facts {
  readonly pid: number;
  readonly nbthread: number;
  /** Wall-clock milliseconds of the start. */
  readonly startWallMs: number;
  /** How long the start took until traffic was accepted. Milliseconds. */
  readonly bootMs: number;
  /** The host's name: the node, unless the configuration names it. */
  readonly hostName: string;
  readonly version: string;
  /** `YYYY/MM/DD`. */
  readonly releaseDate: string;
  /** The io in use: `uring` or `net`. */
  readonly ioName: string;
  readonly ulimitN: number;
  readonly maxsock: number;
  /** Warnings printed since the start. */
  readonly warnings: number;
}

/** One row of the statistics: a frontend, listener, server or backend, or the process. Reused from row to row. */
export class Subject {
  /** Milliseconds of the shared clock. */
  readonly now: number;
  /** Whether addresses, cookies and algorithms may be shown (`stats show-legends`, or a privileged socket). */
  readonly legends: boolean;
  /** Rows a format has written so far. */
  rows = 0;
  kind: RowKind = 'process';
  scope = 0;
  proxy!: Proxy;
  server: Server | null = null;
  bind: Bind | null = null;
  /** Its number in the memory's rows of its kind. */
  index = 0;
  /** Word offset of its struct. */
  at = 0;
  /** Of a server: word offset of the one whose checks it follows: its own, or at the end of a chain of `track`. */
  checkedAt = 0;
  /** Percentiles of its timers, PERCENTILES and the maximum each, microseconds; those that were read have their bit set. */
  readonly percentiles = new Float64Array(TIMERS.length * (PERCENTILES.length + 1));
  percentilesRead = 0;

  constructor(now: number, legends: boolean) {
    this.now = now;
    this.legends = legends;
  }
}

/** What is told of each timer, besides its maximum. */
export const PERCENTILES = [50, 90, 95, 99, 99.9] as const;

/** The averages are taken over this many streams at most, in each worker. */
const TIME_WINDOW = 512;
const NONE: readonly never[] = [];
const utf8 = new TextDecoder();

export class View {
  readonly model: Model;
  readonly memory: Memory;
  readonly topology: Topology;
  readonly facts: Facts;
  /** Names of servers in persistence cookies, once this thread follows their changes. */
  dynamicCookies: DynamicCookies | null = null;
  /** Peers that are connected, and those of them that talk with us: only the thread that serves them knows. */
  peers: { readonly connected: number; readonly active: number } = { connected: 0, active: 0 };
  /** The stick tables, as far as statistics look at them. */
  readonly tables: readonly Pick<Table, 'spec' | 'used'>[];
  /** All name servers, by their numbers in the memory. */
  readonly nameservers: readonly { readonly section: string; readonly name: string }[];
  /** `fullconn` of each proxy as it is in force, as long as no backend is added or deleted. */
  #fullconn: Float64Array | null = null;
  #placings = 0;
  readonly #addresses = new WeakMap<Address, string>();
  /** Where servers are now, by their number; made when first asked for. */
  readonly #live: LiveAddress[] = [];
  /** Scratch: where the rows of one rate stand, worker by worker. */
  readonly #rows: Int32Array;
  readonly #text = new Int32Array(CHECK_TEXT_BYTES / 4);
  readonly #merged: Merged;

  constructor(model: Model, memory: Memory, topology: Topology, facts: Facts, tables: View['tables'] = []) {
    this.model = model;
    this.memory = memory;
    this.topology = topology;
    this.facts = facts;
    this.tables = tables;
    this.nameservers = model.resolvers.flatMap(({ name: section, nameservers }) => {
      return nameservers.map(({ name }) => ({ section, name }));
    });
    this.#rows = new Int32Array(memory.shape.workers);
    this.#merged = memory.histograms.merged();
  }

  // --- moving a subject ---

  frontend(s: Subject, proxy: Proxy): Subject {
    return this.#move(s, 'frontend', F, proxy, proxy.index, this.memory.proxy(proxy.index));
  }

  backend(s: Subject, proxy: Proxy): Subject {
    return this.#move(s, 'backend', B, proxy, proxy.index, this.memory.proxy(proxy.index));
  }

  listener(s: Subject, proxy: Proxy, nth: number): Subject {
    const index = this.topology.firstListener[proxy.index]! + nth;
    this.#move(s, 'listener', L, proxy, index, this.memory.listener(index));
    s.bind = proxy.binds[nth]!;
    return s;
  }

  server(s: Subject, proxy: Proxy, nth: number): Subject {
    const index = this.topology.firstServer[proxy.index]! + nth;
    this.#move(s, 'server', S, proxy, index, this.memory.server(index));
    s.server = proxy.servers[nth]!;
    s.checkedAt = this.#checkedAt(s.server, s.at);
    return s;
  }

  #tracked({ track }: Server): Server | null {
    return track === null ? null : this.model.proxies[track.proxy]!.servers[track.server]!;
  }

  #checkedAt(server: Server, own: number): number {
    const tracked = this.#tracked(server);
    if (tracked === null) return own;
    const { proxy, server: nth } = server.track!;
    return this.#checkedAt(tracked, this.memory.server(this.topology.firstServer[proxy]! + nth));
  }

  /** True when traffic of the server, or of the one that it tracks, is observed. */
  observes(s: Subject): boolean {
    let server = s.server!;
    for (let next = this.#tracked(server); next !== null; next = this.#tracked(server)) server = next;
    return server.observe !== null;
  }

  #move(s: Subject, kind: RowKind, scope: number, proxy: Proxy, index: number, at: number): Subject {
    s.kind = kind;
    s.scope = scope;
    s.proxy = proxy;
    s.index = index;
    s.at = at;
    s.server = null;
    s.bind = null;
    s.percentilesRead = 0;
    return s;
  }

  // --- reading ---

  /** One counter of the subject, summed over all workers. */
  sum(s: Subject, field: number): number {
    return this.memory.sum(s.kind, s.index, field);
  }

  max(s: Subject, field: number): number {
    return this.memory.max(s.kind, s.index, field);
  }

  /** One shared word of the subject. */
  word(s: Subject, field: number): number {
    const own = Atomics.load(this.memory.words, s.at + field);
    return this.memory.past.length > 0 && isGauge(s.kind, field) ? own + this.#before(s.kind, s.index, field) : own;
  }

  /** What there is of it in earlier generations. */
  #before(kind: RowKind, index: number, field: number): number {
    return this.memory.past.reduce((sum, past) => sum + past.gauge(kind, index, field), 0);
  }

  /** The same of the server whose checks it follows. */
  checkedWord(s: Subject, field: number): number {
    return Atomics.load(this.memory.words, s.checkedAt + field);
  }

  process(field: keyof typeof PROCESS.at): number {
    const own = Atomics.load(this.memory.words, this.memory.process + PROCESS.at[field]);
    return isGauge('process', PROCESS.at[field]) ? own + this.#before('process', 0, PROCESS.at[field]) : own;
  }

  /** Events per second of all workers together. */
  rate(s: Subject, field: number): number {
    let sum = rateRead(this.memory.counters, this.#rateRows(s, field), s.now);
    for (const { memory, index } of this.#earlier(s)) {
      sum += rateRead(memory.counters, memory.rows(s.kind, index, field), s.now);
    }
    return sum;
  }

  rateMax(s: Subject, field: number): number {
    let max = Math.max(this.rate(s, field), rateMax(this.memory.counters, this.#rateRows(s, field), s.now));
    for (const { memory, index } of this.#earlier(s)) {
      max = Math.max(max, rateMax(memory.counters, memory.rows(s.kind, index, field), s.now));
    }
    return max;
  }

  /** The subject in the memories of earlier generations. */
  #earlier(s: Subject): readonly { readonly memory: Memory; readonly index: number }[] {
    const { past } = this.memory;
    if (past.length === 0) return NONE;
    return past.map(p => ({ memory: p.memory, index: p.find(s.kind, s.index) })).filter(({ index }) => index >= 0);
  }

  #rateRows(s: Subject, field: number): Int32Array {
    for (let w = 0; w < this.#rows.length; w++) this.#rows[w] = this.memory.row(w, s.kind, s.index) + field;
    return this.#rows;
  }

  /** Average milliseconds over the windows of all workers, each counting as much as it has filled; rounded up. */
  average(s: Subject, field: number): number {
    const cumulated = s.proxy.mode === 'http' ? CUM_REQ : CUM_LB;
    let sum = 0;
    let streams = 0;
    for (const { memory, index } of [{ memory: this.memory, index: s.index }, ...this.#earlier(s)]) {
      for (let w = 0; w < memory.shape.workers; w++) {
        const row = memory.row(w, s.kind, index);
        sum += memory.counters[row + field]!;
        streams += Math.max(0, Math.min(memory.counters[row + cumulated]!, TIME_WINDOW));
      }
    }
    return streams === 0 ? 0 : Math.ceil(sum / streams);
  }

  /** The times of one timer of the subject, of all workers; without times when it has none. Lent until the next call. */
  times(s: Subject, timer: number, span: Span): Merged {
    this.memory.histograms.read(this.memory.timedRow(s.kind, s.index), timer, span, s.now, this.#merged);
    for (const { memory, index } of this.#earlier(s)) {
      memory.histograms.add(memory.timedRow(s.kind, index), timer, span, s.now, this.#merged);
    }
    return this.#merged;
  }

  /** The `nth` of PERCENTILES (after the last: the maximum) over the rolling window. Microseconds; -1 = no times. */
  percentile(s: Subject, timer: number, nth: number): number {
    const from = timer * (PERCENTILES.length + 1);
    if (s.percentilesRead === 0 && !this.#timed(s)) {
      s.percentiles.fill(-1);
      s.percentilesRead = (1 << TIMERS.length) - 1;
    }
    if (!(s.percentilesRead & (1 << timer))) {
      s.percentilesRead |= 1 << timer;
      const merged = this.times(s, timer, 'window');
      if (merged.total > 0) merged.percentiles(PERCENTILES, s.percentiles, from);
      s.percentiles[from + PERCENTILES.length] = merged.total > 0 ? merged.max : -1;
    }
    return s.percentiles[from + PERCENTILES.length]! < 0 ? -1 : s.percentiles[from + nth]!;
  }

  /** Whether it has times at all. */
  #timed(s: Subject): boolean {
    const used = (memory: Memory, index: number) => memory.histograms.used(memory.timedRow(s.kind, index));
    return used(this.memory, s.index) || this.#earlier(s).some(({ memory, index }) => used(memory, index));
  }

  /** Seconds from a second of the shared clock until now. */
  since(s: Subject, second: number): number {
    return Math.max(0, Math.floor(s.now / 1000) - second);
  }

  /** A second of the shared clock as the wall clock has it: milliseconds. */
  wallMs(second: number): number {
    return this.facts.startWallMs + (second - this.process('start_second')) * 1000;
  }

  /** Percent of the last second that the workers were idle. */
  get idlePercent(): number {
    return 100 - meanLoad(this.memory);
  }

  /** Streams open in all workers. */
  get streams(): number {
    let sum = 0;
    for (let w = 0; w < this.memory.shape.workers; w++) sum += this.worker(w, 'streams');
    return sum;
  }

  worker(index: number, field: keyof typeof WORKER.at): number {
    return Atomics.load(this.memory.words, this.memory.worker(index) + WORKER.at[field]);
  }

  /** One word of a server of the subject's proxy. */
  serverWord(proxy: Proxy, nth: number, field: number): number {
    return Atomics.load(this.memory.words, this.memory.server(this.topology.firstServer[proxy.index]! + nth) + field);
  }

  /**
   * The sum of what `weigh` gives for the servers that may take traffic: the active ones, or without any the backups: the
   * first, or all with `option allbackups`.
   */
  totalWeight(proxy: Proxy, weigh: (nth: number) => number): number {
    let active = 0;
    let backup = 0;
    for (const server of proxy.servers) {
      if (this.serverWord(proxy, server.index, SERVER.at.eweight) === 0) continue;
      const weight = weigh(server.index);
      if (!server.backup) active += weight;
      else if (proxy.options.allbackups || backup === 0) backup += weight;
    }
    return active > 0 ? active : backup;
  }

  /** What the last check or agent check said. '' = nothing, or its writer never left it alone. */
  checkText(s: Subject, kind: 'check' | 'agent'): string {
    const { words } = this.memory;
    const seq = s.at + SERVER.at[`${kind}_seq`];
    for (let tries = 0; tries < 8; tries++) {
      const before = Atomics.load(words, seq);
      if (before & 1) continue;
      const length = Math.min(Math.max(0, this.word(s, SERVER.at[`${kind}_text_len`])), CHECK_TEXT_BYTES);
      if (length === 0) return '';
      const at = s.at + SERVER.at[`${kind}_text`];
      for (let i = 0; i * 4 < length; i++) this.#text[i] = Atomics.load(words, at + i);
      if (Atomics.load(words, seq) === before) return utf8.decode(new Uint8Array(this.#text.buffer, 0, length));
    }
    return '';
  }

  /** `fullconn` of a backend, as it is in force. */
  fullconn(proxy: Proxy): number {
    if (this.#fullconn === null || this.#placings !== placings()) {
      this.#fullconn = Float64Array.from(this.model.proxies, other => this.#fullconnOf(other));
      this.#placings = placings();
    }
    return this.#fullconn[proxy.index]!;
  }

  /** Connection limit of a frontend in force: its own, or the process's. */
  frontendLimit(s: Subject): number {
    return this.word(s, PROXY.at.fe_maxconn) || this.process('maxconn');
  }

  /** `127.0.0.1:80`, `[::1]:80`, `unix`; nothing for no address. Made once for each address. */
  address(address: Address): string {
    let text = this.#addresses.get(address);
    if (text === undefined) {
      const host = hostText(address);
      text = isNowhere(address)
        ? ''
        : address.family === 1
          ? 'unix'
          : `${address.family === 6 ? `[${host}]` : host}:${address.port}`;
      this.#addresses.set(address, text);
    }
    return text;
  }

  /** The address of the subject, a server, as it is now. */
  serverAddress(s: Subject): Address {
    let live = this.#live[s.index];
    // A server that was added may have the place of one that was deleted.
    if (live?.server !== s.server) this.#live[s.index] = live = new LiveAddress(this.memory, s.index, s.server!);
    return live!.address;
  }

  /** 10 % of the connections that the frontends which may come here can bring, as HAProxy computes. */
  #fullconnOf(proxy: Proxy): number {
    if (proxy.fullconn > 0 || !isBackend(proxy)) return proxy.fullconn;
    let connections = 0;
    for (const frontend of this.model.proxies) {
      if (!isFrontend(frontend) || frontend.disabled) continue;
      const limit = frontend.maxconn || this.model.global.maxconn;
      if (frontend.defaultBackend === proxy.index) connections += limit;
      for (const rule of frontend.useBackend) if (rule.backend === proxy.index) connections += limit;
    }
    return Math.max(1, Math.floor((connections + 9) / 10));
  }
}

export function createView(parts: { model: Model; memory: Memory; topology: Topology; facts: Facts }): View {
  return new View(parts.model, parts.memory, parts.topology, parts.facts);
}
