/**
 * One connection with a peer: handshake, framing, heartbeat.
 *
 *   we connect     opening ──onOpen: hello──► waiting ──status 200──► up ──► over
 *   it connects    waiting ──hello──► owner decides ──status──► up ──► over
 */
import type { Chunk, Conn, Handler } from '../io/contract.ts';
import { HIGH_WATER_BYTES, PEER_MESSAGE_BYTES_MAX } from '../limits.ts';
import { Timer } from '../time.ts';
import { Reader, Writer } from './bytes.ts';
import type { Exchange } from './exchange.ts';
import { HelloReader, hello, LINE_BYTES_MAX, readStatus, STATUS, STATUSES } from './handshake.ts';
import { CLASS, CONTROL, control, ERROR, type Message, nextMessage } from './messages.ts';
import type { Peer } from './peer.ts';
import type { PeersEnv } from './section.ts';

/** Limits of the protocol (HAProxy's doc/peers.txt, "About heartbeat messages"), and of the handshake. Milliseconds. */
const HEARTBEAT_MS = 3000;
const SILENCE_MS = 5000;
const HANDSHAKE_MS = 5000;
/** For the last words of a connection to leave. Milliseconds. */
const FAREWELL_MS = 1000;

/** A message with its head. */
const INPUT_BYTES = PEER_MESSAGE_BYTES_MAX + 16;

/** What a link asks and tells the section. */
export interface LinkOwner {
  readonly name: string;
  readonly localName: string;
  /** `name` wants to talk on this link: gives the status. With 200 `link.peer` is set. */
  greeted(link: Link, name: string): number;
  /** Both know each other: gives what they say. `timed`: the peer knows times of entries. */
  up(link: Link, timed: boolean): Exchange;
  /** A message that makes sense was heard. */
  heard(link: Link): void;
  /** It is over; `fault`: the peer broke the protocol, and how. */
  over(link: Link, fault: string | null): void;
}

export class Link implements Handler {
  /** We connected. */
  readonly outgoing: boolean;
  peer: Peer | null;
  exchange: Exchange | null = null;
  conn: Conn | null = null;
  /** Nobody was there. */
  refused = false;
  /** Another has given way to it already: not twice, perhaps nobody answers it. */
  insisted = false;
  /** It gives way to one that we made: no fault of the peer's. */
  givesWay = false;
  state: 'opening' | 'waiting' | 'up' | 'over';
  readonly #env: PeersEnv;
  readonly #owner: LinkOwner;
  readonly #timer: Timer<Link>;
  /** When we said something last, and heard. Milliseconds. */
  #saidAt: number;
  #heardAt: number;
  readonly #hello: HelloReader;
  readonly #input = new Uint8Array(INPUT_BYTES);
  #filled = 0;
  readonly #message: Message = { class: 0, type: 0 };
  readonly #body = new Reader();
  readonly #out = new Writer();

