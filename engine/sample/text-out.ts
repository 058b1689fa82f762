/** Results of converters that are easiest made as strings or Buffers: written into a room, as all results are. */
import type { Sample } from './sample.ts';
import { give, ROOM_BYTES, room, SCRATCH } from './scratch.ts';

/** Makes the sample a str of Latin-1 text; false when it is too long. */
export function putText(sample: Sample, text: string): boolean {
  if (text.length > ROOM_BYTES) return false;
  const at = room();
  const end = at + SCRATCH.write(text, at, 'latin1');
  give(end);
  return sample.setStr(SCRATCH, at, end);
}

/** Makes the sample a bin; false when it is too long. */
export function putBytes(sample: Sample, bytes: Uint8Array): boolean {
  if (bytes.length > ROOM_BYTES) return false;
  const at = room();
  SCRATCH.set(bytes, at);
  give(at + bytes.length);
  return sample.setBin(SCRATCH, at, at + bytes.length);
}
