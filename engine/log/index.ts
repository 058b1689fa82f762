/**
 * Logs. One logger per thread: a line about a stream is written when the stream ends, or earlier when all that its
 * format asks for is known; other lines when someone has something to say.
 *
 *     stream ──► format ──► message ──┬─► header of target 1, message ──► socket or descriptor
 *                                     └─► header of target 2, message ──► ...
 */
import type { LogProfile } from '../config/log-model.ts';
import type { Model } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import type { Io } from '../io/contract.ts';
import { LOG_HEADER_BYTES_MAX, LOG_MESSAGE_BYTES_MAX } from '../limits.ts';
import type { StreamEvents } from '../proxy/events.ts';
import type { Context } from '../proxy/nouns.ts';
import { proxyRules } from '../proxy/rules.ts';
import type { Session } from '../proxy/session.ts';
import { Stream } from '../proxy/stream.ts';
import { CAUSE, wentWrong } from '../proxy/termination.ts';
import type { Standpoint } from '../sample/context.ts';
import { type Outside, outside } from '../sample/outside.ts';
import type { Memory } from '../shm/memory.ts';
import { PROCESS, PROXY, WORKER } from '../shm/words.ts';
import { FAILED_CONNECTION, formatsOf, NO_FORMATS, type ProxyFormats } from './builtin.ts';
import { bytesOf, Line } from './line.ts';
import { type LogFacts, Scene } from './scene.ts';
import { closeSinks, Sinks } from './sinks.ts';
import { type LogStep, STEP_ORIGINS, type TrafficStep } from './steps.ts';
import { LOG_ERR, LOG_INFO } from './syslog.ts';
import { openTargets, type Target } from './target.ts';
import { EARLY, START } from './variable.ts';
import { compileVoice, type Voice } from './voice.ts';

interface LoggerEnv {
  readonly model: Model;
  readonly memory: Memory;
  /** Number of the traffic worker; null = the control thread. */
  readonly worker: number | null;
  readonly facts: LogFacts;
  /** Wall-clock milliseconds since the epoch. */
  readonly wall: () => number;
  readonly io: Pick<Io, 'settle'>;
  /** Hears once of each target that takes no lines. */
  readonly complain: (text: string) => void;
}

/** What one proxy logs, and where. */
interface ProxyLog {
  readonly proxy: Proxy;
  /** All of them: what is not about traffic goes to each. */
  readonly targets: readonly Target[];
  /** From here on compiled when traffic starts: the control thread has none. */
  formats: ProxyFormats;
  voices: readonly Voice[];
  /** Of `do-log profile`, by name: the voice of all targets. */
  readonly asked: Map<string, Voice>;
  showsSource: boolean;
  showsDestination: boolean;
}

/** Opens all targets of the model. Only streams of the calling thread may be given to it. */
export class Logger implements StreamEvents {
  readonly #model: Model;
  readonly #memory: Memory;
  readonly #wall: () => number;
  readonly #scene: Scene;
  readonly #proxies: ProxyLog[];
  readonly #open: (proxy: Proxy) => ProxyLog;
  readonly #global: readonly Target[];
  /** Of `peers` sections. */
  readonly #peers: readonly (readonly Target[])[];
  /** What traces and `log-forward` write to, too. */
  readonly sinks: Sinks;
  readonly #message = new Line(LOG_MESSAGE_BYTES_MAX);
  readonly #data = new Line(LOG_MESSAGE_BYTES_MAX);
  readonly #packet = new Line(LOG_MESSAGE_BYTES_MAX + LOG_HEADER_BYTES_MAX);
  /** Stands for the stream that a session never had. */
  #blank: Stream | null = null;

