/** IP addresses written as text straight into bytes: no strings on the way for IPv4. */
import { ipText } from '../io/ip.ts';

/** Writes the address `bytes[start, end)` (4 or 16 bytes) to `out[at...]`; returns where the text ends (45 bytes at most). */
export function writeIp(bytes: Uint8Array, start: number, end: number, out: Buffer, at: number): number {
  if (end - start !== 4) return at + out.write(ipText(bytes.subarray(start, end)), at, 'latin1');
  let to = at;
  for (let i = start; i < end; i++) {
    if (i > start) out[to++] = 46;
    const byte = bytes[i]!;
    if (byte >= 100) out[to++] = 48 + Math.floor(byte / 100);
    if (byte >= 10) out[to++] = 48 + (Math.floor(byte / 10) % 10);
    out[to++] = 48 + (byte % 10);
  }
  return to;
}
