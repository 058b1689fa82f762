/** Waiting for the payload of a message: `option http-buffer-request`, `wait-for-body` of requests and responses. */

import { latin1 } from '../http/chars.ts';
import { H_EXPECT } from '../http/names.ts';
import { ANSWERED } from '../rules/action.ts';
import { CLIENT_ERROR } from '../stick/tracking.ts';
import { countFailedRequest } from './account.ts';
import { answer } from './answer.ts';
import { errorReply } from './errors.ts';
import type { Stream } from './stream.ts';
import { CAUSE } from './termination.ts';

const CONTINUE = latin1('HTTP/1.1 100 Continue\r\n\r\n');

export interface BodyWait {
  /** How long, from the first call on; milliseconds. */
  readonly ms: number;
  /** So much of it is enough; 0 = all of it. */
  readonly atLeastBytes: number;
  /** A large buffer is taken for what a usual one does not hold. */
  readonly large: boolean;
}

/**
 * Where the payload of a request or response stands: there (all of it, enough of it, or as much as the buffer holds), still
 * to come, late, or not to be read (that of a request only). While it is to come its side gathers it and the stream's step is run again as it comes.
 */
export function awaitBody(stream: Stream, wait: BodyWait, response: boolean): 'there' | 'waiting' | 'late' | 'broken' {
  if (!response && stream.requestDone) return 'there';
  const side = response ? stream.serverSide! : stream.client;
  const buffer = side.gather();
  if (wait.large && buffer.full) side.gatherMore(stream.context.model.global.tune.bufsizeLargeBytes);
  if (!stream.awaitsBody) {
    stream.awaitsBody = true;
    stream.timeUp = false;
    stream.wait(wait.ms);
    if (!response) sayContinue(stream);
  }
  const enough =
    (!response && stream.clientLeft !== CAUSE.none) ||
    (wait.atLeastBytes > 0 && buffer.payload.length >= wait.atLeastBytes);
  if (buffer.done || buffer.full || enough) {
    stream.awaitsBody = false;
    stream.wait(0);
    return !response && buffer.broken ? 'broken' : 'there';
  }
  if (!stream.timeUp) return 'waiting';
  stream.awaitsBody = stream.timeUp = false;
  return 'late';
}

/** Who waits for a word before it sends the payload would wait for ever: no server has been asked yet. HTTP/1.0 has no such word. */
function sayContinue({ requestHead, client }: Stream): void {
  if (!requestHead.expectContinue || requestHead.version === 0 || requestHead.find(H_EXPECT) < 0) return;
  requestHead.removeAll(H_EXPECT);
  client.write(CONTINUE, 0, CONTINUE.length);
}

/** The server was too slow: 504. HAProxy tells it as of the phase of the rules. */
export function lateResponseBody(stream: Stream): typeof ANSWERED {
  stream.terminate(CAUSE.serverTimeout, 'R');
  answer(stream, errorReply(stream, 504), true);
  return ANSWERED;
}

/** The client was too slow: 408. Or the framing of what it sent is invalid: 400. */
export function refuseBody(stream: Stream, state: 'late' | 'broken'): typeof ANSWERED {
  countFailedRequest(stream);
  if (state === 'broken') stream.countTracked(CLIENT_ERROR);
  stream.terminate(state === 'late' ? CAUSE.clientTimeout : CAUSE.proxy);
  answer(stream, errorReply(stream, state === 'late' ? 408 : 400), false);
  return ANSWERED;
}
