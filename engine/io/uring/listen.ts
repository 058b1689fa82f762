/**
 * Accepting. A few accepts of one connection each wait on the listening socket, rather than one that completes again and
 * again, for three reasons: each has room of its own for the peer's address, which a socket without descriptor cannot be
 * asked for; each names the place and so the id of its connection beforehand; and workers that share the socket are woken
 * in turn, while a lasting accept would stay first in the kernel's line and get all.
 */
import ffi from 'node:ffi';
import os from 'node:os';
import { URING_ACCEPTS } from '../../limits.ts';
import { UNNAMED } from '../address.ts';
import type { Address, Conn, Listening } from '../contract.ts';
import { decodeSockaddr, sockaddrNumber } from '../native.ts';
import * as ops from './ops.ts';
import { high, low, type Ring } from './ring.ts';

const { errno: ERRNO } = os.constants;
/** One connection's trouble, or our own cancel: the next accept may be tried at once. */
const PASSING: ReadonlySet<number> = new Set([-ERRNO.ECANCELED, -ERRNO.ECONNABORTED, -ERRNO.EINTR, -ERRNO.EPROTO]);

/** Room for an IPv6 sockaddr, then for its length. */
const NAME_BYTES = 32;
const LENGTH_AT = 28;

/** What a listening socket asks of its io. */
export interface ListenLoop {
  readonly ring: Ring;
  /** An id for a connection to come; -1 when all are in use. */
  reserve(): number;
  unreserve(id: number): void;
  /** `peer`: an IPv4 one as `sockaddrNumber`. */
  accepted(id: number, peer: Address | number, local: Address | null, accept: (conn: Conn) => void): void;
  /** `listening.settle` is to be called at the end of the turn, or when libuv was next asked. */
  unsettledListener(listening: UringListening, soon: boolean): void;
  /** `listening.deliverHeld` is to be called at the start of the next turn. */
  later(listening: UringListening): void;
  unlisten(listening: UringListening): void;
}

export class UringListening implements Listening {
  readonly id: number;
  /** In a list of the io. */
  listed = false;
  readonly #io: ListenLoop;
  readonly #accept: (conn: Conn) => void;
  readonly #unix: boolean;
  /** Where connections arrive; null when the socket is bound to any address. */
  readonly #local: Address | null;
  readonly #names: Uint8Array<ArrayBuffer>;
  readonly #lengths: Int32Array;
  readonly #nameAt: readonly ops.AcceptName[];
  /** By the accept's number: the id of its connection, -1 when it does not wait. */
  readonly #ids: number[];
  /** Accepted while paused: ids, and the peers. */
  readonly #waiting: { id: number; peer: Address | number }[] = [];
  /** The accept beyond those that wait: see `look`. */
  readonly #extra: number;
  #waits = 0;
  #paused = false;
  #closed = false;
  #cancelled = false;
  #closeSent = false;
  #closeDone = false;
  #whenClosed: () => void = () => {};

