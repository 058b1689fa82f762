/**
 * A connection of the runtime API that comes through the master: bytes as messages. The master's socket (-S) gives a worker
 * one command at a time this way.
 *
 *     master ── cli (a line) ──► control       control ── said (bytes) ──► master ── taken (bytes) ──► control
 */
import type { Address, Chunk, Conn, Handler } from '../engine/io/contract.ts';
import { HIGH_WATER_BYTES, LOW_WATER_BYTES } from '../engine/limits.ts';
import { after } from '../engine/time.ts';

const NOBODY: Handler = { onOpen() {}, onData() {}, onEnd() {}, onDrain() {}, onClose() {} };

export class PortConn implements Conn {
  readonly id: number;
  handler: Handler = NOBODY;
  pending = 0;
  alive = true;
  readonly #said: (bytes: Uint8Array | null) => void;
  #high = false;

  /** `said` posts bytes to the other end; null = the end. */
  constructor(id: number, said: (bytes: Uint8Array | null) => void) {
    this.id = id;
    this.#said = said;
  }

  /** The other end sent this; null = that was all. */
  take(bytes: Uint8Array | null): void {
    if (!this.alive) return;
    if (bytes === null) this.handler.onEnd(this);
    else if (bytes.length > 0)
      this.handler.onData(this, { bytes, start: 0, end: bytes.length, keep() {}, release() {} });
  }

  /** The other end has taken so many bytes. */
  taken(bytes: number): void {
    this.pending -= bytes;
    if (!this.#high || this.pending > LOW_WATER_BYTES) return;
    this.#high = false;
    this.handler.onDrain(this);
  }

  send(bytes: Uint8Array, start: number, end: number): void {
    if (!this.alive) return;
    this.pending += end - start;
    if (this.pending > HIGH_WATER_BYTES) this.#high = true;
    this.#said(bytes.slice(start, end));
  }

  forward(chunk: Chunk, start: number, end: number): void {
    this.send(chunk.bytes, start, end);
  }

  close(): void {
    if (!this.alive) return;
    this.alive = false;
    this.#said(null);
    // In a later event, as any connection.
    after(0, () => this.handler.onClose(this, 0));
  }

  abort(): void {
    this.close();
  }

  pause(): void {}
  resume(): void {}
  shutdown(): void {}

  setOption(): void {}
  delayAck(): void {}

  tcpInfo(): Uint8Array | null {
    return null;
  }

  savedSyn(): Uint8Array | null {
    return null;
  }

  vanish(): void {
    this.close();
  }

  peer(): Address | null {
    return null;
  }

  local(): Address | null {
    return null;
  }
}
