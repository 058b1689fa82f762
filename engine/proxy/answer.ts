/** Answers of our own: a whole response, of which `http-after-response` rules have the last word. */
import { editReply } from '../rules/after-response.ts';
import { errorReply } from './errors.ts';
import type { Reply } from './reply.ts';
import { type Next, STEP } from './step.ts';
import type { Stream } from './stream.ts';
import type { Cause } from './termination.ts';

/** Answers the stream's request. `keep`: the client's connection may go on. */
export function answer(stream: Stream, reply: Reply, keep: boolean): void {
  stream.status = reply.status;
  stream.responseAt = 0;
  const sent = editReply(stream, reply);
  stream.client.reply(sent, keep && !sent.closes);
}

/** Ends the stream with an error: HAProxy's page or the configured one in HTTP, a close in TCP. */
export function fail(stream: Stream, status: number, cause: Cause): Next {
  stream.terminate(cause);
  if (stream.http) answer(stream, errorReply(stream, status), true);
  return STEP.finish;
}
