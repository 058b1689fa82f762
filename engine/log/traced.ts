/**
 * What happens on the data path, told to the logs and to the traces:
 *
 *     2026-11-22T16:33:04.123Z [02|stream|1|strm_new] id=17 fe=web src=10.0.0.1:4711 GET / HTTP/1.1
 *      when                     thread source level event
 */
import { addressText } from '../io/address.ts';
import { LOG_MESSAGE_BYTES_MAX } from '../limits.ts';
import type { StreamEvents } from '../proxy/events.ts';
import type { Session } from '../proxy/session.ts';
import type { Stream } from '../proxy/stream.ts';
import { CAUSE } from '../proxy/termination.ts';
import { bytesOf } from './line.ts';
import type { PlainSink, Sinks } from './sinks.ts';
import { NO_SINK, TRACE_SOURCES, type Traces } from './traces.ts';

const SESSION = TRACE_SOURCES.findIndex(({ name }) => name === 'session');
const STREAM = TRACE_SOURCES.findIndex(({ name }) => name === 'stream');

/** Where the event stands in its source. */
function at(source: number, name: string): number {
  return TRACE_SOURCES[source]!.events.findIndex(event => event.name === name);
}

const SESS_ERR = at(SESSION, 'sess_err');
const NEW = at(STREAM, 'strm_new');
const CONN = at(STREAM, 'strm_conn');
const RESP = at(STREAM, 'strm_resp');
const END = at(STREAM, 'strm_end');
const ERR = at(STREAM, 'strm_err');

interface TracedEnv {
  readonly traces: Traces;
  readonly sinks: Sinks;
  /** Number of the worker. */
  readonly worker: number;
  /** Wall-clock milliseconds. */
  wall(): number;
}

/** `logs` and the traces. */
export function traced(logs: StreamEvents, env: TracedEnv): StreamEvents {
  const tracer = new Tracer(env);
  return {
    trafficStarts: context => logs.trafficStarts(context),
    streamBegan: stream => {
      logs.streamBegan(stream);
      if (env.traces.happens(STREAM, NEW)) tracer.tell(STREAM, NEW, v => began(stream, v));
    },
    streamConnected: stream => {
      logs.streamConnected(stream);
      if (env.traces.happens(STREAM, CONN)) tracer.tell(STREAM, CONN, v => streamText(stream, v));
    },
    streamAnswered: stream => {
      logs.streamAnswered(stream);
      if (env.traces.happens(STREAM, RESP)) tracer.tell(STREAM, RESP, v => answered(stream, v));
    },
    streamEnded: stream => {
      logs.streamEnded(stream);
      const failed = stream.cause !== CAUSE.none && stream.cause !== CAUSE.local;
      if (failed && env.traces.happens(STREAM, ERR)) tracer.tell(STREAM, ERR, v => ended(stream, v));
      if (env.traces.happens(STREAM, END)) tracer.tell(STREAM, END, v => ended(stream, v));
    },
    sessionFailed: (session, why) => {
      logs.sessionFailed(session, why);
      if (env.traces.happens(SESSION, SESS_ERR))
        tracer.tell(SESSION, SESS_ERR, v => `${sessionText(session, v)}: ${why}`);
    },
    logNow: (at, step, profile) => logs.logNow(at, step, profile),
    debugged: (sink, text) => logs.debugged(sink, text),
  };
}

/** Writes lines into the sinks of the sources. */
class Tracer {
  readonly #env: TracedEnv;
  readonly #sinks = new Map<string, PlainSink>();

  constructor(env: TracedEnv) {
    this.#env = env;
  }

  /** `text`: what is told of it with a verbosity. */
  tell(source: number, event: number, text: (verbosity: number) => string): void {
    const { sink, verbosity } = this.#env.traces.of(source);
    if (sink === NO_SINK) return;
    const { name, events } = TRACE_SOURCES[source]!;
    const thread = String(this.#env.worker + 1).padStart(2, '0');
    const when = new Date(this.#env.wall()).toISOString();
    const head = `${when} [${thread}|${name}|${events[event]!.level}|${events[event]!.name}]`;
    const line = `${head} ${text(verbosity)}`.replace(/[^ -~]/g, '?').slice(0, LOG_MESSAGE_BYTES_MAX - 1);
    const bytes = bytesOf(`${line}\n`);
    this.#open(sink)(bytes, bytes.length);
  }

  #open(name: string): PlainSink {
    const known = this.#sinks.get(name) ?? this.#env.sinks.named(name);
    this.#sinks.set(name, known);
    return known;
  }
}

// --- what is told, by verbosity: 0 = quiet, 1 = clean, 2 = simple ---

function sessionText(session: Session, verbosity: number): string {
  if (verbosity === 0) return `fe=${session.frontend.proxy.name}`;
  const source = session.source();
  return `fe=${session.frontend.proxy.name} src=${source === null ? '<none>' : addressText(source)}`;
}

function streamText(stream: Stream, verbosity: number): string {
  const { backend, server, id } = stream;
  if (verbosity === 0) return `id=${id}`;
  const be = backend === null ? '' : ` be=${backend.proxy.name}`;
  const srv = server === null ? '' : ` srv=${server.config.name}`;
  return `id=${id} ${sessionText(stream.session, verbosity)}${be}${srv}`;
}

function began(stream: Stream, verbosity: number): string {
  const text = streamText(stream, verbosity);
  if (verbosity < 2 || !stream.http || !stream.requestKnown) return text;
  const { bytes, methodStart, headersStart } = stream.requestHead;
  return `${text} ${Buffer.from(bytes.subarray(methodStart, headersStart)).toString('latin1').trimEnd()}`;
}

function answered(stream: Stream, verbosity: number): string {
  return `${streamText(stream, verbosity)}${stream.http ? ` status=${stream.status}` : ''}`;
}

function ended(stream: Stream, verbosity: number): string {
  return `${answered(stream, verbosity)} cause=${stream.cause} in=${stream.bytesIn} out=${stream.bytesOut}`;
}
