/** A network of scripted servers on a manual clock: `run(ms)` lets time pass. One loop turn per event or deadline. */
import { heapChunk } from '../../engine/io/common.ts';
import type { Address, Chunk, Conn, ConnectOptions, Handler, Io, Listening } from '../../engine/io/contract.ts';
import { TimerWheel } from '../../engine/time.ts';

/** What the server behind a port does. Delays in milliseconds. */
export interface Script {
  /** Refuses with this errno instead of accepting. */
  refuse?: number;
  /** Never accepts. */
  silentConnect?: boolean;
  /** Answers this, each piece in a chunk of its own, once anything has been received. */
  answer?: readonly string[];
  delayMs?: number;
  /** What follows the answer: half-close, or an error. */
  after?: 'end' | 'reset' | 'open';
}

class FakeConn implements Conn {
  readonly id = 0;
  handler: Handler;
  pending = 0;
  alive = true;
  sent = '';
  shut = '';
  readonly net: FakeIo;
  readonly address: Address;

  constructor(net: FakeIo, address: Address, handler: Handler) {
    this.net = net;
    this.address = address;
    this.handler = handler;
  }

  send(bytes: Uint8Array, start: number, end: number): void {
    const first = this.sent === '';
    this.sent += Buffer.from(bytes.subarray(start, end)).toString('latin1');
    if (first) this.net.answer(this);
  }
  forward(chunk: Chunk, start: number, end: number): void {
    this.send(chunk.bytes, start, end);
  }
  pause(): void {}
  resume(): void {}
  shutdown(): void {}
  close(): void {
    this.#gone('close');
  }
  abort(reset: boolean): void {
    this.#gone(reset ? 'reset' : 'abort');
  }
  peer(): Address | null {
    return this.address;
  }
  local(): Address | null {
    return { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: 33_333 };
  }
  setOption(): void {}
  tcpInfo(): null {
    return null;
  }

  savedSyn(): null {
    return null;
  }
  vanish(): void {
    this.abort(true);
  }

  #gone(how: string): void {
    if (!this.alive) return;
    this.alive = false;
    this.shut = how;
    this.net.at(0, () => this.handler.onClose(this, 0));
  }
}

export class FakeIo implements Io {
  readonly name = 'sim';
  readonly wheel: TimerWheel;
  readonly scripts = new Map<number, Script>();
  readonly conns: FakeConn[] = [];
  readonly #clock: { clock: number };
  #events: { at: number; fire: () => void }[] = [];

  constructor(clock: { clock: number }) {
    this.#clock = clock;
    this.wheel = new TimerWheel(clock.clock);
  }

  now(): number {
    return this.#clock.clock;
  }

  /** Nothing to bring up to date: the clock is the test's. */
  wake(): void {}

  at(delay: number, fire: () => void): void {
    this.#events.push({ at: this.now() + delay, fire });
  }

  connect(address: Address, _options: ConnectOptions, handler: Handler): Conn {
    const conn = new FakeConn(this, address, handler);
    this.conns.push(conn);
    const script = this.scripts.get(address.port) ?? { refuse: 111 };
    if (script.silentConnect) return conn;
    this.at(0, () => {
      if (!conn.alive) return;
      if (script.refuse === undefined) conn.handler.onOpen(conn);
      else this.#close(conn, script.refuse);
    });
    return conn;
  }

  answer(conn: FakeConn): void {
    const { answer = [], delayMs = 0, after = 'end' } = this.scripts.get(conn.address.port)!;
    for (const piece of answer) {
      const bytes = Buffer.from(piece, 'latin1');
      const chunk: Chunk = { bytes, start: 0, end: bytes.length, keep: () => {}, release: () => {} };
      this.at(delayMs, () => conn.alive && conn.handler.onData(conn, chunk));
    }
    if (after === 'end') this.at(delayMs, () => conn.alive && conn.handler.onEnd(conn));
    if (after === 'reset') this.at(delayMs, () => conn.alive && this.#close(conn, 104));
  }

  /** Lets `ms` pass. */
  run(ms: number): void {
    for (const end = this.now() + ms; ; ) {
      const due = this.#events.find(e => e.at <= this.now());
      if (due) {
        this.#events = this.#events.filter(e => e !== due);
        due.fire();
        continue;
      }
      this.wheel.advance(this.now());
      if (this.#events.some(e => e.at <= this.now())) continue;
      if (this.now() >= end) return;
      this.#clock.clock += 1;
    }
  }

  #close(conn: FakeConn, errno: number): void {
    conn.alive = false;
    conn.handler.onClose(conn, errno);
  }

  listen(): Listening {
    throw new Error('the fake network has no listeners');
  }
  onTurn(): void {}
  take = heapChunk;
  settle(): void {
    throw new Error('the fake network has no layers');
  }
  async stop(): Promise<void> {}
}
