/**
 * A session: one connection of a client, from accept to close. It holds what is true for all its streams: where the
 * client comes from, which listener took it, the client's time-out, its share of the gauges.
 */

import type { Address, Conn } from '../io/contract.ts';
import { isOpen } from '../io/namespaces.ts';
import { SPARE_STREAMS_MAX } from '../limits.ts';
import type { OwnStore } from '../sample/vars.ts';
import { CUM_SESS, CUR_SESS } from '../shm/counters.ts';
import { rateAdd } from '../shm/rate.ts';
import { LISTENER, PROCESS, PROXY } from '../shm/words.ts';
import { countEvent, endTracking, NOTHING_TRACKED, newTracked, SESSION, type Tracked } from '../stick/tracking.ts';
import { Timer } from '../time.ts';
import { Http1Client } from './http1-client.ts';
import type { Http1Server } from './http1-server.ts';
import { resumeListeners } from './listener.ts';
import type { Context, Frontend, Listener, Server } from './nouns.ts';
import { closeOwn, NO_CONNECTIONS } from './own-connections.ts';
import { type Preamble, PreambleReader } from './preamble.ts';
import { TLV, valuesOf } from './proxy-fields.ts';
import { RawClient } from './raw.ts';
import { mayConnect, mayStart } from './session-rules.ts';
import type { Stream } from './stream.ts';
import { TlsHandshake } from './tls-handshake.ts';

/** What reads and writes the client's connection now. */
export interface SessionDriver {
  /** Its stream now, which may be over already (kill.ts); null = none. */
  stream(): Stream | null;
  /** The client's time-out ran out. */
  onTimeout(): void;
  /** Soft stop: end if the session is due and nothing came since `before` (ms of the io clock). Called again and again. */
  onStop(before: number): void;
}

/** Who talks with whom, as rules tell it. */
interface Ends {
  source: Address | null;
  destination: Address | null;
}

export class Session {
  readonly context: Context;
  readonly listener: Listener;
  readonly frontend: Frontend;
  /** The client's connection: with TLS the one that gives plaintext. */
  conn: Conn;
  /** ms of the io clock. */
  readonly acceptedAt: number;
  /** Which one it is of this worker, from 1 on. */
  readonly number: number;
  readonly #timer: Timer<Session>;
  driver: SessionDriver | null = null;
  /** Its neighbours in `context.sessions`. */
  older: Session | null = null;
  newer: Session | null = null;
  /** Variables of scope `sess`; null = none was set. */
  vars: OwnStore | null = null;
  /** What it tracks in stick tables. */
  tracked: readonly Tracked[] = NOTHING_TRACKED;
  /** Headers that come first: the bind line or a rule says so. */
  preambles: readonly Preamble[];
  #preamblesRead = 0;
  /** What that told beside addresses (proxy-fields.ts); null = nothing. */
  proxyFields: Uint8Array | null = null;
  /** What went wrong with the connection (connection-errors.ts); 0 = nothing. */
  error = 0;
  /** The transport is ready and the frontend's protocol is spoken. */
  started = false;
  /** Addresses told by a rule, for the session or for the stream it has now. */
  #overrides: Ends | null = null;
  #streamOverrides: Ends | null = null;
  /** Addresses told by a PROXY header, instead of the connection's own. */
  #source: Address | null = null;
  #destination: Address | null = null;
  #open = true;
  /** The server of the last request; `option prefer-last-server` leads there again. null = none. */
  lastServer: Server | null = null;
  /** Idle server connections that belong to this client: own-connections.ts. */
  own: readonly Http1Server[] = NO_CONNECTIONS;

  constructor(context: Context, listener: Listener, conn: Conn) {
    this.context = context;
    this.listener = listener;
    this.frontend = listener.frontend;
    this.conn = conn;
    this.acceptedAt = context.io.now();
    this.number = ++context.begunSessions;
    this.#timer = new Timer<Session>(this, expire);
    context.sessions.add(this);
    this.preambles = listener.preambles;
    if (mayConnect(this)) this.begin();
  }

