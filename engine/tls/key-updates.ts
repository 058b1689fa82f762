/**
 * Key updates (RFC 8446 4.6.3): each costs more than the record it comes in, and a client may send as many as it likes. Those
 * of a connection are counted within each second, and too many end it (`tune.ssl.keyupdate-rate-limit`).
 *
 * OpenSSL tells of steps of the handshake only: once that is complete there are no others than these, and other records cost
 * nothing.
 */
import { callback, openssl, textAt } from './openssl.ts';

const SECOND_MS = 1000;

/** Those that came since somebody asked, of the one connection that is being read. */
let came = 0;
let told = 0n;

/** From now on they are counted. */
export function watchKeyUpdates(ssl: bigint): void {
  if (told === 0n) told = callback(['pointer', 'i32', 'i32'], noteStep);
  openssl.SSL_set_info_callback(ssl, told);
}

function noteStep(ssl: bigint): number {
  // Ours, which are answers, are steps as well.
  if (textAt(openssl.SSL_state_string_long(ssl)).includes('read')) came++;
  return 0;
}

/** After each read: whether there were any. */
export function keyUpdatesCame(): boolean {
  return came > 0;
}

/** Of one connection. */
export class KeyUpdates {
  #count = 0;
  /** When the second began. Milliseconds of the io clock. */
  #since = -Infinity;

  /** Counts those that came; whether they are more than `max` in this second. `now`: milliseconds of the io clock. */
  tooMany(max: number, now: number): boolean {
    if (now - this.#since >= SECOND_MS) {
      this.#since = now;
      this.#count = 0;
    }
    this.#count += came;
    came = 0;
    return this.#count > max;
  }
}
