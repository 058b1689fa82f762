/** How rules end a stream: with which response, counted as what, and the cause in the log's termination state. */

import { answer } from '../proxy/answer.ts';
import { errorReply } from '../proxy/errors.ts';
import type { Reply } from '../proxy/reply.ts';
import type { Stream } from '../proxy/stream.ts';
import { CAUSE } from '../proxy/termination.ts';
import type { Standpoint } from '../sample/context.ts';
import {
  DENIED_CONN,
  DENIED_REQ,
  DENIED_RESP,
  DENIED_SESS,
  FAILED_REWRITES,
  INTERCEPTED,
  INTERNAL_ERRORS,
} from '../shm/counters.ts';
import { CLIENT_ERROR } from '../stick/tracking.ts';
import { ANSWERED, CLOSE, CONTINUE, type Verdict } from './action.ts';

/** `return`, `redirect`, `auth`: an answer, not a refusal. */
export function answerLocally(stream: Stream, reply: Reply, keep = true): Verdict {
  interceptLocally(stream);
  answer(stream, reply, keep);
  return ANSWERED;
}

/** We answer: says so in the termination state, and counts a request that so goes to no server. */
export function interceptLocally(stream: Stream): void {
  const { backend, frontend } = stream;
  if (!stream.responded && (backend === null || backend.index === frontend.index)) {
    stream.context.counters[frontend.row + INTERCEPTED]! += 1;
  }
  stream.terminate(CAUSE.local);
}

/** `deny`. */
export function deny(at: Standpoint, reply: Reply): Verdict {
  const stream = at.stream!;
  if (!at.response) stream.countTracked(CLIENT_ERROR);
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
  const early = session.started ? DENIED_SESS : DENIED_CONN;
  const counter = at.response ? DENIED_RESP : stream !== null ? DENIED_REQ : early;
  counters[session.listener.row + counter]! += 1;
  if (stream === null) counters[session.frontend.row + counter]! += 1;
  else stream.count(counter);
}

/**
 * What a rewrite that had no room means: it is counted, and unless `strict-mode off` stands before it the stream ends
 * with 500. In `http-after-response` rules that is too late.
 */
export function rewritten(at: Standpoint, done: boolean): Verdict {
  if (done) return CONTINUE;
  const stream = at.stream!;
  stream.count(FAILED_REWRITES);
  stream.context.counters[stream.session.listener.row + FAILED_REWRITES]! += 1;
  return stream.strict && !stream.lastWord ? internalError(stream) : CONTINUE;
}

export function internalError(stream: Stream): Verdict {
  stream.count(INTERNAL_ERRORS);
  stream.context.counters[stream.session.listener.row + INTERNAL_ERRORS]! += 1;
  stream.terminate(CAUSE.proxy);
  answer(stream, errorReply(stream, 500), true);
  return ANSWERED;
}