  constructor({ model, memory, worker, facts, wall, io, complain }: LoggerEnv) {
    const { global } = model;
    const sinks = new Sinks(model, memory, worker, io, complain);
    const open = (logs: Proxy['logs'], tag: string) => openTargets(logs, model, tag, facts, sinks);
    this.sinks = sinks;
    this.#model = model;
    this.#memory = memory;
    this.#wall = wall;
    this.#scene = new Scene(facts, wall);
    this.#global = open(global.logs, global.logTag);
    this.#peers = model.peers.map(({ logs }) => open(logs, global.logTag));
    this.#open = proxy => ({
      proxy,
      targets: open(proxy.logs, proxy.logTag ?? global.logTag),
      formats: NO_FORMATS,
      voices: [],
      asked: new Map(),
      showsSource: false,
      showsDestination: false,
    });
    this.#proxies = model.proxies.map(this.#open);
  }

  /** Where there is no traffic: what log backends ask of lines can be evaluated from now on. */
  evaluate(there: () => Outside): void {
    this.sinks.evaluate(there);
  }

  trafficStarts(context: Context): void {
    this.evaluate(() => outside(context.model, context.books, context.procVars, context));
    for (const log of this.#proxies) {
      const { proxy, targets } = log;
      const frontend = context.frontends[proxy.index] ?? null;
      const { env } = proxyRules(context, proxy);
      log.formats = formatsOf(proxy, env);
      const voice = (profile: LogProfile | null, of: readonly Target[]): Voice =>
        compileVoice(profile, of, log.formats, env, proxy.options.logasap);
      const profiles = new Set(targets.map(target => target.profile));
      log.voices = Array.from(profiles, p =>
        voice(
          p,
          targets.filter(target => target.profile === p),
        ),
      );
      for (const profile of this.#model.logProfiles) {
        const spoken = targets.map(target => target.with(profile));
        log.asked.set(profile.name, voice(profile, spoken));
      }
      log.showsSource = shows(log, 'ci') || shows(log, 'cp');
      log.showsDestination = shows(log, 'fi') || shows(log, 'fp');
      if (frontend !== null) frontend.logsServerLocal = shows(log, 'bi') || shows(log, 'bp');
    }
  }

  streamBegan(stream: Stream): void {
    const log = this.#proxies[stream.frontend.index]!;
    if (log.targets.length === 0) return;
    keepAddresses(log, stream.session);
    if (stream.first) this.#step(log, 'accept', stream);
    if (stream.http) this.#step(log, 'request', stream);
    if (log.proxy.logSteps === null && log.formats.traffic.known === START) this.#tell(log, 'accept', stream);
  }

  streamConnected(stream: Stream): void {
    const log = this.#proxies[stream.frontend.index]!;
    this.#step(log, 'connect', stream);
    if (!stream.http) this.#early(log, 'connect', stream);
  }

  streamAnswered(stream: Stream): void {
    const log = this.#proxies[stream.frontend.index]!;
    this.#step(log, 'response', stream);
    this.#early(log, 'response', stream);
  }

  streamEnded(stream: Stream): void {
    if (stream.logged || stream.silent) return;
    const log = this.#proxies[stream.frontend.index]!;
    const received = stream.http ? stream.firstByteAt : stream.bytesIn;
    if (received === 0 && log.proxy.options.dontlognull) return;
    if (stream.refused) this.#tell(log, 'error', stream);
    else if (log.proxy.logSteps === null || log.proxy.logSteps.includes('close')) this.#tell(log, 'close', stream);
  }

  /** A fixed short line (manual 8.2.5), unless there is an `error-log-format`. */
  sessionFailed(session: Session, why: string): void {
    const log = this.#proxies[session.frontend.index]!;
    if (log.targets.length === 0) return;
    const stream = this.#standIn(session);
    stream.terminate(CAUSE.proxy);
    if (log.proxy.errorLogFormat !== null) {
      this.#tell(log, 'error', stream);
      return;
    }
    const { name, id } = session.listener.bind;
    this.#scene.log(stream, 'sess_error');
    this.#message.length = 0;
    FAILED_CONNECTION.write(this.#message, this.#scene);
    this.#message.raw(bytesOf(`${name === `sock-${id}` ? id : name}: ${why}`));
    this.#deliver(log.targets, log.proxy.options.logSeparateErrors ? LOG_ERR : LOG_INFO, null);
  }

  /** `do-log`: a line more. `profile` goes before those of the targets. */
  logNow({ session, stream }: Standpoint, step: LogStep, profile: string | null): void {
    const log = this.#proxies[session.frontend.index]!;
    const voices = profile === null ? log.voices : [log.asked.get(profile)!];
    this.#say(log, voices, step, stream ?? this.#standIn(session));
  }

  /** A ring keeps when it was, for `show events`. */
  debugged(sink: string, text: string): void {
    const ring = sink !== 'stdout' && sink !== 'stderr';
    const bytes = bytesOf(`${ring ? `${new Date(this.#wall()).toISOString()} ` : ''}[debug] ${text}\n`);
    this.sinks.named(sink)(bytes, bytes.length);
  }

  /** Its place may be another's by now. */
  #targetsOf(index: number): readonly Target[] {
    const proxy = this.#model.proxies[index]!;
    if (this.#proxies[index]!.proxy !== proxy) this.#proxies[index] = this.#open(proxy);
    return this.#proxies[index]!.targets;
  }

  /** A line that is not about traffic. `level` 0 to 7; `proxy` an index in `model.proxies`, null = the process speaks. */
  line(level: number, proxy: number | null, text: string): void {
    this.#line(proxy === null ? this.#global : this.#targetsOf(proxy), level, text);
  }

  /** A line about a `peers` section (its index): to its logs, or to those of the process. */
  peers(level: number, section: number, text: string): void {
    const targets = this.#peers[section]!;
    this.#line(targets.length > 0 ? targets : this.#global, level, text);
  }

  /** A line for the logs of the process. */
  process(level: number, text: string): void {
    this.#line(this.#global, level, text);
  }

  #line(targets: readonly Target[], level: number, text: string): void {
    this.#message.length = 0;
    this.#message.raw(bytesOf(text));
    this.#deliver(targets, level, null);
  }

  /** `log-steps` asks for a line here, whatever is known. */
  #step(log: ProxyLog, step: TrafficStep, stream: Stream): void {
    if (log.proxy.logSteps?.includes(step)) this.#say(log, log.voices, step, stream);
  }

  /** All that the format asks for is known before the end. */
  #early(log: ProxyLog, step: TrafficStep, stream: Stream): void {
    if (stream.logged || log.proxy.logSteps !== null || log.formats.traffic.known > EARLY) return;
    this.#tell(log, step, stream);
  }

  /** Writes the one line about a stream, if it is one to write. */
  #tell(log: ProxyLog, step: LogStep, stream: Stream): void {
    if (log.targets.length === 0 || (log.proxy.options.dontlogNormal && !wentWrong(stream))) return;
    stream.logged = true;
    this.#say(log, log.voices, step, stream);
  }

  #say(log: ProxyLog, voices: readonly Voice[], step: LogStep, stream: Stream): void {
    if (log.targets.length === 0 || stream.silent) return;
    const usual = log.proxy.options.logSeparateErrors && wentWrong(stream) ? LOG_ERR : LOG_INFO;
    const level = stream.logLevel < 0 ? usual : stream.logLevel;
    this.#scene.log(stream, STEP_ORIGINS[step]);
    for (let i = 0; i < voices.length; i++) {
      const said = voices[i]!.steps[step];
      if (said === null) continue;
      this.#message.length = this.#data.length = 0;
      said.format.write(this.#message, this.#scene);
      said.data?.write(this.#data, this.#scene);
      this.#deliver(voices[i]!.targets, level, this.#data);
    }
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
    return stream;
  }
}

/** Whether any line of the proxy shows a variable. */
function shows({ voices }: ProxyLog, name: string): boolean {
  return voices.some(({ steps }) => Object.values(steps).some(said => said?.format.names.has(name)));
}

/** A connection may be gone, and its addresses with it, before its line is written: whoever asks now can ask again. */
function keepAddresses(log: ProxyLog, session: Session): void {
  if (log.showsSource) session.source();
  if (log.showsDestination) session.destination();
}

/** Closes the sockets of all threads of a generation that has ended. */
export function closeLogs(memory: Memory): void {
  closeSinks(memory.words, memory.process + PROCESS.at.log_sockets);
  for (let w = 0; w < memory.shape.workers; w++) closeSinks(memory.words, memory.worker(w) + WORKER.at.log_sockets);
}
