/**
 * A connection of the simulated network: two endpoints and, for each direction, what is on its way.
 *
 *   sender: queue ──flush──► in flight ──arrival──► received ──turn──► receiver's onData
 *           `pending`        └──── at most `window` bytes ────┘
 *
 * The window is what the two kernels would buffer: a receiver that reads nothing stops its sender.
 */
import os from 'node:os';
import { HIGH_WATER_BYTES, LOW_WATER_BYTES } from '../limits.ts';
import { NOBODY, POISON } from './common.ts';
import type { Address, Chunk, Conn, Handler } from './contract.ts';

const { ECONNRESET } = os.constants.errno;
const READ_MAX_BYTES = 65_536;

/** What a connection asks of its network. */
export interface SimWire {
  /** 0 <= r < 1, from the seed. */
  random(): number;
  /** Calls `run` after one random latency, but later than `pipe.lastAt`: a direction keeps its order. */
  carry(pipe: Pipe, run: () => void): void;
  /** How many of `bytes` go or come at once: all of them, or by chance fewer. At least 1. */
  portion(bytes: number): number;
  /** Whether the network breaks the connection now. */
  breaks(): boolean;
}

/** What a connection asks of the endpoint that owns it. */
export interface SimLoop {
  /** The connection has something to deliver in the endpoint's next turn. */
  ready(conn: SimConn): void;
  /** The connection has output to send at the end of the turn. */
  hasOutput(conn: SimConn): void;
  gone(conn: SimConn): void;
}

class SimChunk implements Chunk {
  readonly bytes: Uint8Array;
  readonly start = 0;
  readonly end: number;
  kept = 1;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  keep(): void {
    if (this.kept === 0) throw new Error('io: chunk kept after its handler returned');
    this.kept++;
  }

  release(): void {
    if (this.kept === 0) throw new Error('io: chunk released more often than kept');
    if (--this.kept === 0) this.bytes.fill(POISON);
  }
}

interface Piece {
  readonly bytes: Uint8Array;
  readonly chunk: Chunk | null;
}

/** One direction. */
export class Pipe {
  readonly window: number;
  /** When the last thing sent arrives. */
  lastAt = 0;
  readonly queue: Piece[] = [];
  /** Bytes in `queue`. */
  pending = 0;
  /** Bytes sent and not yet delivered to the receiver's handler. */
  outstanding = 0;
  received: Uint8Array[] = [];
  receivedBytes = 0;
  finSent = false;
  finArrived = false;

  constructor(window: number) {
    this.window = window;
  }

  /** Takes `n` bytes from the front of `from`, in one new array. Chunks used up are given back. */
  static cut(from: (Piece | Uint8Array)[], n: number): Uint8Array {
    const out = new Uint8Array(n);
    for (let at = 0; at < n; ) {
      const first = from[0]!;
      const piece: Piece = first instanceof Uint8Array ? { bytes: first, chunk: null } : first;
      const take = Math.min(piece.bytes.length, n - at);
      out.set(piece.bytes.subarray(0, take), at);
      at += take;
      const rest = piece.bytes.subarray(take);
      if (rest.length > 0) from[0] = first instanceof Uint8Array ? rest : { bytes: rest, chunk: piece.chunk };
      else {
        from.shift();
        piece.chunk?.release();
      }
    }
    return out;
  }

  dropQueue(): void {
    for (const piece of this.queue.splice(0)) piece.chunk?.release();
    this.pending = 0;
  }

  dropReceived(): void {
    this.outstanding -= this.receivedBytes;
    this.received = [];
    this.receivedBytes = 0;
  }
}

export class SimConn implements Conn {
  id = -1;
  handler: Handler = NOBODY;
  alive = true;
  paused = false;
  /** The other endpoint, once its SYN has been answered. */
  other: SimConn | null = null;
  /** Neither connecting nor in a listener's queue unanswered: output may leave. */
  established = false;
  /** An outgoing connection whose `onOpen` is due. */
  openDue = false;
  readonly out: Pipe;
  readonly in: Pipe;
  readonly #wire: SimWire;
  readonly #peer: Address;
  readonly #local: Address;
  #loop: SimLoop | null = null;
  #shut = false;
  #ended = false;
  #closing = false;
  #over = false;
  #drainDue = false;
  /** The socket is closed: what arrives now is answered with RST. */
  #gone = false;
  /** -1 while nothing ends the connection, then what `onClose` is given. */
  #errno = -1;
  #told = false;

  constructor(wire: SimWire, out: Pipe, into: Pipe, peer: Address, local: Address) {
    this.#wire = wire;
    this.out = out;
    this.in = into;
    this.#peer = peer;
    this.#local = local;
  }

  /** Gives the connection to an endpoint: at once when outgoing, at accept when incoming. */
  own(loop: SimLoop, id: number): void {
    this.#loop = loop;
    this.id = id;
    this.#ready();
  }

