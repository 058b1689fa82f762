/**
 * The statistics page as an answer to a request. The dump is made piece by piece, a piece a turn, and only as fast as the
 * client reads: a page of thousands of servers neither holds up the loop nor fills the memory. The form of `stats admin`
 * is gathered first: to the stream it is a server that takes the request's payload.
 */
import type { Proxy, StatsPage } from '../config/proxy-model.ts';
import { isExactly, latin1, textOf } from '../http/chars.ts';
import { H_AUTHORIZATION, METHOD_POST } from '../http/names.ts';
import { type Field, headOnly, reply } from '../http/reply.ts';
import { CRLF, LAST_CHUNK, writeChunkSize } from '../http/write.ts';
import type { Chunk } from '../io/contract.ts';
import { BUFSIZE_BYTES, DUMP_BYTES_PER_MS, HIGH_WATER_BYTES } from '../limits.ts';
import { editReply } from '../rules/after-response.ts';
import { YES } from '../sample/condition.ts';
import { type Dump, PIECE_BYTES } from '../stats/out.ts';
import { statsReply } from '../stats/reply.ts';
import { answer as sendReply } from './answer.ts';
import type { LocalReply } from './local-replies.ts';
import { Reply } from './reply.ts';
import { applyRules } from './rule-steps.ts';
import { HERE, statsAdmin } from './rules.ts';
import type { ServerSide } from './sides.ts';
import { type Next, STEP, WAIT } from './steps.ts';
import type { Stream } from './stream.ts';

/** Answers requests for the statistics page `page` of `proxy`. */
export function statsPage(proxy: Proxy, page: StatsPage): LocalReply {
  const uri = latin1(page.uri);
  return stream => {
    const { uriBytes, uriStart, uriEnd, methodId } = stream.requestHead;
    const end = uriStart + uri.length;
    if (end > uriEnd || !isExactly(uriBytes, uriStart, end, uri)) return null;
    const rules = (stream.backend ?? stream.frontend).lists.stats;
    const ruled = rules === null ? null : applyRules(stream, rules, false, true);
    if (ruled !== null) return ruled;
    if (methodId !== METHOD_POST || stream.requestDone) return answer(stream, proxy, page, '');
    stream.serverSide = new FormReader(form => stream.goto(answer(stream, proxy, page, form) ?? STEP.finish));
    stream.accepting = true;
    return STEP.applet;
  };
}

/** Sends the head of the answer; null = the method is none of the page's. */
function answer(stream: Stream, proxy: Proxy, page: StatsPage, form: string): Next | null {
  const { context } = stream;
  const head = stream.requestHead;
  const slot = head.find(H_AUTHORIZATION);
  const request = {
    method: textOf(head.bytes, head.methodStart, head.methodEnd),
    uri: textOf(head.uriBytes, head.uriStart, head.uriEnd),
    authorization: slot < 0 ? null : textOf(head.bytesOf(slot), head.valueStart[slot]!, head.valueEnd[slot]!),
    form,
  };
  const made = statsReply(context.view, seenBy(stream, proxy, page), proxy, request, stream.now, context.admin);
  if (made === null) return null;
  return serveDump(stream, made.status, made.headers, made.body);
}

/** Sends the head of an answer, and then the dump that it holds; null = it has no body. */
export function serveDump(stream: Stream, status: number, headers: readonly Field[], body: Dump | null): Next {
  stream.status = status;
  stream.assignedAt = stream.connectedAt = stream.responseAt = stream.now;
  if (body === null) {
    sendReply(stream, new Reply(reply(status, headers, '')), true);
    return STEP.finish;
  }
  const chunked = stream.requestHead.version === 1;
  const framing: readonly Field[] = chunked ? [['transfer-encoding', 'chunked']] : [];
  const opening = new Reply(headOnly(status, [...headers, ...framing]));
  stream.client.open(editReply(stream, opening), chunked);
  stream.applet = body;
  stream.pieceAt = stream.now;
  stream.context.dumps += 1;
  return STEP.applet;
}

/** The page as this client gets it: with the form of `stats admin` only when one of its conditions holds. */
function seenBy(stream: Stream, proxy: Proxy, page: StatsPage): StatsPage {
  if (!page.admin) return page;
  HERE.at(stream);
  const holds = statsAdmin(stream.context, proxy).some(condition => condition(HERE) === YES);
  return holds ? page : { ...page, admin: false };
}

/** How soon the next piece follows when the client takes all: the next turn. Milliseconds. */
const NEXT_PIECE_MS = 1;

/**
 * Bytes of the next piece. All dumps of a worker together make DUMP_BYTES_PER_MS: where there are many, each takes longer, and
 * the traffic beside them does not. Turns that took long bring larger pieces, up to a whole one.
 */
function pieceBytes(stream: Stream): number {
  const ms = Math.max(NEXT_PIECE_MS, stream.now - stream.pieceAt);
  stream.pieceAt = stream.now;
  return Math.min(PIECE_BYTES, DUMP_BYTES_PER_MS * ms) / stream.context.dumps;
}

/** Sends a piece if the client takes it; the step of a stream that is answered by a dump. */
export function pumpApplet(stream: Stream): Next {
  const { applet, client } = stream;
  if (applet === null) {
    // A form is still to come; what came of it already is waiting.
    client.resume();
    return WAIT;
  }
  // Above, and only above, `onDrain` will come.
  if (client.pending > HIGH_WATER_BYTES) return WAIT;
  const piece = applet.next(pieceBytes(stream));
  const chunked = stream.requestHead.version === 1;
  if (piece === null) {
    if (chunked) client.write(LAST_CHUNK, 0, LAST_CHUNK.length);
    stream.responseDone = true;
    return STEP.finish;
  }
  if (chunked) {
    const { scratch } = stream.context;
    client.write(scratch, 0, writeChunkSize(scratch, 0, piece.length));
  }
  client.write(piece, 0, piece.length);
  if (chunked) client.write(CRLF, 0, CRLF.length);
  stream.wait(NEXT_PIECE_MS);
  return WAIT;
}

/** Gathers the payload of a POST; too long a form arrives cut, and says so by its length. */
class FormReader implements ServerSide {
  readonly conn = null;
  readonly reused = false;
  readonly partial = false;
  readonly #done: (form: string) => void;
  #form = '';

  constructor(done: (form: string) => void) {
    this.#done = done;
  }

  data(chunk: Chunk, start: number, end: number): void {
    this.write(chunk.bytes, start, end);
  }

  write(bytes: Uint8Array, start: number, end: number): void {
    const room = BUFSIZE_BYTES + 1 - this.#form.length;
    this.#form += textOf(bytes, start, Math.min(end, start + room));
  }

  end(): void {
    this.#done(this.#form);
  }

  buffered(): null {
    return null;
  }

  gather(): never {
    throw new Error('applet: there is no payload of a response to wait for');
  }

  request(): void {}
  pause(): void {}
  resume(): void {}
  tunnel(): void {}
  release(): void {}
}
