/** The response head of a server on its way to the client: interim responses, upgrades, then the payload. */
import { dropForbiddenLengths } from '../http/hop.ts';
import { METHOD_CONNECT } from '../http/names.ts';
import { editResponse } from '../rules/after-response.ts';
import { setPersistence } from './persistence.ts';
import { responseRules } from './rule-steps.ts';
import { type Next, STEP } from './steps.ts';
import type { Stream } from './stream.ts';

export function sendResponse(stream: Stream): Next {
  const head = stream.responseHead;
  dropForbiddenLengths(head);
  if (head.status < 200 && head.status !== 101) {
    stream.client.respond(head);
    return STEP.waiting;
  }
  stream.responseAt = stream.now;
  stream.status = head.status;
  const opens = head.status === 101 || (stream.requestHead.methodId === METHOD_CONNECT && head.status < 300);
  stream.frontend.notes?.response(stream);
  const ruled = responseRules(stream);
  if (ruled !== null) return ruled;
  setPersistence(stream);
  editResponse(stream);
  stream.client.respond(head);
  stream.context.events.streamAnswered(stream);
  if (opens) return openTunnel(stream);
  return STEP.transfer;
}

/** Both sides pass bytes from now on; what the client sent early goes first. */
function openTunnel(stream: Stream): Next {
  stream.requestDone = false;
  stream.step = STEP.tunnel;
  stream.serverSide!.tunnel();
  stream.client.tunnel();
  stream.touchServer();
  stream.client.resume();
  return STEP.tunnel;
}
