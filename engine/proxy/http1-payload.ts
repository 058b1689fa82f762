/**
 * The payload of a request before there is a server for it: it is held, and gathered as far as rules ask for it, or as
 * long as the stream waits for a server, so that the end of the client is seen. An answer of our own can do without it.
 */
import type { Slice } from '../balance/balancer.ts';
import type { Chunk } from '../io/contract.ts';
import { arrived, BodyBuffer, payloadEnd } from './body-buffer.ts';
import type { Http1Client } from './http1-client.ts';
import type { Http1ClientState } from './http1-client-state.ts';
import type { Stream } from './stream.ts';

/** Nothing more can be consumed now. */
export const HOLD = -1;

/** Where the payload is gathered; what came before anybody asked for it is there. */
export function gather(client: Http1Client): BodyBuffer {
  if (client.gathered !== null) return client.gathered;
  const { contentLength } = client.exchange!.requestHead;
  const maxBytes = client.session.context.model.global.tune.bufsizeBytes;
  const buffer = new BodyBuffer(client.body.kind, contentLength, maxBytes);
  client.gathered = buffer;
  takeHeld(client, buffer);
  return buffer;
}

function takeHeld(client: Http1Client, buffer: BodyBuffer): void {
  const { held } = client;
  if (held === null || client.consuming) return;
  client.heldAt = buffer.take(held.bytes, client.heldAt, held.end);
  if (client.heldAt === held.end) client.letGo(held);
}

export function gatherMore(client: Http1Client, maxBytes: number): void {
  const buffer = gather(client);
  buffer.grow(maxBytes);
  takeHeld(client, buffer);
}

/** Somebody wants the payload before there is a server: takes what it can of `chunk`, returns where it stopped or HOLD. */
export function gatherBody(client: Http1Client, stream: Stream, chunk: Chunk, at: number): number {
  const buffer = client.gathered;
  if (buffer === null || buffer.done || buffer.full) return HOLD;
  const next = buffer.take(chunk.bytes, at, chunk.end);
  client.touch();
  stream.lookAgain();
  return next;
}

/** Whether all of the payload is here, in good order: the client's end is no end of it. */
export function hasPayload({ gathered }: Http1ClientState): boolean {
  return gathered?.done === true && !gathered.broken;
}

/** The payload as far as it is here; null = none. */
export function bufferedPayload({ gathered, rest, held, restAt, heldAt, phase, body }: Http1ClientState): Slice | null {
  if (gathered !== null) return gathered.slice;
  const chunk = rest ?? held;
  if (chunk === null || phase !== 'body') return null;
  return arrived(body, chunk, rest === null ? heldAt : restAt);
}

/** The answer needs no server: a payload that is here already, and whole, is thrown away and the connection goes on. */
export function skipPayload(client: Http1ClientState, stream: Stream): void {
  const { kind, payload } = client.body;
  const chunk = client.rest ?? client.held;
  const at = client.rest === null ? client.heldAt : client.restAt;
  if (client.gathered !== null) {
    if (!client.gathered.done) return;
  } else {
    const whole = chunk !== null && payload === 0;
    const end = whole ? payloadEnd(kind, stream.requestHead.contentLength, chunk.bytes, at, chunk.end) : -1;
    if (end < 0) return;
    if (client.rest === null) client.heldAt = end;
    else client.restAt = end;
  }
  client.phase = 'done';
  stream.requestDone = true;
}
