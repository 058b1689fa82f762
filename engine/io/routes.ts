/** What the machine can reach. */
import { monotonicMs } from '../time.ts';
import { hasRoute } from './native.ts';

/** An address of the IPv6 internet, of the block that is reserved for examples. */
const FAR = { family: 6, bytes: Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, ...new Uint8Array(11), 1), port: 53 } as const;
/** How long an answer holds. Milliseconds. */
const KNOWN_MS = 30_000;

let known = false;
let knownAt = -Infinity;

/** Whether there is a way to the IPv6 internet; looked up again after KNOWN_MS. */
export function hasIpv6(): boolean {
  const now = monotonicMs();
  if (now - knownAt < KNOWN_MS) return known;
  known = hasRoute(FAR);
  knownAt = now;
  return known;
}