  /** `peer`: whom we connect to; null = somebody connected to us. */
  constructor(env: PeersEnv, owner: LinkOwner, peer: Peer | null) {
    this.outgoing = peer !== null;
    this.peer = peer;
    this.state = this.outgoing ? 'opening' : 'waiting';
    this.#env = env;
    this.#owner = owner;
    this.#hello = new HelloReader(owner.localName);
    this.#saidAt = this.#heardAt = env.now();
    this.#timer = new Timer<Link>(this, link => link.#tick());
    env.wheel.arm(this.#timer, env.now() + HANDSHAKE_MS);
  }

  /** When it says that it lives unless something else is said before. */
  get heartbeatAt(): number {
    return this.#saidAt + HEARTBEAT_MS;
  }

  onOpen(conn: Conn): void {
    if (this.state !== 'opening') return;
    this.state = 'waiting';
    const bytes = hello(this.peer!.name, this.#owner.localName, this.#env.pid);
    conn.send(bytes, 0, bytes.length);
  }

  onData(conn: Conn, { bytes, start, end }: Chunk): void {
    this.#heardAt = this.#env.now();
    for (let at = start; at < end && this.state !== 'over'; ) {
      const length = Math.min(end - at, INPUT_BYTES - this.#filled);
      this.#input.set(bytes.subarray(at, at + length), this.#filled);
      this.#filled += length;
      at += length;
      this.#digest(conn);
    }
    this.flush();
  }

  onEnd(): void {
    this.end(null);
  }

  onDrain(): void {
    this.flush();
  }

  onClose(_: Conn, errno: number): void {
    this.refused = this.state === 'opening' && errno !== 0;
    this.end(null);
    this.#env.wheel.forget(this.#timer);
    this.conn = null;
  }

  /** Says what there is to say, as far as the peer takes it. */
  flush(): void {
    const { conn, exchange } = this;
    if (this.state !== 'up' || conn === null || exchange === null) return;
    if (!exchange.talkative || conn.pending > HIGH_WATER_BYTES) return;
    const more = exchange.say(this.#out, this.#env.updatesAtOnce);
    this.#send(conn);
    // The rest in the next turn, so that others have their turn too.
    if (more && conn.pending <= HIGH_WATER_BYTES) this.#env.wheel.arm(this.#timer, this.#env.now());
    else this.#arm();
  }

  /** Ends the connection. `fault`: what the peer did wrong; what it was told about that still leaves. */
  end(fault: string | null, reset = false): void {
    if (this.state === 'over') return;
    this.state = 'over';
    this.#env.wheel.forget(this.#timer);
    if (fault === null || reset) this.conn?.abort(reset);
    else {
      this.conn?.close();
      this.#env.wheel.arm(this.#timer, this.#env.now() + FAREWELL_MS);
    }
    this.#owner.over(this, fault);
  }

  /** Takes what has come as far as it is complete. */
  #digest(conn: Conn): void {
    let at = 0;
    while (this.state !== 'over') {
      const taken: number = this.state === 'up' ? this.#readMessage(conn, at) : this.#readLine(conn, at);
      if (taken === 0) break;
      at += taken;
    }
    this.#input.copyWithin(0, at, this.#filled);
    this.#filled -= at;
  }

  /** Bytes that the line at `at` takes; 0 = it is not complete. */
  #readLine(conn: Conn, at: number): number {
    const end = this.#input.subarray(at, this.#filled).indexOf(10);
    if (end < 0) {
      if (this.#filled - at >= LINE_BYTES_MAX) this.#refuse(conn, STATUS.PROTOCOL_ERROR, 'it says no hello');
      return 0;
    }
    const line = Buffer.from(this.#input.buffer, at, end).toString();
    if (this.outgoing) this.#readStatus(line);
    else this.#readHello(conn, line);
    return end + 1;
  }

  #readHello(conn: Conn, line: string): void {
    let status = this.#hello.read(line);
    if (status === STATUS.OK && !this.#hello.done) return;
    if (status === STATUS.OK) status = this.#owner.greeted(this, this.#hello.name);
    if (status !== STATUS.OK) {
      this.#refuse(conn, status, STATUSES[status]!.text);
      return;
    }
    const bytes = Buffer.from(`${status}\n`);
    conn.send(bytes, 0, bytes.length);
    this.#begin(this.#hello.minor > 0);
  }

  #readStatus(line: string): void {
    const status = readStatus(line);
    this.peer!.status = status === null ? STATUS.PROTOCOL_ERROR : status;
    if (status === STATUS.OK) this.#begin(true);
    else this.end(status === null ? 'it gives no status' : status === STATUS.TRY_AGAIN ? null : refusal(status));
  }

  /** Tells the status and closes; whoever it is, nobody of ours. */
  #refuse(conn: Conn, status: number, why: string): void {
    const bytes = Buffer.from(`${status}\n`);
    conn.send(bytes, 0, bytes.length);
    this.end(why);
  }

  #begin(timed: boolean): void {
    this.state = 'up';
    this.exchange = this.#owner.up(this, timed);
    this.#saidAt = this.#env.now();
    this.#arm();
  }

  /** Bytes that the message at `at` takes; 0 = it is not complete. */
  #readMessage(conn: Conn, at: number): number {
    const message = this.#message;
    const taken = nextMessage(this.#input, at, this.#filled, PEER_MESSAGE_BYTES_MAX, message, this.#body);
    if (taken === 0) return 0;
    const size = taken < 0;
    const fault = size ? 'message too long' : this.#hear(message);
    if (fault === null) return taken;
    if (message.class !== CLASS.error) {
      this.#out.byte(CLASS.error);
      this.#out.byte(size ? ERROR.size : ERROR.protocol);
      this.#send(conn);
    }
    this.end(fault);
    return 0;
  }

  #hear(message: Message): string | null {
    if (message.class === CLASS.control && message.type === CONTROL.heartbeat) {
      this.peer!.counters.heartbeatsHeard++;
      return null;
    }
    this.#owner.heard(this);
    return this.exchange!.hear(message, this.#body);
  }

  #send(conn: Conn): void {
    if (this.#out.length === 0) return;
    conn.send(this.#out.bytes, 0, this.#out.length);
    this.#out.length = 0;
    this.#saidAt = this.#env.now();
  }

  #arm(): void {
    this.#env.wheel.arm(this.#timer, Math.min(this.heartbeatAt, this.#heardAt + SILENCE_MS));
  }

  #tick(): void {
    const now = this.#env.now();
    if (this.state === 'over') this.conn?.abort(true);
    else if (this.state !== 'up') this.end(this.peer === null ? 'it says no hello' : null);
    else if (now >= this.#heardAt + SILENCE_MS) {
      this.peer!.counters.silences++;
      this.end(null);
    } else this.#beat(now);
  }

  #beat(now: number): void {
    if (now >= this.heartbeatAt) {
      control(this.#out, CONTROL.heartbeat);
      this.#send(this.conn!);
      this.peer!.counters.heartbeatsSaid++;
    }
    this.#arm();
    this.flush();
  }
}

function refusal(status: number): string {
  return `it refuses with status ${status}: ${STATUSES[status]?.text ?? 'unknown'}`;
}
