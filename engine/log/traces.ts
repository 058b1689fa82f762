/**
 * Traces (management guide 9.3, `trace`): which events of a source are told, where, and when that starts and stops. Every thread
 * follows the settings (shm/change-log.ts); the events themselves come from traced.ts.
 *
 *   stopped ──start now, start event──► running ──pause event──► waiting ──start event──► running ──stop event──► stopped
 */
import type { Change, ChangeLog, Follower } from '../shm/change-log.ts';

export const TRACE_LEVELS = [
  ['error', 'report errors'],
  ['user', 'also information useful to the end user'],
  ['proto', 'also protocol-level updates'],
  ['state', 'also report internal state changes'],
  ['data', 'also report data transfers'],
  ['developer', 'also report information useful only to the developer'],
] as const;

export const TRACE_VERBOSITIES = [
  ['quiet', 'only report basic information with no decoding'],
  ['clean', 'the proxies, the server and the addresses'],
  ['simple', 'add the request and response lines'],
] as const;

interface TraceEvent {
  readonly name: string;
  readonly doc: string;
  /** Told from this level on: an index into TRACE_LEVELS. */
  readonly level: number;
}

export interface TraceSource {
  readonly name: string;
  readonly doc: string;
  readonly events: readonly TraceEvent[];
}

const event = (name: string, doc: string, level: number): TraceEvent => ({ name, doc, level });

export const TRACE_SOURCES: readonly TraceSource[] = [
  {
    name: 'session',
    doc: 'Client connections',
    events: [event('sess_err', 'a connection failed before it was a session', 0)],
  },
  {
    name: 'stream',
    doc: 'Applicative stream',
    events: [
      event('strm_new', 'a request is complete, or a TCP connection accepted', 1),
      event('strm_conn', 'the connection to the server is there', 3),
      event('strm_resp', 'the response head is on its way', 2),
      event('strm_end', 'the stream is over', 1),
      event('strm_err', 'the stream ended in an error', 0),
    ],
  },
];

export const STOPPED = 0;
export const WAITING = 1;
export const RUNNING = 2;

/** Where nothing goes. */
export const NO_SINK = 'none';

export interface TraceSetting {
  /** STOPPED, WAITING or RUNNING. */
  state: number;
  /** `none`, `stdout`, `stderr` or the name of a ring. */
  sink: string;
  level: number;
  verbosity: number;
  /** A bit per event, by what it makes happen. */
  event: number;
  start: number;
  pause: number;
  stop: number;
}

/** All events; none starts or ends anything. */
const AT_FIRST: TraceSetting = {
  ...{ state: STOPPED, sink: NO_SINK, level: 1, verbosity: 1, event: -1, start: 0, pause: 0, stop: 0 },
};

/** Records: `ref` is the source, the value its setting as JSON. */
const SETTING = 64;

export class Traces implements Follower {
  readonly kinds = [SETTING];
  readonly #log: ChangeLog;
  readonly #settings: TraceSetting[] = TRACE_SOURCES.map(() => ({ ...AT_FIRST }));

  constructor(log: ChangeLog) {
    this.#log = log;
    log.follow(this);
  }

  of(source: number): Readonly<TraceSetting> {
    if (this.#log.behind) this.#log.catchUp();
    return this.#settings[source]!;
  }

  /** In force in all threads when it returns true; false = there is no room. */
  change(source: number, change: Partial<TraceSetting>): boolean {
    return this.#log.change(() => this.#append(this.#log, source, { ...this.#settings[source]!, ...change }));
  }

  /** What holds before anybody has changed anything; in this thread only, so that each does it alike. */
  begin(source: number, change: Partial<TraceSetting>): void {
    Object.assign(this.#settings[source]!, change);
  }

  /** Whether the event of a source is told, after it has started, paused or stopped what it is to. */
  happens(source: number, index: number): boolean {
    const setting = this.of(source);
    if (setting.state === STOPPED && setting.start === 0) return false;
    const bit = 1 << index;
    const { level } = TRACE_SOURCES[source]!.events[index]!;
    if (setting.state !== RUNNING && setting.start & bit) this.change(source, { state: RUNNING });
    const told = this.of(source).state === RUNNING && (setting.event & bit) !== 0 && level <= setting.level;
    if (this.of(source).state === RUNNING) {
      if (setting.stop & bit) this.change(source, { state: STOPPED, start: 0 });
      else if (setting.pause & bit) this.change(source, { state: WAITING });
    }
    return told;
  }

  apply({ ref, bytes, mid, end }: Change): void {
    this.#settings[ref] = JSON.parse(Buffer.from(bytes.subarray(mid, end)).toString());
  }

  snapshot(log: ChangeLog): void {
    for (const [source, setting] of this.#settings.entries()) this.#append(log, source, setting);
  }

  #append(log: ChangeLog, source: number, setting: TraceSetting): void {
    log.append(SETTING, source, 0, 0, undefined, Buffer.from(JSON.stringify(setting)));
  }
}
