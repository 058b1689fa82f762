/**
 * Logs. One logger per thread: a line about a stream is written when the stream ends, or earlier when all that its
 * format asks for is known; other lines when someone has something to say.
 *
 *     stream ──► format ──► message ──┬─► header of target 1, message ──► socket or descriptor
 *                                     └─► header of target 2, message ──► ...
 */
import type { Model, Proxy } from '../config/model.ts';
import { LOG_HEADER_BYTES_MAX, LOG_MESSAGE_BYTES_MAX } from '../limits.ts';
import type { StreamEvents } from '../proxy/events.ts';
import type { Session } from '../proxy/session.ts';
import { Stream } from '../proxy/stream.ts';
import { CAUSE } from '../proxy/termination.ts';
import type { Memory } from '../shm/memory.ts';
import { PROCESS, PROXY, WORKER } from '../shm/words.ts';
import { FAILED_CONNECTION, formatsOf, type ProxyFormats } from './builtin.ts';
import type { LogFormat } from './format.ts';
import { bytesOf, Line } from './line.ts';
import { type LogFacts, type Origin, Scene } from './scene.ts';
import { closeSinks, Sinks } from './sinks.ts';
import { LOG_ERR, LOG_INFO } from './syslog.ts';
import { openTargets, type Target } from './target.ts';
import { EARLY, START } from './variables.ts';

export interface LoggerEnv {
  readonly model: Model;
  readonly memory: Memory;
  /** Number of the traffic worker; null = the control thread. */
  readonly worker: number | null;
  readonly facts: LogFacts;
  /** Wall-clock milliseconds since the epoch. */
  readonly wall: () => number;
  /** Hears once of each target that takes no lines. */
  readonly complain: (text: string) => void;
}

/** What one proxy logs, and where. */
interface ProxyLog extends ProxyFormats {
  readonly proxy: Proxy;
  readonly targets: readonly Target[];
}

/** Opens all targets of the model. Only streams of the calling thread may be given to it. */
export class Logger implements StreamEvents {
  readonly #memory: Memory;
  readonly #scene: Scene;
  readonly #proxies: readonly ProxyLog[];
  readonly #global: readonly Target[];
  readonly #message = new Line(LOG_MESSAGE_BYTES_MAX);
  readonly #data = new Line(LOG_MESSAGE_BYTES_MAX);
  readonly #packet = new Line(LOG_MESSAGE_BYTES_MAX + LOG_HEADER_BYTES_MAX);
  /** Stands for the stream that a failed session never had. */
  #blank: Stream | null = null;

