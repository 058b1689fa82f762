/** How rules end a stream: with which response, counted as what, and the cause in the log's termination state. */

import { countingBackend } from '../proxy/account.ts';
import { answer } from '../proxy/answer.ts';
import { errorReply } from '../proxy/errors.ts';
import type { Backend } from '../proxy/nouns.ts';
import type { Reply } from '../proxy/reply.ts';
import type { Session } from '../proxy/session.ts';
import { STEP } from '../proxy/step.ts';
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
  markProcessed(stream);
  answer(stream, reply, keep);
  return ANSWERED;
}

/** The answer is the end of the request's processing, where it was not over before. */
function markProcessed(stream: Stream): void {
  if (stream.requestAt === 0) stream.requestAt = stream.now;
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
  markProcessed(stream);
  answer(stream, reply, true);
  return ANSWERED;
}

/** `reject`: the end of the connection. Content rules do not count it at the backend, those of requests do even where none is chosen. */
export function reject(at: Standpoint): Verdict {
  const { stream, session } = at;
  if (stream === null || at.response) countDenied(at);
  else {
    const ruled = stream.step === STEP.frontRules || stream.step === STEP.backRules;
    countRefused(session, ruled ? countingBackend(stream) : null);
  }
  stream?.terminate(CAUSE.proxy);
  return CLOSE;
}

/** `silent-drop`: to the statistics a request that was denied, wherever it happens. */
export function drop({ stream, session }: Standpoint): Verdict {
  countRefused(session, stream?.backend ?? null);
  if (stream !== null) {
    stream.terminate(CAUSE.proxy, 'R');
    stream.responseAt = 0;
  }
  return CLOSE;
}

function countRefused({ context: { counters }, frontend, listener }: Session, backend: Backend | null): void {
  counters[frontend.row + DENIED_REQ]! += 1;
  counters[listener.row + DENIED_REQ]! += 1;
  if (backend !== null) counters[backend.row + DENIED_REQ]! += 1;
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
 * with 500: from `http-after-response` rules by who applies them.
 */
export function rewritten(at: Standpoint, done: boolean): Verdict {
  if (done) return CONTINUE;
  const stream = at.stream!;
  stream.count(FAILED_REWRITES);
  stream.context.counters[stream.session.listener.row + FAILED_REWRITES]! += 1;
  if (!stream.strict) return CONTINUE;
  return stream.lastWord ? ANSWERED : internalError(stream);
}

export function internalError(stream: Stream): Verdict {
  stream.count(INTERNAL_ERRORS);
  stream.context.counters[stream.session.listener.row + INTERNAL_ERRORS]! += 1;
  stream.terminate(CAUSE.proxy);
  answer(stream, errorReply(stream, 500), true);
  return ANSWERED;
}
