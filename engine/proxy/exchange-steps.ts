/**
 * The steps of a stream that has a connection to its server: what goes out, the wait for a response, payload both ways, the
 * end. Rules about the response are in rule-steps.ts, the response itself is in response.ts.
 */
import { CLI_ABORTS, FAILED_RESP, FAILED_REWRITES, SRV_ABORTS } from '../shm/counters.ts';
import { SERVER_FAILURE } from '../stick/tracking.ts';
import { finishStream } from './account.ts';
import { fail } from './answer.ts';
import { forgetPayload, repeatable, tryAgain } from './layer7-retry.ts';
import { nameServer } from './request-headers.ts';
import { type Next, STEP, WAIT } from './step.ts';
import { storeServer } from './stick-rules.ts';
import type { Stream } from './stream.ts';
import { CAUSE } from './termination.ts';
import { introduction } from './tls-server.ts';

/** There is a connection: the request goes out, then whatever the client has to send. */
export function connected(stream: Stream): Next {
  stream.connectedAt = stream.now;
  if (stream.frontend.logsServerLocal) stream.serverLocal = stream.serverSide!.conn?.local() ?? null;
  stream.step = stream.http ? STEP.waiting : STEP.tunnel;
  stream.session.lastServer = stream.server;
  if (!stream.serverSide!.reused) stream.observe('connected');
  introduce(stream);
  const { sendNameHeader } = stream.backend!.proxy;
  if (sendNameHeader !== null && stream.http && !nameServer(stream, sendNameHeader)) stream.count(FAILED_REWRITES);
  stream.serverSide!.request();
  stream.accepting = true;
  stream.touchServer();
  if (!stream.http) storeServer(stream);
  stream.context.events.streamConnected(stream);
  // TCP: what needs no bytes of the server is decided before it gets any.
  const next = !stream.http && stream.holdsResponse ? stream.inspectResponse() : WAIT;
  if (next !== STEP.finish && stream.serverSide !== null) stream.client.resume();
  return next;
}

/** `send-proxy`: a new connection begins with who the client is. */
function introduce(stream: Stream): void {
  const { conn, reused } = stream.serverSide!;
  // Before TLS it was sent already.
  if (reused || conn === null || stream.server!.usesTls) return;
  const header = introduction(stream, stream.server!);
  if (header !== null) conn.send(header, 0, header.length);
}

export function noResponseInTime(stream: Stream): Next {
  if (stream.serverMayGoOn()) return WAIT;
  stream.observe('timeout');
  const next = tryAgain(stream, 'response-timeout');
  if (next !== null) return next;
  stream.countTracked(SERVER_FAILURE);
  stream.countServer(FAILED_RESP);
  return fail(stream, 504, CAUSE.serverTimeout);
}

/** The server closed without a response. On a pooled connection it may not have seen the request: see `repeatable`. */
export function noResponse(stream: Stream): Next {
  if (stream.halfClosed) {
    stream.countServer(CLI_ABORTS);
    return fail(stream, 400, CAUSE.client);
  }
  if (repeatable(stream)) {
    stream.dropServerSide();
    stream.mustOpen = true;
    return STEP.connect;
  }
  stream.observe(stream.errno === 0 ? 'closed' : 'readError');
  const early = stream.earlyRejected;
  stream.earlyRejected = false;
  const junk = stream.serverSide?.partial ? 'junk-response' : 'empty-response';
  const next = tryAgain(stream, early ? '0rtt-rejected' : junk);
  if (next !== null) return next;
  if (stream.http && !stream.first) return leaveToClient(stream);
  stream.countTracked(SERVER_FAILURE);
  stream.countServer(FAILED_RESP);
  return fail(stream, early ? 425 : 502, CAUSE.server);
}

/**
 * A client that had answers on its connection takes its end as the sign to ask again (RFC 9112 9.3.1): it gets no error, and
 * nothing is counted or logged, as in HAProxy.
 */
function leaveToClient(stream: Stream): Next {
  stream.silent = stream.leftToClient = true;
  stream.terminate(CAUSE.server);
  return STEP.finish;
}

/** The exchange goes on until both messages are complete: a response may well come before the request has ended. */
export function transfer(stream: Stream): Next {
  return stream.responseDone && stream.requestDone ? STEP.finish : WAIT;
}

/** Both directions end on their own. */
export function tunnel(stream: Stream): Next {
  return stream.responseDone && stream.requestDone ? STEP.finish : WAIT;
}

export function transferTimeout(stream: Stream): Next {
  if (stream.holdsResponse) {
    stream.timeUp = true;
    return stream.inspectResponse();
  }
  if (stream.serverMayGoOn()) return WAIT;
  // Both sides of a silent tunnel run out of time at once: HAProxy tells it of the client.
  if (stream.step === STEP.tunnel && stream.waitsForClient() && stream.session.late()) {
    stream.clientGone(CAUSE.clientTimeout);
    if (!stream.active) return WAIT;
  }
  if (stream.cause === CAUSE.none) stream.countServer(SRV_ABORTS);
  stream.terminate(CAUSE.serverTimeout);
  return stream.serverEndsBySilence() ? WAIT : STEP.finish;
}

export function cutResponse(stream: Stream): Next {
  if (stream.halfClosed) {
    stream.terminate(CAUSE.client);
    stream.countServer(CLI_ABORTS);
    return STEP.finish;
  }
  stream.terminate(CAUSE.server);
  stream.countServer(SRV_ABORTS);
  stream.countServer(FAILED_RESP);
  return STEP.finish;
}

export function finish(stream: Stream): Next {
  stream.step = STEP.idle;
  forgetPayload(stream);
  finishStream(stream);
  return WAIT;
}