  constructor({ model, memory, worker, facts, wall, complain }: LoggerEnv) {
    const { global } = model;
    const sockets =
      worker === null ? memory.process + PROCESS.at.log_sockets : memory.worker(worker) + WORKER.at.log_sockets;
    const sinks = new Sinks(memory.words, sockets, complain);
    const open = (logs: Proxy['logs'], tag: string) => openTargets(logs, global, tag, facts, sinks);
    this.#memory = memory;
    this.#scene = new Scene(facts, wall);
    this.#global = open(global.logs, global.logTag);
    this.#proxies = model.proxies.map(proxy => ({
      proxy,
      targets: open(proxy.logs, proxy.logTag ?? global.logTag),
      ...formatsOf(proxy),
    }));
  }

  streamBegan(stream: Stream): void {
    const log = this.#proxies[stream.frontend.index]!;
    if (log.targets.length === 0) return;
    keepAddresses(log.traffic, stream.session);
    if (log.traffic.known === START) this.#tell(log, log.traffic, stream, 'txn_accept');
  }

  streamAnswered(stream: Stream): void {
    const log = this.#proxies[stream.frontend.index]!;
    if (stream.logged || log.traffic.known > EARLY) return;
    this.#tell(log, log.traffic, stream, stream.http ? 'txn_response' : 'txn_connect');
  }

  streamEnded(stream: Stream): void {
    if (stream.logged || stream.silent) return;
    const log = this.#proxies[stream.frontend.index]!;
    const received = stream.http ? stream.firstByteAt : stream.bytesIn;
    if (received === 0 && log.proxy.options.dontlognull) return;
    const request = !stream.http || stream.requestAt !== 0;
    if (request) this.#tell(log, log.traffic, stream, 'txn_close');
    else if (log.error !== null) this.#tell(log, log.error, stream, 'sess_error');
  }

  /** A fixed short line (manual 8.2.5), unless there is an `error-log-format`. */
  sessionFailed(session: Session, why: string): void {
    const log = this.#proxies[session.frontend.index]!;
    if (log.targets.length === 0) return;
    const stream = this.#standIn(session);
    if (log.proxy.errorLogFormat !== null && log.error !== null) {
      this.#tell(log, log.error, stream, 'sess_error');
      return;
    }
    const { name, id } = session.listener.bind;
    this.#scene.set(stream, 'sess_error');
    this.#message.length = 0;
    FAILED_CONNECTION.write(this.#message, this.#scene);
    this.#message.raw(bytesOf(`${name === `sock-${id}` ? id : name}: ${why}`));
    this.#deliver(log.targets, log.proxy.options.logSeparateErrors ? LOG_ERR : LOG_INFO, null);
  }

  /** A line that is not about traffic. `level` 0 to 7; `proxy` an index in `model.proxies`, null = the process speaks. */
  line(level: number, proxy: number | null, text: string): void {
    this.#message.length = 0;
    this.#message.raw(bytesOf(text));
    this.#deliver(proxy === null ? this.#global : this.#proxies[proxy]!.targets, level, null);
  }

  /** Writes the line about a stream, if it is one to write. */
  #tell(log: ProxyLog, format: LogFormat, stream: Stream, origin: Origin): void {
    if (log.targets.length === 0) return;
    const { options } = log.proxy;
    const bad = wentWrong(stream);
    if (!bad && options.dontlogNormal) return;
    stream.logged = true;
    this.#scene.set(stream, origin);
    this.#message.length = 0;
    format.write(this.#message, this.#scene);
    this.#data.length = 0;
    log.data?.write(this.#data, this.#scene);
    const usual = bad && options.logSeparateErrors ? LOG_ERR : LOG_INFO;
    this.#deliver(log.targets, stream.logLevel < 0 ? usual : stream.logLevel, this.#data);
    Atomics.add(this.#memory.words, stream.frontend.at + PROXY.at.fe_log_lines, 1);
  }

  /** Sends the message to all targets that take its level; counts what is lost. */
  #deliver(targets: readonly Target[], level: number, data: Line | null): void {
    const wall = this.#scene.wall();
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i]!;
      if (!target.takes(level)) continue;
      if (target.send(this.#packet, level, wall, this.#scene.dates, data, this.#message)) continue;
      Atomics.add(this.#memory.words, this.#memory.process + PROCESS.at.dropped_logs, 1);
    }
  }

  /** A stream that never began, for the formats to look at. */
  #standIn(session: Session): Stream {
    const { context, frontend, acceptedAt } = session;
    this.#blank ??= new Stream(context);
    const stream = this.#blank;
    stream.session = session;
    stream.frontend = frontend;
    stream.http = frontend.proxy.mode === 'http';
    stream.begin(true, acceptedAt, acceptedAt, 0);
    stream.terminate(CAUSE.proxy);
    return stream;
  }
}

/** A connection may be gone, and its addresses with it, before its line is written: whoever asks now can ask again. */
function keepAddresses({ names }: LogFormat, session: Session): void {
  if (names.has('ci') || names.has('cp')) session.source();
  if (names.has('fi') || names.has('fp')) session.destination();
}

/** Errors, time-outs, retries, redispatches and status 5xx (manual 8.3.3). What we answered ourselves is none. */
function wentWrong({ cause, attempts, redispatched, status }: Stream): boolean {
  return (cause !== CAUSE.none && cause !== CAUSE.local) || attempts > 0 || redispatched || status >= 500;
}

/** Closes the sockets of all threads of a generation that has ended. */
export function closeLogs(memory: Memory): void {
  closeSinks(memory.words, memory.process + PROCESS.at.log_sockets);
  for (let w = 0; w < memory.shape.workers; w++) closeSinks(memory.words, memory.worker(w) + WORKER.at.log_sockets);
}
