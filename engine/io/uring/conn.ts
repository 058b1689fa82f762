/**
 * A connection of the `uring` io. What its owner asks for during a turn is noted, and becomes ring operations at the end of
 * the turn, in `settle`; what completes comes in by the `on...` methods.
 *
 *   CONNECTING ──► OPEN ──► CLOSING ──► DOOMED ──► TORN ──► GONE
 *                          (output     (to be     (CLOSE   (all operations
 *                           leaves)     torn)      asked)   are complete)
 *
 * At most one receive and one send are under way. `#due` counts the completions still to come: the place in the table,
 * and the id, are free for another connection when there are none.
 */
import os from 'node:os';
import { HIGH_WATER_BYTES, LOW_WATER_BYTES, URING_HELD_BYTES } from '../../limits.ts';
import { UNNAMED } from '../address.ts';
import { NOBODY, SYN_BYTES_MAX } from '../common.ts';
import type { Address, Chunk, Conn, Handler } from '../contract.ts';
import {
  addressOfNumber,
  closeFd,
  hush,
  readOption,
  SO_LINGER,
  type SocketOption,
  shutdownSending,
  socketName,
  TCP_INFO,
  TCP_SAVED_SYN,
} from '../native.ts';
import { CQE_BUFFER, CQE_BUFFER_SHIFT, CQE_MORE } from './abi.ts';
import { Block, type ReceiveBlocks } from './buffers.ts';
import * as ops from './ops.ts';
import { KIND } from './ops.ts';
import { Output, type OutputPools } from './output.ts';
import type { Ring } from './ring.ts';

/** `struct tcp_info`, as far as anybody looks (it has grown over the years). */
const INFO = new Uint8Array(256);

const { ECANCELED, ENOBUFS, EINTR, EAGAIN } = os.constants.errno;
/** The operation is to be done again: it was cancelled, interrupted, or there was no free block. */
const AGAIN: ReadonlySet<number> = new Set([-ECANCELED, -ENOBUFS, -EINTR, -EAGAIN]);

/** What a connection asks of its io. */
export interface UringLoop extends OutputPools {
  readonly ring: Ring;
  readonly received: ReceiveBlocks;
  /** `conn.settle` is to be called at the end of the turn. */
  unsettled(conn: UringConn): void;
  /** `conn.deliverHeld` is to be called at the start of the next turn. */
  later(conn: UringConn): void;
  gone(conn: UringConn): void;
  /** `conn.guard` is to be called when libuv was next asked, soon but not at once. */
  unguarded(conn: UringConn): void;
}

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const DOOMED = 3;
const TORN = 4;
const GONE = 5;

export class UringConn implements Conn {
  readonly id: number;
  handler: Handler = NOBODY;
  alive = true;
  /** In the io's list of connections to settle. */
  listed = false;
  readonly #io: UringLoop;
  readonly #unix: boolean;
  #phase: number;
  #due = 0;
  /** Under way. */
  #connecting: boolean;
  #receiving = false;
  #cancelling = false;
  #sending = false;
  #guarding = false;
  #hungUp = false;
  #paused = false;
  #shut = false;
  #shutSent = false;
  #eof = false;
  #ended = false;
  #reset = false;
  #over = false;
  #errno = 0;
  readonly #output: Output;
  /** What arrived while paused, in order. */
  #held: Block[] | null = null;
  #heldBytes = 0;
  /** As `sockaddrNumber` until somebody asks: idle connections are many. */
  #peer: Address | number | null;
  #local: Address | null;

  constructor(io: UringLoop, id: number, open: boolean, peer: Address | number | null, local: Address | null) {
    this.#io = io;
    this.#output = new Output(io);
    this.id = id;
    this.#phase = open ? OPEN : CONNECTING;
    this.#connecting = !open;
    if (open) io.unguarded(this);
    else this.#due = 1;
    this.#unix = typeof peer !== 'number' && (peer ?? local)?.family === 1;
    this.#peer = peer;
    this.#local = local;
  }

  get pending(): number {
    return this.#output.pending;
  }

  send(bytes: Uint8Array, start: number, end: number): void {
    if (end <= start || !this.#writable()) return;
    this.#output.copy(bytes, start, end);
    this.#queued();
  }

  forward(chunk: Chunk, start: number, end: number): void {
    if (end <= start || !this.#writable()) return;
    // A chunk of another io has no address that is known here.
    if (!(chunk instanceof Block) || this.#output.joins(end - start)) {
      this.send(chunk.bytes, start, end);
      return;
    }
    chunk.keep();
    this.#output.add(chunk, start, end);
    this.#queued();
  }

  #writable(): boolean {
    return this.alive && !this.#shut;
  }

  #queued(): void {
    if (this.pending > HIGH_WATER_BYTES) this.#over = true;
    this.#touch();
  }

  #touch(): void {
    if (this.listed) return;
    this.listed = true;
    this.#io.unsettled(this);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (!this.alive) return;
    if (this.#held !== null || this.#eof) this.#io.later(this);
    else this.#touch();
  }

