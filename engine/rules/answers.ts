/** How rules end a stream: with which response, counted as what, and the cause in the log's termination state. */
import { latin1 } from '../http/chars.ts';
import { answer } from '../proxy/answer.ts';
import type { Reply } from '../proxy/errors.ts';
import type { Stream } from '../proxy/stream.ts';
import { CAUSE } from '../proxy/termination.ts';
import {
  DENIED_CONN,
  DENIED_REQ,
  DENIED_RESP,
  DENIED_SESS,
  FAILED_REWRITES,
  INTERCEPTED,
  INTERNAL_ERRORS,
} from '../shm/counters.ts';
import type { Standpoint } from '../sample/context.ts';
import { ANSWERED, CLOSE, CONTINUE, type Verdict } from './action.ts';

/** `return`, `redirect`, `auth`: an answer, not a refusal. */
export function answerLocally(stream: Stream, reply: Reply): Verdict {
  const { backend, frontend } = stream;
  if (backend === null || backend.index === frontend.index) {
    stream.context.counters[frontend.row + INTERCEPTED]! += 1;
  }
  stream.terminate(CAUSE.local);
  answer(stream, reply, true);
  return ANSWERED;
}

/** `deny`. */
export function deny(at: Standpoint, reply: Reply): Verdict {
  const stream = at.stream!;
  countDenied(at);
  stream.terminate(CAUSE.proxy);
  answer(stream, reply, true);
  return ANSWERED;
}

/** `reject`, `silent-drop`: the end of the connection. */
export function reject(at: Standpoint): Verdict {
  countDenied(at);
  at.stream?.terminate(CAUSE.proxy);
  return CLOSE;
}

/** Counts a refusal where it happened: connection, session, request or response. */
export function countDenied(at: Standpoint): void {
  const { stream, session } = at;
  const { counters } = session.context;
  const counter = at.response ? DENIED_RESP : stream !== null ? DENIED_REQ : session.started ? DENIED_SESS : DENIED_CONN;
  counters[session.listener.row + counter]! += 1;
  if (stream === null) counters[session.frontend.row + counter]! += 1;
  else stream.count(counter);
}

/**
 * What a rewrite that had no room means: it is counted, and unless `strict-mode off` stands before it the stream ends
 * with 500.
 */
export function rewritten(at: Standpoint, done: boolean): Verdict {
  if (done) return CONTINUE;
  const stream = at.stream!;
  stream.count(FAILED_REWRITES);
  stream.context.counters[stream.session.listener.row + FAILED_REWRITES]! += 1;
  return stream.strict ? internalError(stream) : CONTINUE;
}

export function internalError(stream: Stream): Verdict {
  stream.count(INTERNAL_ERRORS);
  stream.context.counters[stream.session.listener.row + INTERNAL_ERRORS]! += 1;
  stream.terminate(CAUSE.internal);
  answer(stream, (stream.backend ?? stream.frontend).errors.get(500), true);
  return ANSWERED;
}

/** Sends the 103 response that `early-hint` rules have made, if they have (RFC 8297). */
export function sendHints(stream: Stream): void {
  if (stream.hints === '') return;
  const bytes = latin1(`HTTP/1.1 103 Early Hints\r\n${stream.hints}\r\n`);
  stream.hints = '';
  if (stream.requestHead.version === 1) stream.client.write(bytes, 0, bytes.length);
}
