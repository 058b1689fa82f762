/**
 * Sending a request again after a server took it and failed (`retry-on`, manual 4.2). The head stays in its buffer anyway; what
 * went out of the payload is kept beside it, up to a buffer: a request that is larger is not repeated.
 */
import type { RetryCondition } from '../config/proxy-model.ts';
import { isIdempotent } from '../http/names.ts';
import { again } from './attempts.ts';
import type { Next } from './step.ts';
import type { Stream } from './stream.ts';

/** The payload that went to the server, framing included. */
export class SentPayload {
  readonly bytes: Uint8Array;
  length = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** A request goes out: from now on its payload is kept, where a failure may call for it. */
export function keepPayload(stream: Stream): void {
  const { context, backend } = stream;
  if (stream.sent !== null || stream.payloadSent || stream.noRepeat || !backend!.repeats) return;
  stream.sent = new SentPayload(context.spareBuffers.pop() ?? new Uint8Array(context.model.global.tune.bufsizeBytes));
}

/** Notes payload that goes out. What does not fit makes an end of it: the request cannot be repeated any more. */
export function notePayload(stream: Stream, bytes: Uint8Array, start: number, end: number): void {
  const { sent } = stream;
  if (sent === null) return;
  if (end - start > sent.bytes.length - sent.length) {
    forgetPayload(stream);
    return;
  }
  sent.bytes.set(bytes.subarray(start, end), sent.length);
  sent.length += end - start;
}

export function forgetPayload(stream: Stream): void {
  if (stream.sent === null) return;
  stream.context.spareBuffers.push(stream.sent.bytes);
  stream.sent = null;
}

/** The next step if this failure is one to try again after; null when the stream must fail. */
export function tryAgain(stream: Stream, condition: RetryCondition): Next | null {
  if (stream.sent === null || stream.halfClosed || stream.retriesLeft <= 0) return null;
  if (!stream.backend!.proxy.retryOn.includes(condition)) return null;
  stream.responded = false;
  // Its rules begin anew.
  stream.ruleAt = 0;
  stream.holdsResponse = stream.awaitsBody = stream.paused = false;
  stream.dropServerSide();
  return again(stream);
}

/**
 * True when the request may be sent once more without being asked to: it went over a pooled connection that the server may
 * have closed before it saw the request, nothing came back, no payload went out, and its method is idempotent (RFC 9110
 * 9.2.2).
 */
export function repeatable(stream: Stream): boolean {
  return (
    stream.serverSide?.reused === true &&
    !stream.mustOpen &&
    !stream.noRepeat &&
    !stream.payloadSent &&
    !stream.responded &&
    stream.http &&
    isIdempotent(stream.requestHead.sentMethodId)
  );
}
