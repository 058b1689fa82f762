/** What the logs hear of the data path. */
import type { LogStep } from '../log/steps.ts';
import type { Standpoint } from '../sample/context.ts';
import type { Context } from './nouns.ts';
import type { Session } from './session.ts';
import type { Stream } from './stream.ts';

export interface StreamEvents {
  /** The worker's nouns are there; no connection is yet. */
  readonly trafficStarts: (context: Context) => void;
  /** A request is complete, or a TCP connection accepted. */
  readonly streamBegan: (stream: Stream) => void;
  /** The connection to the server is there. */
  readonly streamConnected: (stream: Stream) => void;
  /** The response head is on its way. */
  readonly streamAnswered: (stream: Stream) => void;
  /** The stream is over and counted. */
  readonly streamEnded: (stream: Stream) => void;
  /** A connection failed before it was a session; `why` is HAProxy's text. */
  readonly sessionFailed: (session: Session, why: string) => void;
  /** A rule wants a line now. `profile`: the name of a log profile; null = those of the targets. */
  readonly logNow: (at: Standpoint, step: LogStep, profile: string | null) => void;
  /** An expression shows a sample to `stdout`, `stderr` or a ring. */
  readonly debugged: (sink: string, text: string) => void;
}

/** Nobody listens. */
export const NO_EVENTS: StreamEvents = {
  trafficStarts() {},
  streamBegan() {},
  streamConnected() {},
  streamAnswered() {},
  streamEnded() {},
  sessionFailed() {},
  logNow() {},
  debugged() {},
};
