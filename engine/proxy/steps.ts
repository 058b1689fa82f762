/**
 * The steps of a stream, one row each: what is done on entering it, what its time-out and a vanished server mean
 * there, and the letter that the log's termination state shows (manual 8.5, second character).
 *
 *   HTTP  inspect > request > body > frontRules > backend > backInspect > backRules > server > payload > assign ...
 *   TCP   inspect >                               backend > backInspect >             server           > assign ...
 *           └───────────────── upgrade ◄────────────┘        (then as HTTP, from request on)
 *
 *   HTTP  ... assign > (queue) > connect > connected > waiting > response > (backResponse > frontResponse > answer) > transfer > finish
 *   TCP   ... assign > (queue) > connect > connected > tunnel                        > finish
 *                ^                   |
 *                └── (turnaround) < failed
 */

import { dropDefaultPort } from '../http/authority.ts';
import { internalError } from '../rules/answers.ts';
import { DENIED_REQ } from '../shm/counters.ts';
import { enterBackend, takeRequest } from './account.ts';
import { fail } from './answer.ts';
import { chooseBackend } from './choose-backend.ts';
import {
  connected,
  cutResponse,
  finish,
  noResponse,
  noResponseInTime,
  transfer,
  transferTimeout,
  tunnel,
} from './exchange-steps.ts';
import { restrictHeaderNames } from './header-names.ts';
import { prepareRequest } from './request-headers.ts';
import { sendResponse, takeResponse } from './response.ts';
import {
  backResponse,
  backRules,
  bufferBody,
  endTarpit,
  frontResponse,
  frontRules,
  inspectBack,
  inspectFront,
  payload,
  processed,
  tarpit,
  timeIsUp,
} from './rule-steps.ts';
import { applyServerRules } from './server-rules.ts';
import { assign, connect, connectTimeout, failed, queue, queueTimeout, refused, turnaround } from './server-steps.ts';
import { pumpApplet, takeForm } from './stats-applet.ts';
import { type Next, STEP, WAIT } from './step.ts';
import type { Stream } from './stream.ts';
import { CAUSE } from './termination.ts';

export { type Next, STEP, type StepIndex, WAIT } from './step.ts';

export interface Step {
  readonly name: keyof typeof STEP;
  /** Second letter of the termination state when the stream ends here. */
  readonly letter: string;
  readonly run: (stream: Stream) => Next;
  /** The stream's timer fired. */
  readonly timeout: (stream: Stream) => Next;
  /** The server's connection ended before its message did. */
  readonly serverGone: (stream: Stream) => Next;
}

export const STEPS: readonly Step[] = [
  { name: 'idle', letter: '-', run: wait, timeout: wait, serverGone: wait },
  { name: 'inspect', letter: 'R', run: inspectFront, timeout: timeIsUp, serverGone: wait },
  { name: 'upgrade', letter: 'R', run: upgrade, timeout: wait, serverGone: wait },
  { name: 'request', letter: 'R', run: request, timeout: wait, serverGone: wait },
  { name: 'body', letter: 'R', run: bufferBody, timeout: timeIsUp, serverGone: wait },
  { name: 'frontRules', letter: 'R', run: frontRules, timeout: timeIsUp, serverGone: wait },
  { name: 'backend', letter: 'R', run: backend, timeout: wait, serverGone: wait },
  { name: 'backInspect', letter: 'R', run: inspectBack, timeout: timeIsUp, serverGone: wait },
  { name: 'backRules', letter: 'R', run: backRules, timeout: timeIsUp, serverGone: wait },
  { name: 'tarpit', letter: 'T', run: tarpit, timeout: endTarpit, serverGone: wait },
  { name: 'server', letter: 'R', run: server, timeout: wait, serverGone: wait },
  { name: 'payload', letter: 'R', run: payload, timeout: timeIsUp, serverGone: wait },
  { name: 'assign', letter: 'C', run: assign, timeout: wait, serverGone: wait },
  { name: 'queue', letter: 'Q', run: queue, timeout: queueTimeout, serverGone: wait },
  { name: 'connect', letter: 'C', run: connect, timeout: connectTimeout, serverGone: refused },
  { name: 'failed', letter: 'C', run: failed, timeout: wait, serverGone: wait },
  { name: 'turnaround', letter: 'C', run: turnaround, timeout: () => STEP.assign, serverGone: wait },
  { name: 'connected', letter: 'H', run: connected, timeout: wait, serverGone: noResponse },
  { name: 'waiting', letter: 'H', run: wait, timeout: noResponseInTime, serverGone: noResponse },
  { name: 'response', letter: 'H', run: takeResponse, timeout: wait, serverGone: noResponse },
  { name: 'backResponse', letter: 'H', run: backResponse, timeout: timeIsUp, serverGone: wait },
  { name: 'frontResponse', letter: 'H', run: frontResponse, timeout: timeIsUp, serverGone: wait },
  { name: 'answer', letter: 'H', run: sendResponse, timeout: wait, serverGone: noResponse },
  { name: 'transfer', letter: 'D', run: transfer, timeout: transferTimeout, serverGone: cutResponse },
  { name: 'tunnel', letter: 'D', run: tunnel, timeout: transferTimeout, serverGone: cutResponse },
  { name: 'form', letter: 'D', run: takeForm, timeout: timeIsUp, serverGone: wait },
  { name: 'applet', letter: 'D', run: pumpApplet, timeout: pumpApplet, serverGone: wait },
  { name: 'finish', letter: '-', run: finish, timeout: wait, serverGone: wait },
];

