/**
 * `http-after-response`: rules that have the last word on every response, those of servers and our own alike; backend
 * first, then frontend.
 */
import { parseResponse } from '../http/parse.ts';
import { maxHeadLength, writeResponseHead } from '../http/write.ts';
import { Reply } from '../proxy/errors.ts';
import type { Stream } from '../proxy/stream.ts';
import { CONTINUE, STOP } from './action.ts';
import { sendHints } from './answers.ts';
import type { RuleList } from './rule-list.ts';

/** Applies the rules to the stream's response head. */
export function editResponse(stream: Stream): void {
  const { backend, frontend } = stream;
  if (backend !== null && !run(stream, backend.rules.afterResponse)) return;
  if (backend?.index !== frontend.index) run(stream, frontend.rules.afterResponse);
}

/** False when the other proxy's rules are not to be evaluated any more. */
function run(stream: Stream, rules: RuleList | null): boolean {
  if (rules === null) return true;
  stream.strict = false;
  const verdict = rules.run(stream.context.standpoint.at(stream, true), 0);
  return verdict === CONTINUE || verdict === STOP;
}

function hasRules({ backend, frontend }: Stream): boolean {
  return frontend.rules.afterResponse !== null || (backend !== null && backend.rules.afterResponse !== null);
}

/** A response of our own as the rules leave it. What `early-hint` has gathered leaves now, before it. */
export function editReply(stream: Stream, reply: Reply): Reply {
  sendHints(stream);
  if (!hasRules(stream)) return reply;
  const head = stream.responseHead;
  const bytes = reply.plain.slice();
  const length = parseResponse(head, bytes, 0, bytes.length, ANY_REPLY);
  if (length <= 0) return reply;
  stream.status = reply.status;
  editResponse(stream);
  const out = new Uint8Array(maxHeadLength(head) + bytes.length - length);
  const at = writeResponseHead(head, out, 0);
  out.set(bytes.subarray(length), at);
  return new Reply(out.subarray(0, at + bytes.length - length));
}

const ANY_REPLY = { maxHeadBytes: Number.MAX_SAFE_INTEGER, maxHeaders: 100, relaxed: true };