  #ready(): void {
    this.#loop?.ready(this);
  }

  /** Closed on this side: aborted, failed or told so. */
  get gone(): boolean {
    return this.#gone;
  }

  get pending(): number {
    return this.out.pending;
  }

  send(bytes: Uint8Array, start: number, end: number): void {
    if (end > start && this.#writable())
      this.#queue({ bytes: new Uint8Array(bytes.subarray(start, end)), chunk: null });
  }

  forward(chunk: Chunk, start: number, end: number): void {
    if (end <= start || !this.#writable()) return;
    chunk.keep();
    this.#queue({ bytes: chunk.bytes.subarray(start, end), chunk });
  }

  #writable(): boolean {
    return this.alive && !this.#shut;
  }

  #queue(piece: Piece): void {
    this.out.queue.push(piece);
    this.out.pending += piece.bytes.length;
    if (this.out.pending > HIGH_WATER_BYTES) this.#over = true;
    this.#loop?.hasOutput(this);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#ready();
  }

  shutdown(): void {
    if (!this.#writable()) return;
    this.#shut = true;
    this.#loop?.hasOutput(this);
  }

  close(): void {
    if (!this.alive) return;
    if (!this.established && this.out.pending === 0) {
      this.abort(false);
      return;
    }
    this.alive = false;
    this.#closing = true;
    this.#shut = true;
    this.#discard();
    this.#loop?.hasOutput(this);
  }

  abort(reset: boolean): void {
    if (this.#gone) return;
    if (this.#errno >= 0) {
      this.#end(this.#errno);
      return;
    }
    const unread = this.in.receivedBytes > 0;
    this.#end(0);
    if (this.other === null) return;
    // close(2) with unread data sends RST too, tcp(7).
    if (reset || unread) this.#sendReset();
    else if (!this.out.finSent) this.#sendFin();
  }

  peer(): Address {
    return this.#peer;
  }

  local(): Address {
    return this.#local;
  }

  setOption(): void {}

  savedSyn(): null {
    return null;
  }

  tcpInfo(): null {
    return null;
  }

  vanish(): void {
    this.abort(true);
  }

  /** The endpoint's socket is closed from now on; `onClose` comes in a turn. */
  #end(errno: number): void {
    this.alive = false;
    this.#gone = true;
    this.#errno = errno;
    this.out.dropQueue();
    this.in.dropReceived();
    this.#ready();
  }

  /** Ends an outgoing connection that could not be made. */
  fail(errno: number): void {
    if (!this.#gone) this.#end(errno);
  }

  opened(): void {
    if (this.#gone) return;
    this.established = true;
    this.openDue = true;
    this.#ready();
    this.transmit();
  }

  /** Sends what the window has room for, and FIN after the last byte. */
  transmit(): void {
    const { out } = this;
    if (!this.established || this.#gone) return;
    if (out.pending > 0 && this.#wire.breaks()) {
      this.#end(ECONNRESET);
      this.#sendReset();
      return;
    }
    const room = Math.min(out.window - out.outstanding, out.pending);
    if (room > 0) {
      const segment = Pipe.cut(out.queue, room);
      out.pending -= room;
      out.outstanding += room;
      this.#wire.carry(out, () => this.other?.arrive(segment));
    }
    if (this.#over && out.pending <= LOW_WATER_BYTES) {
      this.#over = false;
      this.#drainDue = true;
      this.#ready();
    }
    if (this.#shut && out.pending === 0 && !out.finSent) this.#sendFin();
  }

  #sendFin(): void {
    this.out.finSent = true;
    this.#wire.carry(this.out, () => this.other?.arriveFin());
    this.#ready();
  }

  #sendReset(): void {
    this.#wire.carry(this.out, () => this.other?.arriveReset());
  }

  arrive(segment: Uint8Array): void {
    if (this.#gone) {
      this.#sendReset();
      return;
    }
    this.in.received.push(segment);
    this.in.receivedBytes += segment.length;
    if (this.#closing) this.#discard();
    else this.#ready();
  }

  arriveFin(): void {
    this.in.finArrived = true;
    this.#ready();
  }

  arriveReset(): void {
    if (this.#gone) return;
    // What was received before the RST may or may not still be read.
    if (this.paused || this.#wire.random() < 0.5) this.in.dropReceived();
    this.#errno = ECONNRESET;
    this.out.dropQueue();
    this.#ready();
  }

  #discard(): void {
    this.in.dropReceived();
    this.#openWindow();
  }

  /** Tells the sender that there is room again. */
  #openWindow(): void {
    const { other } = this;
    if (other !== null && other.out.pending > 0) this.#wire.carry(this.out, () => other.transmit());
  }

  /** One turn's events, in the contract's order. */
  deliver(): void {
    if (this.openDue && this.alive) {
      this.openDue = false;
      this.handler.onOpen(this);
    }
    while (this.alive && !this.paused && this.in.receivedBytes > 0) {
      if (!this.#deliverChunk()) break;
    }
    const drained = this.in.receivedBytes === 0;
    if (this.alive && !this.paused && drained && this.in.finArrived && !this.#ended && this.#errno < 0) {
      this.#ended = true;
      this.handler.onEnd(this);
    }
    if (this.alive && this.#drainDue && this.#errno < 0) {
      this.#drainDue = false;
      this.handler.onDrain(this);
    }
    this.#finish();
  }

  /** False when the rest waits for another turn. */
  #deliverChunk(): boolean {
    const n = this.#wire.portion(Math.min(this.in.receivedBytes, READ_MAX_BYTES));
    const chunk = new SimChunk(Pipe.cut(this.in.received, n));
    this.in.receivedBytes -= n;
    this.in.outstanding -= n;
    this.#openWindow();
    this.handler.onData(this, chunk);
    chunk.release();
    if (this.in.receivedBytes === 0) return true;
    this.#ready();
    return this.#wire.random() < 0.5;
  }

  /** Ends the connection when both directions have, or one of the endpoints said so. Called by the turn only. */
  #finish(): void {
    if (this.#told) return;
    const over = this.out.finSent && (this.#closing || this.#ended);
    const reset = this.#errno >= 0 && (this.#gone || this.paused || this.in.receivedBytes === 0);
    if (!over && !reset) return;
    const errno = Math.max(this.#errno, 0);
    this.alive = false;
    this.#gone = true;
    this.out.dropQueue();
    this.#told = true;
    this.#loop?.gone(this);
    this.handler.onClose(this, errno);
  }
}
