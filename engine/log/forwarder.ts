/**
 * Sends the lines of a ring to one server over a stream connection (RFC 6587): `<length> <line>` (octet counting) or
 * `<line>LF`. A connection that fails or ends is made again; a server that takes nothing only fills the ring.
 */
import type { Ring, RingServer } from '../config/log-model.ts';
import type { Chunk, Conn, Handler, Io } from '../io/contract.ts';
import { HIGH_WATER_BYTES, RING_RECONNECT_MS } from '../limits.ts';
import type { Call } from '../proxy/streamless.ts';
import { Timer, type TimerWheel } from '../time.ts';
import { bytesOf } from './line.ts';
import type { Place, RingBuffer } from './ring-buffer.ts';

const LF = Uint8Array.of(10);

export class Forwarder implements Handler {
  readonly #io: Io;
  readonly #wheel: TimerWheel;
  readonly #ring: Ring;
  readonly #server: RingServer;
  readonly #buffer: RingBuffer;
  readonly #call: Call;
  readonly #place: Place;
  /** Of connecting, of output that is not taken, and before the next attempt. */
  readonly #timer: Timer<Forwarder>;
  #conn: Conn | null = null;
  #open = false;
  #stopped = false;

  constructor(io: Io, wheel: TimerWheel, ring: Ring, server: RingServer, buffer: RingBuffer, call: Call) {
    this.#io = io;
    this.#wheel = wheel;
    this.#ring = ring;
    this.#server = server;
    this.#buffer = buffer;
    this.#call = call;
    this.#place = buffer.open(true);
    this.#timer = new Timer<Forwarder>(this, self => self.#late());
    this.#connect();
  }

  /** Sends what the connection takes. */
  push(): void {
    const conn = this.#conn;
    if (conn === null || !this.#open) return;
    while (conn.pending <= HIGH_WATER_BYTES) {
      const line = this.#buffer.read(this.#place);
      if (line === null) break;
      if (this.#server.octetCount) {
        const count = bytesOf(`${line.length} `);
        conn.send(count, 0, count.length);
        conn.send(line, 0, line.length);
      } else {
        conn.send(line, 0, line.length);
        conn.send(LF, 0, 1);
      }
    }
    if (conn.pending > 0) this.#arm(this.#ring.serverMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#wheel.forget(this.#timer);
    // What was sent is on its way: an orderly end lets it arrive.
    this.#conn?.close();
  }

  onOpen(): void {
    this.#open = true;
    this.#arm(0);
    this.push();
  }

  /** A log server has nothing to say. */
  onData(_conn: Conn, _chunk: Chunk): void {}

  onEnd(conn: Conn): void {
    conn.abort(false);
  }

  onDrain(): void {
    this.#arm(0);
    this.push();
  }

  onClose(): void {
    this.#conn = null;
    this.#open = false;
    if (!this.#stopped) this.#arm(RING_RECONNECT_MS);
  }

  #connect(): void {
    this.#conn = this.#call(this.#io, this.#server.address, this);
    this.#arm(this.#ring.connectMs);
  }

  /** 0 = never. */
  #arm(ms: number): void {
    this.#wheel.arm(this.#timer, ms === 0 ? Infinity : this.#io.now() + ms);
  }

  #late(): void {
    const conn = this.#conn;
    if (conn === null) this.#connect();
    else if (!this.#open || conn.pending > 0) conn.abort(true);
  }
}
