/**
 * The timers of a stream (manual 8.4), in whole milliseconds; -1 = it never came that far.
 *
 *   accepted ─Th─ idle ─Ti─ first byte ─TR─ request ─Tw─ assigned ─Tc─ connected ─Tr─ response ─Td─ end
 *
 * A request is there when its rules are done with it: who was sent away without an answer has no TR.
 * Each is a difference of whole milliseconds since the accept, so that they add up.
 */
import type { Stream } from '../proxy/stream.ts';

/** Milliseconds from the accept to `at`; -1 when `at` was not reached. */
function since(stream: Stream, at: number): number {
  return at === 0 ? -1 : Math.floor(at - stream.acceptedAt);
}

/** The part from `from` to `to`; -1 when `to` was not reached. */
function span(stream: Stream, from: number, to: number): number {
  return to === 0 ? -1 : since(stream, to) - since(stream, from);
}

function end(stream: Stream): number {
  return stream.finishedAt === 0 ? stream.now : stream.finishedAt;
}

export function handshake(stream: Stream): number {
  return since(stream, stream.idleSince);
}

export function idle(stream: Stream): number {
  return Math.max(span(stream, stream.idleSince, stream.firstByteAt), 0);
}

export function request(stream: Stream): number {
  return span(stream, stream.firstByteAt, stream.requestAt);
}

/** Handshake, idle and request time together. */
export function untilRequest(stream: Stream): number {
  return since(stream, stream.requestAt);
}

export function queue(stream: Stream): number {
  if (!stream.http) return span(stream, stream.idleSince, stream.assignedAt);
  // A tarpitted request has no TR, and all its time here.
  return stream.assignedAt === 0 ? -1 : since(stream, stream.assignedAt) - Math.max(since(stream, stream.requestAt), 0);
}

/** All attempts on the last server together. */
export function connect(stream: Stream): number {
  return span(stream, stream.assignedAt, stream.connectedAt);
}

export function response(stream: Stream): number {
  return span(stream, stream.connectedAt, stream.responseAt);
}

export function data(stream: Stream): number {
  const from = stream.http ? stream.responseAt : stream.connectedAt;
  return from === 0 ? -1 : span(stream, from, end(stream));
}

export function active(stream: Stream): number {
  return span(stream, stream.firstByteAt === 0 ? stream.idleSince : stream.firstByteAt, end(stream));
}

export function total(stream: Stream): number {
  return since(stream, end(stream));
}

/** The total as the user saw it: without the idle time. */
export function user(stream: Stream): number {
  return total(stream) - idle(stream);
}
