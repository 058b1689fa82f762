/** How a client's HTTP/1 connection ends, or what was to be a request: what is refused, cut off, listened out. */

import { CUR_H1_CONNS, FAILED_REQ } from '../shm/counters.ts';
import { CLIENT_ERROR } from '../stick/tracking.ts';
import { countFailedRequest, takeRequest } from './account.ts';
import { fail } from './answer.ts';
import { listenOut } from './closing.ts';
import type { Http1Client } from './http1-client.ts';
import { STEP } from './steps.ts';
import type { Stream } from './stream.ts';
import { CAUSE, type Cause } from './termination.ts';

/** After an answer that the client may not have read while it was still sending: how long we listen on. Milliseconds. */
const LINGER_MS = 1000;

/** No request came out of what the client sent, or did not send: an error answer, a count, a log line. */
export function refuse(client: Http1Client, status: number, cause: Cause): void {
  const stream = client.exchange!;
  takeRequest(stream);
  stream.countTracked(CLIENT_ERROR);
  stream.refused = true;
  countFailedRequest(stream);
  stream.terminate(cause);
  stream.status = status;
  client.keep = false;
  stream.responseDone = true;
  const page = stream.frontend.errors.early(status);
  client.send(page, 0, page.length);
  stream.goto(STEP.finish);
}

/** The client ended, or let the time run out, without a request. Only a first one that never came is worth telling. */
export function noRequest(client: Http1Client, status: number, cause: Cause): void {
  const { options } = client.session.frontend.proxy;
  if (client.requests > 0 || options.httpIgnoreProbes) {
    close(client);
    return;
  }
  client.begin();
  client.exchange!.firstByteAt = 0;
  refuse(client, status, cause);
}

/** The framing of the request's payload is invalid: what follows cannot be trusted. */
export function badBody(client: Http1Client, stream: Stream): void {
  stream.count(FAILED_REQ);
  stream.countTracked(CLIENT_ERROR);
  client.keep = false;
  if (!stream.responded) stream.goto(fail(stream, 400, CAUSE.proxy));
  else stream.clientGone(CAUSE.proxy);
}

/** Ends the connection once its output has left. */
export function close(client: Http1Client): void {
  client.phase = 'over';
  client.session.wait(client.session.frontend.proxy.timeouts.clientMs);
  client.conn?.close();
}

/** The response cannot be completed: the connection ends, so that the client sees it. */
export function cut(client: Http1Client, cause: Cause): void {
  const { nolinger } = client.session.frontend.proxy.options;
  // A client that does not read what it was sent will not read the rest either; any other is to get what there is.
  if (nolinger || cause === CAUSE.clientTimeout) {
    client.phase = 'over';
    client.conn?.abort(nolinger);
  } else close(client);
}

/**
 * The last answer is on its way: the session is over. Unless the client has said so itself, the connection is listened
 * to a little longer: a client that sends its next request now would otherwise see a reset instead of the answer.
 */
export function part(client: Http1Client): void {
  const conn = client.conn!;
  const { context } = client.session;
  client.phase = 'over';
  client.conn = null;
  client.forget();
  client.count(CUR_H1_CONNS, -1);
  const { clientMs } = client.session.frontend.proxy.timeouts;
  listenOut(context, conn, client.ended || client.last, conn.pending > 0 && clientMs !== 0 ? clientMs : LINGER_MS);
  client.session.closed();
}

/** The client may still be sending, or sends its next request now: a close would reset the connection under the answer. */
export function linger(client: Http1Client): void {
  client.phase = 'over';
  client.session.wait(LINGER_MS);
  if (client.ended) client.conn?.close();
  else {
    client.conn?.shutdown();
    if (!client.consuming) client.resume();
  }
}

/** The client's time-out ran out: it may have taken output meanwhile, else it is to blame or has nothing to send. */
export function late(client: Http1Client): void {
  const stream = client.exchange;
  const pending = client.pending;
  if (client.phase === 'over') client.conn?.abort(false);
  else if (client.phase === 'idle' && pending > 0 && pending < client.pendingWhenArmed) client.touch();
  else if (client.phase === 'idle') noRequest(client, 408, CAUSE.clientTimeout);
  else if (client.phase === 'head') refuse(client, 408, CAUSE.clientTimeout);
  else if (pending > 0 && pending < client.pendingWhenArmed) client.touch();
  else if (pending > 0 || stream!.waitsForClient()) stream!.clientGone(CAUSE.clientTimeout);
  else if (client.phase === 'tunnel' || client.phase === 'body') client.touch();
}