  shutdown(): void {
    if (!this.#writable()) return;
    this.#shut = true;
    this.#touch();
  }

  close(): void {
    if (!this.alive) return;
    if (this.#phase === CONNECTING && this.#output.first === null) {
      this.abort(false);
      return;
    }
    this.alive = false;
    if (this.#phase === OPEN) this.#phase = CLOSING;
    this.#touch();
  }

  abort(reset: boolean): void {
    this.alive = false;
    if (this.#phase >= DOOMED) return;
    this.#phase = DOOMED;
    this.#reset = reset;
    this.#touch();
  }

  peer(): Address | null {
    if (typeof this.#peer === 'number') this.#peer = addressOfNumber(this.#peer);
    return this.#peer;
  }

  local(): Address | null {
    if (this.#local === null && this.#phase === OPEN) this.#local = this.#unix ? UNNAMED : this.#name();
    return this.#local;
  }

  /** The socket's own address, asked of the kernel. */
  #name(): Address | null {
    const fd = ops.installed(this.#io.ring, this.id);
    if (fd < 0) return null;
    const name = socketName(fd);
    closeFd(fd);
    return name;
  }

  tcpInfo(): Uint8Array | null {
    if (!this.alive || this.#unix) return null;
    const length = this.#withFd(fd => readOption(fd, TCP_INFO, INFO));
    return length < 0 ? null : INFO.subarray(0, length);
  }

  savedSyn(): Uint8Array | null {
    if (!this.alive || this.#unix) return null;
    const syn = new Uint8Array(SYN_BYTES_MAX);
    const length = this.#withFd(fd => readOption(fd, TCP_SAVED_SYN, syn));
    return length > 0 ? syn.subarray(0, length) : null;
  }

  vanish(hops: number): void {
    if (this.alive && !this.#unix) {
      this.#withFd(fd => {
        hush(fd, hops);
        return 0;
      });
    }
    this.abort(true);
  }

  /** The result of a call that needs a descriptor; minus errno when there is none. */
  #withFd(call: (fd: number) => number): number {
    const fd = ops.installed(this.#io.ring, this.id);
    if (fd < 0) return fd;
    const result = call(fd);
    closeFd(fd);
    return result;
  }

  setOption(option: SocketOption, value: number): void {
    if (this.alive && !this.#unix) ops.setOption(this.#io.ring, this.id, option, value);
  }

  /** Turns what the turn has asked for into operations. */
  settle(): void {
    this.listed = false;
    if (this.#phase === DOOMED) {
      this.#tear();
      return;
    }
    if (this.#phase !== OPEN && this.#phase !== CLOSING) return;
    if (this.#phase === CLOSING) this.#dropHeld();
    if (!this.#sending) {
      if (this.#output.first !== null) this.#transmit();
      else if (this.#finish()) return;
    }
    // While closing, what still arrives is received and dropped: closing a socket with unread data would send RST and
    // cost the peer the output under way.
    const wanted = this.#phase === CLOSING || (!this.#paused && this.#held === null);
    if (wanted && !this.#receiving && !this.#eof) this.#receive();
  }

  /** All output has left: what comes after it, if that is known already. True when the connection is torn. */
  #finish(): boolean {
    if (this.#phase === CLOSING || (this.#shut && this.#ended)) {
      this.alive = false;
      this.#tear();
      return true;
    }
    if (this.#shut && !this.#shutSent) {
      this.#shutSent = true;
      this.#sendFin();
    }
    return false;
  }

  /**
   * The ring's own shutdown always runs in another thread of the kernel, which costs more than these calls. None of its
   * operations can be overtaken by them: all sends are complete, and there will be none.
   */
  #sendFin(): void {
    const fd = ops.installed(this.#io.ring, this.id);
    if (fd < 0) {
      this.#fail(-fd);
      return;
    }
    shutdownSending(fd);
    closeFd(fd);
  }

  /**
   * A multishot receive is not told of a reset that arrives while there is still data to take (Linux 6.18): the reset's
   * wake-up is used up by the data. So a connection that lasts has a poll for failure beside it, and once that has
   * something to say, it receives step by step: after the last data comes how it ended.
   */
  guard(): void {
    if (this.#phase !== OPEN && this.#phase !== CLOSING) return;
    this.#guarding = true;
    this.#due++;
    ops.guard(this.#io.ring, this.id);
  }

  onGuard(): void {
    this.#guarding = false;
    this.#hungUp = true;
    if (this.#phase !== TORN) this.#cancelReceive();
    this.#done();
  }

  #cancelReceive(): void {
    if (!this.#receiving || this.#cancelling) return;
    this.#cancelling = true;
    ops.cancel(this.#io.ring, this.id, KIND.RECV);
  }

  #receive(): void {
    this.#receiving = true;
    this.#due++;
    ops.receive(this.#io.ring, this.id, !this.#hungUp);
  }

  #transmit(): void {
    this.#sending = true;
    this.#due++;
    // The FIN that follows at once (onSend) then travels with the last data: a packet, and a wake-up of the peer, less. Not
    // where the socket may hold what nobody reads: closing it drops output that has not left.
    const last = this.#shut || (this.#phase === CLOSING && (this.#eof || this.#receiving));
    ops.transmit(this.#io.ring, this.id, this.#output.first!, last);
  }

  /** Ends what is under way and closes, in this order: all through the ring, so that nothing overtakes. */
  #tear(): void {
    const { ring } = this.#io;
    // Data and the reason to abort may have come in one batch of completions: what the kernel takes at once still leaves,
    // as it does on ios that have a turn in between.
    const open = this.#errno === 0 && !this.#connecting;
    if (open && !this.#reset && !this.#sending && this.#output.first !== null) this.#transmit();
    this.#phase = TORN;
    this.#dropHeld();
    if (this.#reset && !this.#unix) ops.setOption(ring, this.id, SO_LINGER, 1, 0);
    if (this.#connecting) ops.cancel(ring, this.id, KIND.CONNECT);
    this.#cancelReceive();
    if (this.#guarding) ops.cancel(ring, this.id, KIND.GUARD);
    if (this.#sending) ops.cancel(ring, this.id, KIND.SEND);
    this.#due++;
    ops.close(ring, this.id);
  }

  /** One completion less to come. */
  #done(): void {
    if (--this.#due > 0 || this.#phase !== TORN) return;
    this.#phase = GONE;
    this.alive = false;
    this.#output.drop();
    this.#io.gone(this);
    this.handler.onClose(this, this.#errno);
  }

  #fail(errno: number): void {
    if (this.#phase >= DOOMED) return;
    this.#errno = errno;
    this.abort(false);
  }

  onConnect(res: number): void {
    this.#connecting = false;
    if (this.#phase === CONNECTING) {
      if (res < 0 || this.#errno !== 0) this.#fail(this.#errno || -res);
      else {
        this.#phase = this.alive ? OPEN : CLOSING;
        this.#io.unguarded(this);
        this.#touch();
        if (this.alive) this.handler.onOpen(this);
      }
    }
    this.#done();
  }

  /** There is no socket, and the connect will say so in its own way. */
  onPrepare(res: number): void {
    if (this.#phase === CONNECTING && this.#errno === 0) this.#errno = -res;
  }

  onReceive(res: number, flags: number): void {
    const last = (flags & CQE_MORE) === 0;
    if (last) {
      this.#receiving = false;
      this.#cancelling = false;
      this.#touch();
    }
    if (res > 0) this.#data(this.#io.received.lend(flags >>> CQE_BUFFER_SHIFT, res));
    else {
      if ((flags & CQE_BUFFER) !== 0) this.#io.received.giveBack(flags >>> CQE_BUFFER_SHIFT);
      if (res === 0) this.#end();
      else if (!AGAIN.has(res)) this.#fail(-res);
    }
    if (last) this.#done();
  }

  #data(block: Block): void {
    if (!this.alive) {
      block.release();
    } else if (this.#paused || this.#held !== null) {
      this.#hold(block);
    } else {
      this.handler.onData(this, block);
      block.release();
    }
  }

  #hold(block: Block): void {
    this.#held ??= [];
    this.#held.push(block);
    this.#heldBytes += block.end;
    if (this.#heldBytes >= URING_HELD_BYTES) this.#cancelReceive();
  }

  #end(): void {
    this.#eof = true;
    if (!this.alive || this.#paused || this.#held !== null) return;
    this.#tellEnd();
  }

  #tellEnd(): void {
    this.#ended = true;
    this.#touch();
    this.handler.onEnd(this);
  }

  /** What `resume` left for later: all that was held, unless the handler pauses again. */
  deliverHeld(): void {
    const held = this.#held;
    if (held !== null) {
      let given = 0;
      while (given < held.length && this.alive && !this.#paused) {
        const block = held[given++]!;
        this.#heldBytes -= block.end;
        this.handler.onData(this, block);
        block.release();
      }
      if (given < held.length) {
        held.splice(0, given);
        return;
      }
      this.#held = null;
    }
    if (!this.alive || this.#paused) return;
    this.#touch();
    if (this.#eof && !this.#ended) this.#tellEnd();
  }

  onSend(res: number): void {
    this.#sending = false;
    if (res > 0) this.#output.sent(res);
    else if (!AGAIN.has(res)) this.#fail(-res);
    this.#done();
    if (this.#phase === GONE) return;
    if (this.#output.first !== null) this.#touch();
    else if (this.#phase <= CLOSING && this.#finish()) return;
    if (!this.#over || this.pending > LOW_WATER_BYTES || !this.alive) return;
    this.#over = false;
    this.handler.onDrain(this);
  }

  onClosed(): void {
    this.#done();
  }

  #dropHeld(): void {
    const held = this.#held;
    this.#held = null;
    this.#heldBytes = 0;
    if (held !== null) for (const block of held) block.release();
  }
}
