/** `redir` of a server line (manual 5.2): GET and HEAD are sent to the server by the client itself. */
import { textOf } from '../http/chars.ts';
import { errorLocation } from '../http/errors.ts';
import { METHOD_GET, METHOD_HEAD } from '../http/names.ts';
import { UriParts } from '../http/uri.ts';
import { enterServer } from './account.ts';
import { answer } from './answer.ts';
import { Reply } from './reply.ts';
import { type Next, STEP } from './steps.ts';
import type { Stream } from './stream.ts';
import { CAUSE } from './termination.ts';

const parts = new UriParts();

/** Answers 302 if the stream's server has a `redir` prefix and the method allows it; null = the request goes on. */
export function redirectToServer(stream: Stream): Next | null {
  const { redir } = stream.server!.config;
  const head = stream.requestHead;
  if (redir === null || !stream.http) return null;
  if (head.methodId !== METHOD_GET && head.methodId !== METHOD_HEAD) return null;
  enterServer(stream);
  parts.split(head.uriBytes, head.uriStart, head.uriEnd);
  const path = textOf(head.uriBytes, parts.pathStart, head.uriEnd);
  stream.terminate(CAUSE.local);
  answer(stream, new Reply(errorLocation(302, `${redir}${path}`)), false);
  return STEP.finish;
}
