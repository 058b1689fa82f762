/** Copying between byte arrays, as the data path does it. */

/** From so many bytes on a call costs less than moving them one by one. */
const CALL_BYTES = 20;

const { copy: call } = Buffer.prototype;

/** Copies `from[start, end)` to `to[at...]`, which must have room; returns where it ended. Makes no object, as `subarray` would. */
export function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  const length = end - start;
  if (length >= CALL_BYTES) call.call(from as Buffer, to, at, start, end);
  else for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
  return at + length;
}
