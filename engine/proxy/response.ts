/** The response head of a server on its way to the client: interim responses, upgrades, then the payload. */

import { statusEvent } from '../health/observe.ts';
import { BODY_NONE, responseBody } from '../http/body.ts';
import { H_CONTENT_LENGTH, H_TRANSFER_ENCODING, METHOD_CONNECT, METHOD_HEAD } from '../http/names.ts';
import { editResponse } from '../rules/after-response.ts';
import { internalError } from '../rules/answers.ts';
import { DENIED_RESP, FAILED_RESP } from '../shm/counters.ts';
import { statusEvent as trackedStatus } from '../stick/tracking.ts';
import { countResponse } from './account.ts';
import { fail } from './answer.ts';
import { leaksCookie } from './cacheable.ts';
import { chunkResponse } from './chunker.ts';
import { compressResponse, decideCompression } from './compression.ts';
import { setPersistence } from './persistence.ts';
import { inspectHead } from './rule-steps.ts';
import { type Next, STEP, type StepIndex, WAIT } from './steps.ts';
import { storeServer } from './stick-rules.ts';
import type { Stream } from './stream.ts';
import { CAUSE } from './termination.ts';

/** A head came: counts it, passes it on when it is interim, else lets rules look at it. */
export function takeResponse(stream: Stream): Next {
  const head = stream.responseHead;
  const { status } = head;
  if (status < 200 && status !== 101) {
    countResponse(stream, status);
    stream.observe(statusEvent(status));
    stream.client.respond(head);
    return STEP.waiting;
  }
  const cut = inspectHead(stream) ?? (stream.closing ? leave(stream) : null);
  if (cut !== null) return cut;
  stream.responseAt = stream.now;
  countResponse(stream, status);
  if (status === 101 && !(stream.requestHead.connectionUpgrade && head.connectionUpgrade)) return refuse(stream);
  stream.status = stream.serverStatus = status;
  stream.observe(statusEvent(status));
  stream.opensTunnel = status === 101 || (stream.requestHead.sentMethodId === METHOD_CONNECT && status < 300);
  const tracked = trackedStatus(stream.context.model, status);
  if (tracked !== null) stream.countTracked(tracked);
  stream.frontend.notes?.response(stream);
  storeServer(stream);
  if (stream.acceptedFormat !== null) decideCompression(stream);
  return hasRules(stream) ? STEP.backResponse : sendResponse(stream);
}

function hasRules({ backend, frontend }: Stream): boolean {
  return backend!.lists.response !== null || frontend.lists.response !== null;
}

/** The final head leaves, as the rules have left it. */
export function sendResponse(stream: Stream): Next {
  const head = stream.responseHead;
  if (stream.backend!.proxy.options.checkcache && leaksCookie(stream.requestHead, head)) return deny(stream);
  setPersistence(stream);
  if (!editResponse(stream)) {
    internalError(stream);
    return STEP.finish;
  }
  if (stream.compression !== null) compressResponse(stream);
  if (!chunkResponse(stream) || !tellEmpty(stream)) return fail(stream, 500, CAUSE.proxy);
  stream.client.respond(head);
  stream.context.events.streamAnswered(stream);
  stream.step = stream.opensTunnel ? openTunnel(stream) : STEP.transfer;
  return stream.holdsResponse ? letGo(stream) : stream.step;
}

/**
 * A rule had the server asked with HEAD (`set-method`): the client, which did not ask so, must not wait for the payload that
 * the head tells of. HAProxy has it wait. False when there is no room in the head.
 */
function tellEmpty({ requestHead, responseHead: head }: Stream): boolean {
  const { methodId, sentMethodId } = requestHead;
  if (sentMethodId !== METHOD_HEAD || methodId === METHOD_HEAD) return true;
  if (responseBody(head, methodId) === BODY_NONE) return true;
  head.removeAll(H_CONTENT_LENGTH);
  head.removeAll(H_TRANSFER_ENCODING);
  return head.add('content-length', '0');
}

/** What came behind the head while rules waited follows it. */
function letGo(stream: Stream): Next {
  stream.holdsResponse = false;
  stream.touchServer();
  stream.serverSide!.resume();
  return WAIT;
}

/** `tcp-response content close`: the server is left before it has said anything that counts. */
function leave(stream: Stream): Next {
  stream.countServer(FAILED_RESP);
  return fail(stream, 502, CAUSE.server);
}

/** A server must not switch to a protocol that nobody asked for, or that it does not say (RFC 9110 7.8, 15.2.2). */
function refuse(stream: Stream): Next {
  stream.countServer(FAILED_RESP);
  return fail(stream, 502, CAUSE.proxy);
}

/** `option checkcache`: the response would put one client's cookie into a cache that serves others. */
function deny(stream: Stream): Next {
  stream.countServer(DENIED_RESP);
  stream.context.counters[stream.frontend.row + DENIED_RESP]! += 1;
  return fail(stream, 502, CAUSE.proxy);
}

/** Both sides pass bytes from now on; what the client sent early goes first. */
function openTunnel(stream: Stream): StepIndex {
  stream.requestDone = false;
  stream.step = STEP.tunnel;
  stream.serverSide!.tunnel();
  stream.client.tunnel();
  stream.touchServer();
  stream.client.resume();
  return STEP.tunnel;
}
