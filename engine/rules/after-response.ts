/**
 * `http-after-response`: rules that have the last word on every response, those of servers and our own alike; backend
 * first, then frontend.
 */
import { isBodyless } from '../http/body.ts';
import type { Head } from '../http/head.ts';
import { dropForbiddenLengths, dropPersistence } from '../http/hop.ts';
import { METHOD_OTHER } from '../http/names.ts';
import { parseResponse } from '../http/parse.ts';
import { maxHeadLength, writeResponseHead } from '../http/write.ts';
import { chunkReply } from '../proxy/chunker.ts';
import { Reply } from '../proxy/reply.ts';
import { HERE } from '../proxy/rules.ts';
import type { Stream } from '../proxy/stream.ts';
import { CONTINUE, STOP } from './action.ts';
import type { RuleList } from './rule-list.ts';

/** Applies the rules to the stream's response head. False when there was no room for what one of them had to write. */
export function editResponse(stream: Stream): boolean {
  const { backend, frontend } = stream;
  if (backend !== null && !run(stream, backend.lists.afterResponse)) return false;
  return backend?.index === frontend.index || run(stream, frontend.lists.afterResponse);
}

function run(stream: Stream, rules: RuleList | null): boolean {
  if (rules === null) return true;
  stream.lastWord = stream.strict = true;
  const verdict = rules.run(HERE.at(stream, true), 0);
  stream.lastWord = false;
  return verdict === CONTINUE || verdict === STOP;
}

function hasRules({ backend, frontend }: Stream): boolean {
  return frontend.lists.afterResponse !== null || (backend !== null && backend.lists.afterResponse !== null);
}

/** Reads the head of a response of our own; its length in bytes, 0 or less = it has none. */
export function parseReply(head: Head, { plain }: Reply): number {
  const bytes = plain.slice();
  return parseResponse(head, bytes, 0, bytes.length, ANY_REPLY);
}

/** A response of our own as the rules leave it. */
export function editReply(stream: Stream, reply: Reply): Reply {
  if (!hasRules(stream)) return reply;
  const head = stream.responseHead;
  const length = parseReply(head, reply);
  if (length <= 0) return reply;
  // Where a page of our own is too long for them there is none that could be sent instead.
  editResponse(stream);
  // A status that has no payload may be a rule's.
  const empty = isBodyless(head, METHOD_OTHER);
  if (empty) dropForbiddenLengths(head);
  const payload = empty ? NOTHING : chunkReply(stream, reply.plain.slice(length));
  // The client's side says whether the connection goes on.
  const closes = dropPersistence(head) || reply.closes || head.status < 200;
  const out = new Uint8Array(maxHeadLength(head) + payload.length);
  const at = writeResponseHead(head, out, 0);
  out.set(payload, at);
  return new Reply(out.subarray(0, at + payload.length), closes);
}

const NOTHING = new Uint8Array(0);

const ANY_REPLY = { maxHeadBytes: Number.MAX_SAFE_INTEGER, maxHeaders: 100, relaxed: true };
