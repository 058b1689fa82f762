/** Sending a whole response of our own: `http-after-response` rules have the last word. */
import { editReply } from '../rules/after-response.ts';
import type { Reply } from './reply.ts';
import type { Stream } from './stream.ts';

/** Answers the stream's request. `keep`: the client's connection may go on. */
export function answer(stream: Stream, reply: Reply, keep: boolean): void {
  stream.status = reply.status;
  const sent = editReply(stream, reply);
  stream.client.reply(sent, keep && !sent.closes);
}
