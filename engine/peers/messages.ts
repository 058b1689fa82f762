/**
 * Messages of the peers protocol and their framing (HAProxy's doc/peers.txt, "Messages").
 *
 *   type < 128    [ class ] [ type ]
 *   type >= 128   [ class ] [ type ] [ length, varint ] [ length bytes ]
 */
import type { Reader, Writer } from './bytes.ts';
import { varintBytes } from './bytes.ts';

export const CLASS = { control: 0, error: 1, table: 10 } as const;

export const CONTROL = {
  resyncRequest: 0,
  resyncFinished: 1,
  resyncPartial: 2,
  resyncConfirm: 3,
  heartbeat: 4,
} as const;

export const ERROR = { protocol: 0, size: 1 } as const;

/** A timed update says for how many milliseconds the entry still lives; an incremental one has the next update id. */
export const TABLE = {
  update: 0x80,
  incremental: 0x81,
  definition: 0x82,
  switch: 0x83,
  ack: 0x84,
  timed: 0x85,
  incrementalTimed: 0x86,
} as const;

/** From this type on messages have a length. */
const VARIABLE = 0x80;

/** One message: `reader` is open on what follows its head (nothing, for the fixed ones). */
export interface Message {
  class: number;
  type: number;
}

/**
 * Takes the message at the front of `bytes[start, end)`. Gives the bytes that it takes, with `message` set and `body` open on
 * its payload; 0 = it is not all there; -1 = its payload is longer than `max`.
 */
export function nextMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
  max: number,
  message: Message,
  body: Reader,
): number {
  if (end - start < 2) return 0;
  message.class = bytes[start]!;
  message.type = bytes[start + 1]!;
  body.open(bytes, start + 2, end);
  if (message.type < VARIABLE) {
    body.open(bytes, start + 2, start + 2);
    return 2;
  }
  const length = body.varint();
  // As many bytes as a length that is allowed never needs.
  if (body.bad) return end - start > 2 + varintBytes(max) ? -1 : 0;
  if (length > max) return -1;
  if (length > body.left) return 0;
  body.end = body.at + length;
  return body.end - start;
}

export function control(out: Writer, type: number): void {
  out.byte(CLASS.control);
  out.byte(type);
}

/** A message of the table class around what was written into `payload`, which is empty afterwards. */
export function tableMessage(out: Writer, type: number, payload: Writer): void {
  out.byte(CLASS.table);
  out.byte(type);
  out.varint(payload.length);
  out.raw(payload.bytes.subarray(0, payload.length));
  payload.length = 0;
}
