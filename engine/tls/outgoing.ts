/**
 * Plaintext in, records out. What is sent in one turn is gathered and becomes records at its end; long spans become records
 * where they lie. While a handshake goes on all of it waits: the first one, or another one that a server has asked for.
 */
import { copy } from '../bytes.ts';
import type { Chunk, Conn, Io, OwnChunk } from '../io/contract.ts';
import { TLS_GATHER_BYTES } from '../limits.ts';
import type { TlsConnection } from './connection.ts';
import * as wire from './wire.ts';

export class Outgoing {
  readonly #io: Io;
  /** Null while a handshake goes on. */
  #tls: TlsConnection | null = null;
  #under: Conn | null = null;
  /** To become records at the end of the turn. */
  #gathered: OwnChunk | null = null;
  /** What came meanwhile and found no room there, and how much that is. */
  #early: Uint8Array[] | null = null;
  #earlyBytes = 0;

  constructor(io: Io) {
    this.#io = io;
  }

  /** Plaintext that is not in records yet. */
  get bytes(): number {
    return this.#earlyBytes + (this.#gathered?.end ?? 0);
  }

  /** There is plaintext that waits for the handshake. */
  get waits(): boolean {
    return this.#early !== null || this.#gathered !== null;
  }

  /** There is plaintext that cannot become records now. */
  get stalled(): boolean {
    return this.#tls === null && this.waits;
  }

  // --- these tell whether the connection is still of use ---

  /** `bytes[start, end)`, which the caller may change afterwards. */
  send(bytes: Uint8Array, start: number, end: number): boolean {
    return end - start <= TLS_GATHER_BYTES
      ? this.#gather(bytes, start, end)
      : this.#after(bytes, undefined, start, end);
  }

  forward(chunk: Chunk, start: number, end: number): boolean {
    if (end - start <= TLS_GATHER_BYTES / 2) return this.#gather(chunk.bytes, start, end);
    return this.#after(chunk.bytes, chunk.address, start, end);
  }

  /** The handshake is complete: what has waited goes to `under`. */
  open(tls: TlsConnection, under: Conn): boolean {
    this.#tls = tls;
    this.#under = under;
    const early = this.#early;
    this.#early = null;
    this.#earlyBytes = 0;
    for (const bytes of early ?? []) if (!this.#write(bytes, undefined, 0, bytes.length)) return false;
    return this.settle();
  }

  /** Of what waits for the handshake `bytes` at most: they go before it. Null = there is nothing. */
  takeEarly(bytes: number): Uint8Array | null {
    this.settle();
    if (this.#early === null) return null;
    const all = Buffer.concat(this.#early);
    this.#early = all.length > bytes ? [all.subarray(bytes)] : null;
    this.#earlyBytes = Math.max(all.length - bytes, 0);
    return all.subarray(0, bytes);
  }

  /** What was gathered becomes records, or waits for the handshake. */
  settle(): boolean {
    const gathered = this.#gathered;
    if (gathered === null) return true;
    this.#gathered = null;
    const good = this.#write(gathered.bytes, gathered.address, 0, gathered.end);
    gathered.release();
    return good;
  }

  #gather(bytes: Uint8Array, start: number, end: number): boolean {
    let gathered = this.#gathered;
    if (gathered !== null && gathered.end + end - start > gathered.bytes.length) {
      if (!this.settle()) return false;
      gathered = null;
    }
    if (gathered === null) {
      gathered = this.#io.take(TLS_GATHER_BYTES);
      gathered.end = 0;
      this.#gathered = gathered;
    }
    copy(bytes, start, end, gathered.bytes, gathered.end);
    gathered.end += end - start;
    return true;
  }

  #after(bytes: Uint8Array, address: bigint | undefined, start: number, end: number): boolean {
    return this.settle() && this.#write(bytes, address, start, end);
  }

  #write(bytes: Uint8Array, address: bigint | undefined, start: number, end: number): boolean {
    const tls = this.#tls;
    if (tls === null) {
      this.#early ??= [];
      this.#early.push(bytes.slice(start, end));
      this.#earlyBytes += end - start;
      return true;
    }
    for (let at = start; at < end; at += wire.SPAN_BYTES) {
      const stop = Math.min(at + wire.SPAN_BYTES, end);
      const room = wire.roomFor(stop - at);
      const records = this.#io.take(room);
      records.end = tls.write(wire.locate(bytes, address, at, stop), stop - at, records.address, room);
      if (records.end > 0) this.#under!.forward(records, 0, records.end);
      records.release();
      if (tls.error !== null) return false;
      if (records.end === 0) {
        this.#tls = null;
        return this.#write(bytes, undefined, at, end);
      }
    }
    return true;
  }

  drop(): void {
    this.#early = null;
    this.#earlyBytes = 0;
    this.#gathered?.release();
    this.#gathered = null;
  }
}
