/**
 * The statistics page as an answer to a request. The dump is made piece by piece, a piece a turn, and only as fast as the
 * client reads: a page of thousands of servers neither holds up the loop nor fills the memory. The form of `stats admin`
 * is gathered first.
 */
import type { Proxy, StatsPage } from '../config/proxy-model.ts';
import { isExactly, latin1, textOf } from '../http/chars.ts';
import { authRequired } from '../http/errors.ts';
import { H_AUTHORIZATION, METHOD_GET, METHOD_HEAD, METHOD_POST } from '../http/names.ts';
import { type Field, headOnly, reply } from '../http/reply.ts';
import { CRLF, LAST_CHUNK, writeChunkSize } from '../http/write.ts';
import { DUMP_BYTES_PER_MS, HIGH_WATER_BYTES } from '../limits.ts';
import { editReply } from '../rules/after-response.ts';
import { answerLocally } from '../rules/answers.ts';
import { YES } from '../sample/condition.ts';
import { type Dump, PIECE_BYTES } from '../stats/out.ts';
import { isAllowed, statsReply } from '../stats/reply.ts';
import { CLIENT_ERROR } from '../stick/tracking.ts';
import { answer as sendReply } from './answer.ts';
import { awaitBody, refuseBody } from './body-wait.ts';
import { compressReply, decideReply } from './compression.ts';
import type { LocalReply } from './local-replies.ts';
import { Reply } from './reply.ts';
import { applyRules } from './rule-steps.ts';
import { HERE, statsAdmin } from './rules.ts';
import { type Next, STEP, WAIT } from './steps.ts';
import type { Stream } from './stream.ts';

/** A request with another one is not for the page. */
const METHODS: readonly number[] = [METHOD_GET, METHOD_HEAD, METHOD_POST];

/** Answers requests for the statistics page `page` of `proxy`. */
export function statsPage(proxy: Proxy, page: StatsPage): LocalReply {
  const uri = latin1(page.uri);
  return stream => {
    const { uriBytes, uriStart, uriEnd, methodId } = stream.requestHead;
    const end = uriStart + uri.length;
    if (end > uriEnd || !METHODS.includes(methodId) || !isExactly(uriBytes, uriStart, end, uri)) return null;
    stream.service = 'stats';
    const rules = (stream.backend ?? stream.frontend).lists.stats;
    const ruled = rules === null ? null : applyRules(stream, rules, false, true);
    if (ruled !== null) return ruled;
    if (!isAllowed(page, authorizationOf(stream))) return askForUser(stream, page);
    return methodId === METHOD_POST ? STEP.form : answer(stream, proxy, page, '');
  };
}

/** The step of a POST to the page: the payload, or as much of it as a buffer holds, then the answer. */
export function takeForm(stream: Stream): Next {
  const { proxy } = stream.backend ?? stream.frontend;
  const { httpRequestMs, clientMs } = stream.frontend.proxy.timeouts;
  const state = awaitBody(stream, { ms: httpRequestMs || clientMs, atLeastBytes: 0, large: false }, false);
  if (state === 'waiting') return WAIT;
  if (state !== 'there') {
    refuseBody(stream, state);
    return STEP.finish;
  }
  const { done, payload } = stream.client.gather();
  const form = done ? textOf(payload, 0, payload.length) : null;
  return answer(stream, proxy, proxy.stats!, form) ?? STEP.finish;
}

/** Sends the head of the answer; null = the method is none of the page's. */
function answer(stream: Stream, proxy: Proxy, page: StatsPage, form: string | null): Next | null {
  const { context } = stream;
  const head = stream.requestHead;
  const request = {
    method: textOf(head.bytes, head.methodStart, head.methodEnd),
    uri: textOf(head.uriBytes, head.uriStart, head.uriEnd),
    form,
  };
  const made = statsReply(context.view, seenBy(stream, proxy, page), proxy, request, stream.now, context.admin);
  if (made === null) return null;
  return serveDump(stream, made.status, made.headers, made.body);
}

function authorizationOf({ requestHead: head }: Stream): string | null {
  const slot = head.find(H_AUTHORIZATION);
  return slot < 0 ? null : textOf(head.bytesOf(slot), head.valueStart[slot]!, head.valueEnd[slot]!);
}

/** `stats auth`: as `http-request auth` does. */
function askForUser(stream: Stream, { realm }: StatsPage): Next {
  stream.countTracked(CLIENT_ERROR);
  answerLocally(stream, new Reply(authRequired(401, realm)));
  return STEP.finish;
}

/** Sends the head of an answer, and then the dump that it holds; null = it has no body. */
export function serveDump(stream: Stream, status: number, headers: readonly Field[], body: Dump | null): Next {
  stream.status = status;
  stream.requestAt = stream.assignedAt = stream.connectedAt = stream.responseAt = stream.now;
  if (body === null) {
    // The length of what GET would get is not known.
    const head = stream.requestHead.methodId === METHOD_HEAD ? headOnly(status, headers) : reply(status, headers, '');
    sendReply(stream, new Reply(head), true);
    // The page has answered, not the proxy.
    stream.responseAt = stream.now;
    return STEP.finish;
  }
  const chunked = stream.requestHead.version === 1;
  const framing: readonly Field[] = chunked ? [['transfer-encoding', 'chunked']] : [];
  const opening = new Reply(headOnly(status, [...headers, ...framing]));
  decideReply(stream, opening);
  stream.client.open(compressReply(stream, editReply(stream, opening)), chunked);
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
  const { client } = stream;
  const applet = stream.applet!;
  if (stream.responseDone) return STEP.finish;
  // Above, and only above, `onDrain` will come.
  if (client.pending > HIGH_WATER_BYTES) return WAIT;
  if (stream.responseFilters?.holding === true) return nextTurn(stream);
  const piece = applet.next(pieceBytes(stream));
  if (stream.compression !== null) return pumpCompressed(stream, piece);
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
  return nextTurn(stream);
}

/** The compressor frames by itself, and what ends behind it brings the step again. */
function pumpCompressed(stream: Stream, piece: Uint8Array | null): Next {
  const filters = stream.responseFilters!;
  if (piece === null) {
    filters.end(null);
    return WAIT;
  }
  filters.write(piece, 0, piece.length);
  return nextTurn(stream);
}

function nextTurn(stream: Stream): Next {
  stream.wait(NEXT_PIECE_MS);
  return WAIT;
}
