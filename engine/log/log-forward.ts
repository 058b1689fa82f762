/**
 * `log-forward` sections (manual 12.6), in the control thread: lines that others send go on to the section's log targets.
 *
 *     UDP datagram ──────────┐
 *     TCP stream ─► framing ─┴─► message and its parts ─┬─► header of target 1, text ─► sink
 *                                                       └─► header of target 2, text ─► sink
 *
 * Each line goes on as it comes or is lost, as all log lines do: senders are never made to wait.
 */
import type { LogForward } from '../config/log-model.ts';
import type { Bind, Model } from '../config/model.ts';
import type { Conn, Io, Listening } from '../io/contract.ts';
import { receiveDatagrams } from '../io/datagram.ts';
import { ipText } from '../io/ip.ts';
import { ACCEPT_BURST, LOG_HEADER_BYTES_MAX, LOG_MESSAGE_BYTES_MAX } from '../limits.ts';
import type { Outside } from '../sample/outside.ts';
import type { Memory } from '../shm/memory.ts';
import { PROCESS } from '../shm/words.ts';
import type { TimerWheel } from '../time.ts';
import { acceptOver, bindEnd } from '../tls/ends.ts';
import { tlsStore } from '../tls/store.ts';
import { Dates } from './dates.ts';
import { bytesOf, Line } from './line.ts';
import { LogSender } from './log-sender.ts';
import { Received } from './received.ts';
import { type Relay, writeHeader } from './relayed.ts';
import type { LogFacts } from './scene.ts';
import type { Sinks } from './sinks.ts';
import { openTargets, type Target } from './target.ts';

interface LogForwardEnv {
  readonly model: Model;
  readonly memory: Memory;
  readonly io: Io;
  readonly wheel: TimerWheel;
  readonly facts: LogFacts;
  /** Wall-clock milliseconds since the epoch. */
  readonly wall: () => number;
  readonly sinks: Sinks;
  readonly outside: Outside;
}

/** A socket, which `startLogForwards` owns from now on, and the section (its index) that it is for. */
interface LogForwardSocket {
  readonly fd: number;
  readonly bind: Bind;
  readonly section: number;
  readonly datagrams: boolean;
}

/** Starts all sections; `sockets` are those of their `bind` and `dgram-bind` lines. */
export function startLogForwards(env: LogForwardEnv, sockets: readonly LogForwardSocket[]): { stop(): void } {
  const { model, sinks } = env;
  const sections = model.logForwards.map(config => {
    const targets = openTargets(config.logs, model, model.global.logTag, env.facts, sinks);
    return new Section(env, config, targets);
  });
  for (const socket of sockets) sections[socket.section]!.open(socket);
  return {
    stop: () => {
      for (const section of sections) section.stop();
    },
  };
}

/** A section at work. */
export class Section {
  readonly config: LogForward;
  readonly #env: LogForwardEnv;
  readonly #targets: readonly Target[];
  readonly #listenings: Listening[] = [];
  readonly #receivers: { close(): void }[] = [];
  readonly #senders = new Set<LogSender>();
  /** Connections that came when there were enough: heard when another one ends. */
  readonly #waiting: { readonly conn: Conn; readonly start: () => void }[] = [];
  readonly #received = new Received();
  readonly #relay: Relay;
  readonly #text = new Line(LOG_MESSAGE_BYTES_MAX);
  readonly #packet = new Line(LOG_MESSAGE_BYTES_MAX + LOG_HEADER_BYTES_MAX);

  constructor(env: LogForwardEnv, config: LogForward, targets: readonly Target[]) {
    this.#env = env;
    this.config = config;
    this.#targets = targets;
    this.#relay = { dates: new Dates(), host: config.host, wall: 0, source: bytesOf('') };
  }

  open({ fd, bind, datagrams }: LogForwardSocket): void {
    const { io, model } = this.#env;
    if (datagrams) {
      const receive = (bytes: Uint8Array, from: string) => {
        io.wake();
        this.take(bytes, 0, bytes.length, bytesOf(from));
      };
      this.#receivers.push(receiveDatagrams(fd, bind.address!.family, receive));
      return;
    }
    const tls = bindEnd(tlsStore(model.tls), bind.tls, model.global.tls, `log-forward ${this.config.name}/${bind.id}`);
    this.#listenings.push(
      io.listen(fd, ACCEPT_BURST, conn => {
        conn.handler = PARKED;
        conn.pause();
        this.#waiting.push({ conn, start: () => this.#start(conn, acceptOver(io, conn, tls)) });
        this.#let();
      }),
    );
  }

  /** A message, `bytes[start, end)`, that `source` has sent: its address as text, empty where it has none. */
  take(bytes: Uint8Array, start: number, end: number, source: Uint8Array): void {
    const { memory, wall } = this.#env;
    const message = this.#received;
    if (this.config.unparsed) message.take(bytes, start, end);
    else message.parse(bytes, start, end);
    this.#relay.wall = wall();
    this.#relay.source = source;
    this.#text.length = 0;
    this.#text.slice(bytes, message.text.start, message.text.end);
    Atomics.add(memory.words, memory.process + PROCESS.at.received_logs, 1);
    for (let i = 0; i < this.#targets.length; i++) this.#send(this.#targets[i]!, message);
  }

  stop(): void {
    for (const listening of this.#listenings.splice(0)) listening.close();
    for (const receiver of this.#receivers.splice(0)) receiver.close();
    for (const { conn } of this.#waiting.splice(0)) conn.abort(false);
    for (const sender of this.#senders) sender.end();
  }

  #send(target: Target, message: Received): void {
    const { words, process } = this.#env.memory;
    if (!target.takes(message.level)) return;
    this.#packet.length = 0;
    writeHeader(this.#packet, message, target.config, this.#relay);
    if (!target.finish(this.#packet, this.#text)) Atomics.add(words, process + PROCESS.at.dropped_logs, 1);
  }

  /** Lets in those that wait, as far as there are places; the others, and those behind them, wait in the kernel's queue. */
  #let(): void {
    while (this.#waiting.length > 0 && this.#senders.size < this.config.maxconn) {
      const { conn, start } = this.#waiting.shift()!;
      if (conn.alive) start();
    }
    for (const listening of this.#listenings) {
      if (this.#senders.size < this.config.maxconn) listening.resume();
      else listening.pause();
    }
  }

  #start(accepted: Conn, conn: Conn): void {
    const peer = accepted.peer();
    const source = bytesOf(peer === null || peer.family === 1 ? '' : ipText(peer.bytes));
    const { model, io, wheel } = this.#env;
    const sender: LogSender = new LogSender(conn, {
      ...{ io, wheel, clientMs: this.config.clientMs, endsWithLf: this.config.endsWithLf },
      maxBytes: model.global.tune.bufsizeBytes,
      take: (bytes, start, end) => this.take(bytes, start, end, source),
      gone: () => {
        this.#senders.delete(sender);
        this.#let();
      },
    });
    this.#senders.add(sender);
    accepted.resume();
  }
}

/** Nothing is heard of who waits. */
const PARKED = { onOpen() {}, onData() {}, onEnd() {}, onDrain() {}, onClose() {} };
