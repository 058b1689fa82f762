/** What the logs hear of the data path. */
import type { Session } from './session.ts';
import type { Stream } from './stream.ts';

export interface StreamEvents {
  /** A request is complete, or a TCP connection accepted. */
  readonly streamBegan: (stream: Stream) => void;
  /** The response head is on its way, or the TCP connection to the server is there. */
  readonly streamAnswered: (stream: Stream) => void;
  /** The stream is over and counted. */
  readonly streamEnded: (stream: Stream) => void;
  /** A connection failed before it was a session; `why` is HAProxy's text. */
  readonly sessionFailed: (session: Session, why: string) => void;
}

/** Nobody listens. */
export const NO_EVENTS: StreamEvents = {
  streamBegan() {},
  streamAnswered() {},
  streamEnded() {},
  sessionFailed() {},
};