  /** The first bytes belong to headers of proxies, the next ones to TLS, where the bind line says so. */
  begin(): void {
    const preamble = this.preambles[this.#preamblesRead];
    if (preamble !== undefined) {
      this.#preamblesRead++;
      new PreambleReader(this, preamble);
    } else if (this.listener.tls === null) this.start();
    else new TlsHandshake(this);
  }

  /** The transport is ready: speak the frontend's protocol. */
  start(): void {
    if (!mayStart(this)) return;
    countSession(this.context, this.listener);
    countEvent(this.tracked, NOTHING_TRACKED, SESSION, this.context.io.now());
    if (this.frontend.proxy.mode === 'http') new Http1Client(this);
    else new RawClient(this);
  }

  /** The network namespace of the client: what a PROXY header says, where we know it, else that of the listener. '' = our own. */
  get namespace(): string {
    const told = this.proxyFields === null ? undefined : valuesOf(this.proxyFields, TLV.NETNS)[0];
    const name = told === undefined ? '' : Buffer.from(told).toString();
    return name !== '' && isOpen(name) ? name : this.listener.bind.namespace;
  }

  /** The client's address; null for a unix socket without a name. */
  source(): Address | null {
    return this.#streamOverrides?.source ?? this.#overrides?.source ?? this.#source ?? this.conn.peer();
  }

  /** The address the client connected to. */
  destination(): Address | null {
    return this.#streamOverrides?.destination ?? this.#overrides?.destination ?? this.#destination ?? this.conn.local();
  }

  /** `set-src`, `set-dst`: what `source` or `destination` gives from now on; `stream`: until the next stream begins. */
  override(end: 'source' | 'destination', address: Address, stream: boolean): void {
    if (stream) this.#streamOverrides ??= { source: null, destination: null };
    else this.#overrides ??= { source: null, destination: null };
    const overrides = stream ? this.#streamOverrides : this.#overrides;
    overrides![end] = address;
  }

  forgetOverrides(): void {
    this.#streamOverrides = null;
  }

  setAddresses(source: Address, destination: Address): void {
    this.#source = source;
    this.#destination = destination;
  }

  /** Its counters, to track something with. */
  counters(): readonly Tracked[] {
    const { spareTracked, model } = this.context;
    if (this.tracked === NOTHING_TRACKED) {
      this.tracked = spareTracked.pop() ?? newTracked(model.global.tune.stickCounters);
    }
    return this.tracked;
  }

  /** Arms the client's time-out, `ms` from now; 0 = none. */
  wait(ms: number): void {
    this.context.wheel.arm(this.#timer, ms === 0 ? Infinity : this.context.io.now() + ms);
  }

  /** The worker stops: this connection is to end after the exchange that it is in. */
  get mustEnd(): boolean {
    const { stopping } = this.context;
    return stopping?.isDue(this) ?? false;
  }

  /** The client's time-out has run out, or does so now. */
  late(): boolean {
    return this.#timer.deadline <= this.context.io.now();
  }

  #endTracking(): void {
    if (this.tracked === NOTHING_TRACKED) return;
    const { spareTracked, io } = this.context;
    endTracking(this.tracked, io.now());
    if (spareTracked.length < SPARE_STREAMS_MAX) spareTracked.push(this.tracked);
    this.tracked = NOTHING_TRACKED;
  }

  /** The connection is gone: gives back what it held. Called once, by the driver's onClose. */
  closed(): void {
    if (!this.#open) return;
    this.#open = false;
    this.context.wheel.forget(this.#timer);
    this.context.sessions.delete(this);
    closeOwn(this);
    this.#endTracking();
    leave(this.context, this.listener);
    this.context.stopping?.look();
  }
}

/** A connection becomes a session once its PROXY header, if there must be one, has come. */
function countSession(context: Context, listener: Listener): void {
  const { counters, worker, io } = context;
  const { frontend } = listener;
  counters[context.row + CUM_SESS]! += 1;
  counters[frontend.row + CUM_SESS]! += 1;
  counters[listener.row + CUM_SESS]! += 1;
  rateAdd(counters, context.sessRate, context.sessRate[worker]!, io.now(), 1);
  rateAdd(counters, frontend.sessRate, frontend.sessRate[worker]!, io.now(), 1);
}

function expire(session: Session): void {
  session.driver?.onTimeout();
}

/** Gives back one connection's places at listener, frontend and process, and lets waiting ones in. */
export function leave(context: Context, listener: Listener): void {
  const { words, counters } = context;
  const { frontend } = listener;
  counters[context.row + CUR_SESS]! -= 1;
  Atomics.sub(words, context.at + PROCESS.at.conns, 1);
  counters[frontend.row + CUR_SESS]! -= 1;
  Atomics.sub(words, frontend.at + PROXY.at.fe_conns, 1);
  counters[listener.row + CUR_SESS]! -= 1;
  Atomics.sub(words, listener.at + LISTENER.at.conns, 1);
  resumeListeners(context, frontend);
}
