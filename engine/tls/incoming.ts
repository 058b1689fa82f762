/** Records in, plaintext out. */
import type { Io, OwnChunk } from '../io/contract.ts';
import { MORE, type TlsConnection } from './connection.ts';
import * as wire from './wire.ts';

/** A record with its header (RFC 5246 6.2.3, RFC 8446 5.2). */
const RECORD_BYTES_MAX = 5 + 16_384 + 2_048;

export class Incoming {
  /** What the last `read` gave: its reader releases it. */
  plain!: OwnChunk;
  readonly #io: Io;
  /** Bytes of a record that is not complete. */
  #partial = 0;

  constructor(io: Io) {
    this.#io = io;
  }

  /** Reads what was fed, as far as it goes: the last result of `TlsConnection.read`. */
  read(tls: TlsConnection): number {
    const fed = wire.unread();
    // Plaintext is never longer than its records.
    const room = fed + this.#partial;
    const plain = this.#io.take(room);
    let used = 0;
    let last = 1;
    while (used < room && wire.unread() > 0) {
      last = tls.read(used === 0 ? plain.address : plain.address + BigInt(used), room - used);
      if (last <= 0) break;
      used += last;
    }
    this.#partial = last === MORE ? Math.min(this.#partial + fed - wire.unread(), RECORD_BYTES_MAX) : 0;
    plain.end = used;
    this.plain = plain;
    return last;
  }
}
