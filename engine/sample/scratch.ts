/**
 * Where converters put the bytes they make: a ring of a few rooms per thread, as HAProxy's trash buffers. A result stays
 * whole until three more rooms have been used up, which no converter does with its own input.
 *
 *     const at = room();                 up to at + ROOM_BYTES may be written
 *     ... SCRATCH[at + n] = byte ...
 *     give(at + n);                      the rest of the room is free again
 */
import { SAMPLE_BYTES_MAX } from '../limits.ts';

export const ROOM_BYTES = SAMPLE_BYTES_MAX;
const ROOMS = 4;

export const SCRATCH = Buffer.alloc(ROOMS * ROOM_BYTES);

let next = 0;

/** Where the next `ROOM_BYTES` bytes that may be written are. */
export function room(): number {
  if (next + ROOM_BYTES > SCRATCH.length) next = 0;
  return next;
}

/** What lies before `end` is in use. */
export function give(end: number): void {
  next = end;
}
