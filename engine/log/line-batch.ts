/**
 * The lines of a turn for one target over UDP. Lines of one length that follow each other leave in one call, and the kernel makes
 * a datagram of each again; the last may be shorter:
 *
 *      |---- 180 ----|---- 180 ----|---- 180 ----|--- 176 ---|      one sendto, cut every 180 bytes
 *
 * Lines of the same traffic are mostly equally long, or nearly so. Alone a line costs 3.5 us, in eights 0.9 (loopback).
 */
import { copy } from '../bytes.ts';
import type { Io, Layer } from '../io/contract.ts';

/** Longer ones leave alone: a segment must fit into a packet, and the smallest that all ways take is 1,280 bytes (RFC 8200 5). */
const LINE_BYTES_MAX = 1_200;
/** The kernel cuts into 64 at most. */
const LINES_MAX = 32;

/** Sends `bytes[0, length)` as datagrams of `segment` bytes; 0 or more, or minus errno. */
type Cut = (bytes: Uint8Array, length: number, segment: number) => number;

export class LineBatch implements Layer {
  readonly #io: Pick<Io, 'settle'>;
  readonly #send: Cut;
  readonly #lost: (errno: number) => void;
  readonly #bytes = new Uint8Array(LINES_MAX * LINE_BYTES_MAX);
  /** Length of the first line that waits. Bytes. */
  #segment = 0;
  #length = 0;
  #lines = 0;
  /** `settle` is to come. */
  #waits = false;
  /** False once the system has refused to cut. */
  #cuts = true;

  /** @param lost hears of each line that is lost, with minus errno */
  constructor(io: Pick<Io, 'settle'>, send: Cut, lost: (errno: number) => void) {
    this.#io = io;
    this.#send = send;
    this.#lost = lost;
  }

  /** Takes the line `bytes[0, length)`. */
  put(bytes: Uint8Array, length: number): void {
    if (!this.#follows(length)) this.#leave();
    if (length > LINE_BYTES_MAX || !this.#cuts) {
      this.#one(bytes, length);
      return;
    }
    if (this.#lines === 0) this.#segment = length;
    this.#length = copy(bytes, 0, length, this.#bytes, this.#length);
    this.#lines++;
    if (this.#waits) return;
    this.#waits = true;
    this.#io.settle(this);
  }

  settle(): void {
    this.#waits = false;
    this.#leave();
  }

  /** Whether a line may stand behind those that wait: none of them is shorter than the first, nor is it longer. */
  #follows(length: number): boolean {
    return length <= this.#segment && this.#lines < LINES_MAX && this.#length === this.#lines * this.#segment;
  }

  #leave(): void {
    const length = this.#length;
    const lines = this.#lines;
    if (lines === 0) return;
    this.#length = this.#lines = 0;
    const result = this.#send(this.#bytes, length, this.#segment);
    if (result >= 0) return;
    if (lines === 1 || result === FULL) for (let i = 0; i < lines; i++) this.#lost(result);
    else this.#singly(length);
  }

  #singly(length: number): void {
    this.#cuts = false;
    for (let at = 0; at < length; at += this.#segment) {
      const line = this.#bytes.subarray(at, Math.min(at + this.#segment, length));
      this.#one(line, line.length);
    }
  }

  #one(bytes: Uint8Array, length: number): void {
    const result = this.#send(bytes, length, length);
    if (result < 0) this.#lost(result);
  }
}

/** EAGAIN: the socket takes no more now. */
const FULL = -11;