  constructor(io: ListenLoop, id: number, burst: number, local: Address, accept: (conn: Conn) => void) {
    const count = Math.max(1, Math.min(burst, URING_ACCEPTS));
    this.#io = io;
    this.id = id;
    this.#accept = accept;
    this.#unix = local.family === 1;
    this.#local = this.#unix || local.bytes.some(byte => byte !== 0) ? local : null;
    this.#extra = count;
    this.#ids = new Array<number>(count + 1).fill(-1);
    this.#names = new Uint8Array((count + 1) * NAME_BYTES);
    this.#lengths = new Int32Array(this.#names.buffer);
    const address = ffi.getRawPointer(this.#names.buffer);
    this.#nameAt = this.#ids.map((_, i) => {
      const at = address + BigInt(i * NAME_BYTES);
      const lengthAt = at + BigInt(LENGTH_AT);
      return { low: low(at), high: high(at), lengthLow: low(lengthAt), lengthHigh: high(lengthAt) };
    });
    this.#touch(true);
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#touch(true);
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#waiting.length > 0) this.#io.later(this);
    this.#touch(true);
  }

  close(closed: () => void = () => {}): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#whenClosed = closed;
    if (this.#waiting.length > 0) this.#io.later(this);
    // At once: the next to connect must be refused.
    this.settle();
    this.#io.ring.enter(0);
  }

  /**
   * Takes a connection that nobody was woken for. A connection wakes one of those who wait; when that one is the accept of
   * a worker that has just died, or was cancelled that moment, the connection would wait for the next to come.
   */
  look(): void {
    if (this.#closed || this.#paused || this.#ids[this.#extra] !== -1) return;
    const id = this.#io.reserve();
    if (id < 0) return;
    this.#start(this.#extra, id, false);
  }

  #start(number: number, id: number, wait: boolean): void {
    this.#ids[number] = id;
    this.#waits++;
    this.#lengths[(number * NAME_BYTES + LENGTH_AT) / 4] = LENGTH_AT;
    ops.accept(this.#io.ring, this.id, number, id, this.#unix ? null : this.#nameAt[number]!, wait);
  }

  #touch(soon: boolean): void {
    if (this.listed) return;
    this.listed = true;
    this.#io.unsettledListener(this, soon);
  }

  /** Lets accepts wait, or cancels them. */
  settle(): void {
    this.listed = false;
    if (this.#closed) {
      this.#cancel();
      if (this.#closeSent) return;
      this.#closeSent = true;
      ops.close(this.#io.ring, this.id);
    } else if (this.#paused) this.#cancel();
    else this.#arm();
  }

  #arm(): void {
    this.#cancelled = false;
    for (let i = 0; i < this.#extra; i++) {
      if (this.#ids[i] !== -1) continue;
      const id = this.#io.reserve();
      if (id < 0) {
        this.#touch(false);
        return;
      }
      this.#start(i, id, true);
    }
  }

  #cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    for (let i = 0; i < this.#ids.length; i++) {
      if (this.#ids[i] !== -1) ops.cancel(this.#io.ring, this.id, ops.KIND.ACCEPT | (i << ops.KIND_BITS));
    }
  }

  /** Accept `number` is complete. */
  onAccept(number: number, res: number): void {
    const id = this.#ids[number]!;
    this.#ids[number] = -1;
    this.#waits--;
    if (res < 0) {
      this.#io.unreserve(id);
      // Out of memory or of files: the kernel keeps the connection, and it is tried again a little later.
      if (!this.#closed && number !== this.#extra) this.#touch(PASSING.has(res));
    } else {
      const peer = this.#peer(number);
      if (this.#paused && !this.#closed) this.#waiting.push({ id, peer });
      else {
        if (!this.#closed) this.#touch(true);
        this.#io.accepted(id, peer, this.#local, this.#accept);
      }
    }
    this.#finish();
  }

  #peer(number: number): Address | number {
    if (this.#unix) return UNNAMED;
    const at = number * NAME_BYTES;
    const short = sockaddrNumber(this.#names, at);
    if (short >= 0) return short;
    return decodeSockaddr(this.#names, LENGTH_AT, at) ?? UNNAMED;
  }

  /** What was accepted just before a pause that has ended since, be it by the end of listening. */
  deliverHeld(): void {
    while ((!this.#paused || this.#closed) && this.#waiting.length > 0) {
      const { id, peer } = this.#waiting.shift()!;
      this.#io.accepted(id, peer, this.#local, this.#accept);
    }
    if (this.#closed) this.#finish();
  }

  onClosed(): void {
    this.#closeDone = true;
    this.#finish();
  }

  #finish(): void {
    if (!this.#closeDone || this.#waits > 0 || this.#waiting.length > 0) return;
    this.#io.unlisten(this);
    this.#whenClosed();
    this.#whenClosed = () => {};
  }
}
