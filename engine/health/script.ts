/**
 * Does the steps of a check over the io contract, one check at a time.
 *
 *   start ──► connect ──onOpen──► send, request ──► expect ──onData, onEnd──► next step ... ──► done(verdict)
 *
 * `connect` closes the connection before it; what was received counts since the last step that sent something.
 */
import type { CheckStep, ConnectStep } from '../config/check-model.ts';
import { connectOptions } from '../io/connect-options.ts';
import type { Address, Chunk, Conn, ConnectOptions, Handler, Io } from '../io/contract.ts';
import { connectThrough, type SocksNews } from '../io/socks4.ts';
import { CONNECTION_ERRORS, handshakeError } from '../proxy/connection-errors.ts';
import { proxyHeader } from '../proxy/proxy-protocol.ts';
import type { Outside } from '../sample/outside.ts';
import { portsOf } from '../shm/source-ports.ts';
import { OPER_STOPPED } from '../shm/words.ts';
import { Timer, type TimerWheel } from '../time.ts';
import { connectTls, TlsConn } from '../tls/conn.ts';
import type { TlsConnection } from '../tls/connection.ts';
import type { TlsContext } from '../tls/context.ts';
import type { TlsEnd } from '../tls/end.ts';
import type { TlsServer } from '../tls/server.ts';
import { type Answer, judge, request, success, whereabouts } from './check.ts';
import { errnoText, socksText } from './errnos.ts';
import type { Deed, Plan } from './plan.ts';
import { CheckResponse } from './response.ts';
import { Sight } from './sight.ts';
import { stateHeader } from './state-header.ts';
import {
  CHECK_STATUSES,
  L4CON,
  L4TOUT,
  L6RSP,
  L6TOUT,
  L7RSP,
  L7TOUT,
  SOCKERR,
  statusNamed,
  type Verdict,
  verdict,
} from './statuses.ts';
import { type StateEnv, serverWord, type Target } from './target.ts';

export interface CheckEnv extends StateEnv {
  /** What expressions of checks may ask for. */
  readonly outside: Outside;
  readonly io: Io;
  readonly wheel: TimerWheel;
  /** 0 <= random() < 1: the spread of `spread-checks`. */
  random(): number;
  /** Nobody answers there: the server may have moved. */
  suspect?(target: Target): void;
}

/** Something that checks a server once each time it is started. */
export interface Probe {
  start(): void;
  /** Ends the check under way, if there is one; it has no result. */
  stop(): void;
}

/** Where a script connects to unless its steps say otherwise, and how long it may take. */
export interface Reach {
  /** Asked at each check: it may change while we run. */
  readonly address: () => Address;
  readonly sendProxy: boolean;
  readonly viaSocks4: boolean;
  /** Null = without TLS. `always`: not only in steps that say so. */
  readonly tls: TlsServer | null;
  readonly always: boolean;
  readonly interMs: number;
}

/** HAProxy's words. */
const INCOMPLETE_LINE = 'Ignoring incomplete line from agent';

export class Script implements Probe, Handler, TlsEnd {
  readonly #env: CheckEnv;
  readonly #target: Target;
  readonly #plan: Plan;
  readonly #reach: Reach;
  readonly #done: (found: Verdict) => void;
  readonly #timer: Timer<Script>;
  readonly #options: ConnectOptions;
  readonly #sight: Sight;
  #conn: Conn | null = null;
  #response: CheckResponse;
  /** The step under way; -1 = none. */
  #at = -1;
  #connecting = false;
  /** TCP is connected, and TLS is under way. */
  #shaking = false;
  /** What the SOCKS proxy has said so far. */
  #socks: SocksNews | null = null;
  #ended = false;
  /** Nothing came since something was sent. */
  #unheard = false;

  constructor(env: CheckEnv, target: Target, plan: Plan, reach: Reach, done: (found: Verdict) => void) {
    this.#env = env;
    this.#target = target;
    this.#plan = plan;
    this.#reach = reach;
    this.#done = done;
    this.#timer = new Timer<Script>(this, script => script.#expire());
    const ports = portsOf(env.memory, target.server, env.memory.shape.workers);
    this.#options = connectOptions(target.server, target.proxy, env.model.global.tune, ports);
    this.#sight = new Sight(target, plan.check, env.outside);
    this.#response = this.#nothing();
  }

  start(): void {
    this.#leave(false);
    this.#sight.begin();
    this.#at = 0;
    this.#env.wheel.arm(this.#timer, this.#env.now() + this.#reach.interMs);
    this.#go();
  }

