/**
 * The statistics page as an answer to a request. The dump is made piece by piece, a piece a turn, and only as fast as the
 * client reads: a page of thousands of servers neither holds up the loop nor fills the memory.
 */
import type { Proxy, StatsPage } from '../config/model.ts';
import { textOf } from '../http/chars.ts';
import { H_AUTHORIZATION } from '../http/names.ts';
import { type Field, headOnly, reply } from '../http/reply.ts';
import { LAST_CHUNK, CRLF, writeChunkSize } from '../http/write.ts';
import { LOW_WATER_BYTES } from '../limits.ts';
import type { Dump } from '../stats/out.ts';
import { statsReply } from '../stats/reply.ts';
import { Reply } from './errors.ts';
import { type Next, STEP, WAIT } from './steps.ts';
import type { Stream } from './stream.ts';

/** Answers if the request is for the page; null = it is not. */
export function openStats(stream: Stream, proxy: Proxy, page: StatsPage): Next | null {
  const head = stream.requestHead;
  const authorization = head.find(H_AUTHORIZATION);
  const answer = statsReply(
    stream.context.view,
    page,
    proxy,
    {
      method: textOf(head.bytes, head.methodStart, head.methodEnd),
      uri: textOf(head.uriBytes, head.uriStart, head.uriEnd),
      authorization: authorization < 0 ? null : head.textOf(authorization),
      form: null,
    },
    stream.now,
  );
  if (answer === null) return null;
  stream.status = answer.status;
  if (answer.body === null) {
    stream.client.reply(new Reply(reply(answer.status, answer.headers, '')), true);
    return STEP.finish;
  }
  const chunked = head.version === 1;
  const framing: Field = chunked ? ['transfer-encoding', 'chunked'] : ['connection', 'close'];
  stream.client.open(new Reply(headOnly(answer.status, [...answer.headers, framing])), chunked);
  stream.applet = answer.body;
  return STEP.applet;
}

/** How soon the next piece follows when the client takes all: the next turn. Milliseconds. */
const NEXT_PIECE_MS = 1;

/** Sends pieces while the client takes them; the step of a stream that is answered by a dump. */
export function pumpApplet(stream: Stream): Next {
  const dump: Dump = stream.applet!;
  if (stream.client.pending > LOW_WATER_BYTES) return WAIT;
  const piece = dump.next();
  const chunked = stream.requestHead.version === 1;
  if (piece === null) {
    if (chunked) stream.client.write(LAST_CHUNK, 0, LAST_CHUNK.length);
    stream.applet = null;
    stream.responseDone = true;
    return STEP.finish;
  }
  if (chunked) {
    const { scratch } = stream.context;
    stream.client.write(scratch, 0, writeChunkSize(scratch, 0, piece.length));
  }
  stream.client.write(piece, 0, piece.length);
  if (chunked) stream.client.write(CRLF, 0, CRLF.length);
  stream.wait(NEXT_PIECE_MS);
  return WAIT;
}
