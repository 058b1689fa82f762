/** Waiting for the payload of a request: `option http-buffer-request`, `http-request wait-for-body`. */
import { latin1 } from '../http/chars.ts';
import { H_EXPECT } from '../http/names.ts';
import { ANSWERED } from '../rules/action.ts';
import { FAILED_REQ } from '../shm/counters.ts';
import { answer } from './answer.ts';
import type { Stream } from './stream.ts';
import { CAUSE } from './termination.ts';

const CONTINUE = latin1('HTTP/1.1 100 Continue\r\n\r\n');

/**
 * Where the payload stands: there (all of it, `atLeastBytes` of it if that is not 0, or as much as the buffer holds), still
 * to come, or late, when `ms` have passed since the first call. While it is to come the client's side gathers it and the
 * stream's step is run again as it comes.
 */
export function awaitBody(stream: Stream, ms: number, atLeastBytes: number): 'there' | 'waiting' | 'late' {
  if (stream.requestDone) return 'there';
  const { client, requestHead } = stream;
  const buffer = client.gather();
  if (!stream.awaitsBody) {
    stream.awaitsBody = true;
    stream.timeUp = false;
    stream.wait(ms);
    // Who waits for a word before it sends the payload would wait for ever: no server has been asked yet.
    if (requestHead.find(H_EXPECT) >= 0) {
      requestHead.removeAll(H_EXPECT);
      client.write(CONTINUE, 0, CONTINUE.length);
    }
  }
  const enough = atLeastBytes > 0 && buffer.payload.length >= atLeastBytes;
  if (buffer.done || buffer.full || enough) {
    stream.awaitsBody = false;
    stream.wait(0);
    return 'there';
  }
  if (!stream.timeUp) return 'waiting';
  stream.awaitsBody = stream.timeUp = false;
  return 'late';
}

/** The client was too slow: 408. */
export function lateBody(stream: Stream): typeof ANSWERED {
  stream.context.counters[stream.frontend.row + FAILED_REQ]! += 1;
  stream.terminate(CAUSE.clientTimeout);
  answer(stream, (stream.backend ?? stream.frontend).errors.get(408), false);
  return ANSWERED;
}