  stop(): void {
    this.#env.wheel.forget(this.#timer);
    this.#at = -1;
    this.#leave(false);
  }

  onOpen(conn: Conn): void {
    if (conn !== this.#conn || !this.#connecting) return;
    this.#connecting = false;
    const { checkMs } = this.#target.proxy.timeouts;
    if (checkMs > 0) this.#env.wheel.arm(this.#timer, this.#env.now() + checkMs);
    this.#shaking = false;
    // The last word of a handshake is ours. Before TLS the header was sent already.
    if (conn instanceof TlsConn) this.#unheard = true;
    else if (this.#introduces()) this.#send(this.#header(conn));
    this.#next();
  }

  #introduces(): boolean {
    const step = this.#step as ConnectStep;
    return step.sendProxy || (step.asServer && this.#reach.sendProxy);
  }

  // --- the TLS connection asks ---

  readonly client = true;

  context(): TlsContext {
    return this.#reach.tls!.context();
  }

  prepare(tls: TlsConnection, under: Conn): void {
    this.#shaking = true;
    if (this.#introduces()) {
      const header = this.#header(under);
      under.send(header, 0, header.length);
    }
    const { asServer, sni, alpn } = this.#step as ConnectStep;
    const server = this.#reach.tls!;
    server.prepare(tls, sni === '' && asServer ? (server.settings.sniName ?? '') : sni, alpn);
  }

  onData(conn: Conn, chunk: Chunk): void {
    if (conn !== this.#conn || this.#connecting) return;
    this.#unheard = false;
    this.#response.feed(chunk.bytes, chunk.start, chunk.end);
    this.#go();
  }

  onEnd(conn: Conn): void {
    if (conn !== this.#conn) return;
    this.#ended = true;
    this.#go();
  }

  onDrain(): void {}

  onClose(conn: Conn, errno: number): void {
    if (conn !== this.#conn) return;
    this.#conn = null;
    this.#ended = true;
    if (this.#at < 0) return;
    if (errno === 0 && !this.#connecting) this.#go();
    else if (this.#shaking) this.#finish(verdict(L6RSP, handshakeText(conn) + this.#whereabouts()));
    else {
      const through = this.#connecting ? this.#socks : null;
      const text = through === null ? errnoText(errno) : socksText(through, errno);
      this.#finish(verdict(this.#connecting && through === null ? L4CON : SOCKERR, text + this.#whereabouts()));
    }
  }

  get #step(): CheckStep {
    return this.#plan.check.steps[this.#at]!;
  }

  /** A response of which nothing has come yet. */
  #nothing(): CheckResponse {
    const response = new CheckResponse(this.#env.model.global.tune.bufsizeBytes);
    this.#sight.look(response);
    return response;
  }

  #whereabouts(): string {
    return whereabouts(this.#plan.check, this.#at);
  }

  #next(): void {
    this.#at++;
    this.#go();
  }

  /** Does steps until one has to wait. */
  #go(): void {
    while (this.#at >= 0 && !this.#connecting && this.#do()) this.#at++;
  }

  /** Does one step. False when it has to wait, or when the check is over. */
  #do(): boolean {
    const { check } = this.#plan;
    if (this.#at === check.steps.length) {
      this.#finish(success(this.#plan, this.#answer()));
      return false;
    }
    const step = this.#step;
    if (step.kind === 'connect') {
      this.#connect(step);
      return false;
    }
    if (step.kind === 'expect') {
      const found = judge(this.#plan, this.#at, this.#answer());
      if (found !== 'good' && found !== 'more') this.#finish(found);
      return found === 'good';
    }
    return this.#say(this.#plan.deeds[this.#at]!);
  }

  /** Sends something, or sets a variable. False when there is nothing to be sent: the check is over. */
  #say(deed: Deed): boolean {
    const { at } = this.#sight;
    if (deed.kind === 'variable') {
      deed.run(at);
      return true;
    }
    const bytes = deed.kind === 'send' ? deed.bytes(at) : deed.kind === 'request' ? this.#request(deed) : null;
    if (bytes === null) {
      this.#finish(verdict(L7RSP, `tcp-check send : failed to build log-format string at step ${this.#step.id}`));
      return false;
    }
    this.#response = this.#nothing();
    this.#send(bytes);
    return true;
  }

  #request(deed: Deed & { kind: 'request' }): Uint8Array {
    return request(deed.request(this.#sight.at), this.#state());
  }

  /** `check-send-proxy`: version 2 says LOCAL (we speak for ourselves), version 1 has no such word and tells our own address. */
  #header(conn: Conn): Uint8Array {
    const { sendProxy } = this.#target.server;
    if (sendProxy !== 2) return proxyHeader(1, conn.local(), conn.peer());
    const local = !this.#env.model.global.pp2NeverSendLocal;
    return local ? proxyHeader(2, null, null) : proxyHeader(2, conn.local(), conn.peer());
  }

  #answer(): Answer {
    const stopped = serverWord(this.#env.memory, this.#target, 'oper') === OPER_STOPPED;
    const tls = this.#conn instanceof TlsConn;
    return { response: this.#response, ended: this.#ended, stopped, tls, at: this.#sight.at };
  }

  #state(): string {
    return this.#plan.check.sendState ? stateHeader(this.#env, this.#target) : '';
  }

  #connect(step: ConnectStep): void {
    const { io, wheel } = this.#env;
    this.#leave(this.#lingers());
    this.#response = this.#nothing();
    this.#ended = false;
    this.#connecting = true;
    this.#shaking = false;
    this.#socks = null;
    this.#unheard = false;
    const { checkMs, connectMs } = this.#target.proxy.timeouts;
    const limit = checkMs > 0 && connectMs > 0 ? Math.min(connectMs, this.#reach.interMs) : this.#reach.interMs;
    wheel.arm(this.#timer, this.#env.now() + limit);
    const own = this.#reach.address();
    const { family, bytes, port } = step.address ?? own;
    const address = { family, bytes, port: step.port || port || own.port };
    const { socks4 } = this.#target.server;
    const through = step.viaSocks4 || (step.asServer && this.#reach.viaSocks4) ? socks4 : null;
    // A check that only connects leaves no trace in the server; where the server speaks first, it must know of us.
    const delayAck = this.#plan.check.steps[this.#at + 1]?.kind !== 'expect';
    const options = { ...this.#options, delayAck };
    const tell = (news: SocksNews): void => {
      this.#socks = news;
    };
    const connect = (handler: Handler) => connectThrough(io, through, address, options, handler, tell);
    const secret = this.#reach.tls !== null && (step.tls || (step.asServer && this.#reach.always));
    this.#conn = secret ? connectTls(io, this, this, connect) : connect(this);
  }

  #send(bytes: Uint8Array): void {
    this.#unheard = true;
    this.#conn?.send(bytes, 0, bytes.length);
  }

  #expire(): void {
    if (this.#at < 0) return;
    const step = this.#step;
    const own = step.kind === 'expect' ? step.toutStatus : '';
    const layer = this.#shaking ? L6TOUT : L4TOUT;
    // The connection to a SOCKS proxy is one for HAProxy.
    const connecting = this.#connecting && (this.#shaking || this.#socks === null);
    const status = connecting ? layer : own === '' ? L7TOUT : statusNamed(own);
    this.#finish(verdict(status, this.#cutShort() ? INCOMPLETE_LINE : this.#whereabouts()));
  }

  /** An agent has left in the middle of its line. */
  #cutShort(): boolean {
    return this.#plan.check.type === 'agent' && this.#ended && this.#response.text !== '';
  }

  #finish(found: Verdict): void {
    this.#env.wheel.disarm(this.#timer);
    // What was sent last must still leave: `tcp-check send`, a PROXY header.
    this.#leave(this.#lingers() || (this.#unheard && CHECK_STATUSES[found.status]!.result === 'passed'));
    this.#at = -1;
    this.#connecting = false;
    this.#done(found);
  }

  /** The connection was opened by a step that asks for an orderly end. */
  #lingers(): boolean {
    const done = this.#plan.check.steps.slice(0, Math.max(0, this.#at));
    const step = done.findLast(({ kind }) => kind === 'connect');
    return step?.kind === 'connect' && step.linger;
  }

  /** Lets go of the connection; what comes of it later is not ours. A reset keeps the port free of TIME_WAIT. */
  #leave(orderly: boolean): void {
    const conn = this.#conn;
    this.#conn = null;
    if (orderly) conn?.close();
    else conn?.abort(true);
  }
}

function handshakeText(conn: Conn): string {
  return CONNECTION_ERRORS[handshakeError(conn instanceof TlsConn ? conn.tls : null)]!.message;
}