STEPS.forEach((step, i) => {
  if (STEP[step.name] !== i) throw new Error(`steps: row ${i} is ${step.name}`);
});

function wait(): Next {
  return WAIT;
}

/** A TCP client speaks HTTP from here on: its stream goes on with `request` when a head is there. */
function upgrade(stream: Stream): Next {
  stream.client.upgrade();
  return WAIT;
}

/** A request head is complete: count it, answer the monitor, note what the logs want to know. */
function request(stream: Stream): Next {
  const { monitor, notes } = stream.frontend;
  takeRequest(stream);
  dropDefaultPort(stream.requestHead);
  const { restrictReqHdrNames } = stream.frontend.proxy.options;
  if (!restrictHeaderNames(stream.requestHead, restrictReqHdrNames)) return deny(stream);
  const monitored = monitor === null ? null : monitor(stream);
  if (monitored !== null) return monitored;
  notes?.request(stream);
  // An upgrade that the backend asked for: it was chosen already.
  return stream.backend === null ? STEP.body : STEP.backInspect;
}

/** Which backend takes it. */
function backend(stream: Stream): Next {
  const chosen = chooseBackend(stream);
  if (chosen === null) {
    // HAProxy finds out when it looks for a server.
    stream.terminate(CAUSE.server, 'C');
    return fail(stream, 503, CAUSE.server);
  }
  enterBackend(stream, chosen);
  // What rules of the frontend have set is for its own servers.
  if (chosen.index !== stream.frontend.index) {
    stream.timeouts = chosen.proxy.timeouts;
    stream.retries = -1;
  }
  stream.retriesLeft = stream.retries < 0 ? chosen.proxy.retries : stream.retries;
  if (stream.http === (chosen.proxy.mode === 'http')) return STEP.backInspect;
  // HTTP has no way back to a TCP server.
  return stream.http ? fail(stream, 500, CAUSE.internal) : STEP.upgrade;
}

/** The request as the server will see it; `use-server` and persistence rules choose the server. */
function server(stream: Stream): Next {
  applyServerRules(stream);
  if (!stream.http) return processed(stream);
  const { restrictReqHdrNames } = stream.backend!.proxy.options;
  if (!restrictHeaderNames(stream.requestHead, restrictReqHdrNames)) return deny(stream);
  if (prepareRequest(stream)) return STEP.payload;
  internalError(stream);
  return STEP.finish;
}

function deny(stream: Stream): Next {
  stream.requestAt = stream.now;
  const { counters } = stream.context;
  counters[stream.frontend.row + DENIED_REQ]! += 1;
  if (stream.backend !== null) counters[stream.backend.row + DENIED_REQ]! += 1;
  return fail(stream, 403, CAUSE.proxy);
}
