/**
 * The ring itself: entries written into the submission queue, completions read from the other. What an operation means
 * is told in its `user` words: an id, and a kind that comes back with the result.
 *
 * Memory, one mapping:   completions and both heads and tails | entries | buffer ring | one scratch area per entry
 *
 * The mapping is all that a thread leaves behind when it dies: the ring has no descriptor (REGISTERED_FD_ONLY), so the
 * kernel drops it, and with it its table of sockets, when the thread ends in whatever way. Sockets are in that table only
 * (direct descriptors): they cost less than descriptors that all threads share, and need no list for others to close.
 */
import ffi from 'node:ffi';
import os from 'node:os';
import { errorText } from '../native.ts';
import * as abi from './abi.ts';
import type { Calls } from './calls.ts';

const { errno: ERRNO } = os.constants;
const PAGE_BYTES = 4096;
/** Heads, tails and flags before the completions. */
const RING_HEAD_BYTES = PAGE_BYTES;
/** Per entry: a sockaddr, an option's value, or a msghdr with its vector; valid until the kernel has taken the entry. */
const SCRATCH_BYTES = 512;
const ARG_BYTES = BigInt(abi.GETEVENTS_ARG_BYTES);
/** What `enter` may answer in the normal course of things. */
const HARMLESS: ReadonlySet<number> = new Set([ERRNO.ETIME, ERRNO.EINTR, ERRNO.EBUSY, ERRNO.EAGAIN]);

interface RingSize {
  /** Powers of two. */
  readonly entries: number;
  readonly completions: number;
  readonly buffers: number;
  /** Places in the table of sockets. */
  readonly files: number;
}

/** The 32-bit halves of an address, as signed words. */
export const low = (address: bigint) => Number(BigInt.asIntN(32, address));
export const high = (address: bigint) => Number(BigInt.asIntN(32, address >> 32n));

export class Ring {
  readonly #calls: Calls;
  readonly #index: number;
  readonly #map: bigint;
  readonly #mapBytes: number;
  readonly #words: Int32Array;
  readonly #entries: number;
  readonly #sqHead: number;
  readonly #sqTail: number;
  readonly #cqHead: number;
  readonly #cqTail: number;
  readonly #cqes: number;
  readonly #cqMask: number;
  readonly #timeout: Int32Array<ArrayBuffer>;
  readonly #arg: bigint;
  readonly #argBytes: Uint8Array<ArrayBuffer>;
  #tail = 0;
  #head = 0;

  /** The entries: `sqe[at + abi.SQE.x]`, with `at` from `begin`. */
  readonly sqe: Int32Array;
  /** Words of the scratch area of the entry that `begin` gave last, from `scratchAt`, whose address is these halves. */
  readonly scratch: Int32Array;
  scratchAt = 0;
  readonly #scratchLow: number;
  readonly #scratchHigh: number;
  /** The ring of provided buffers, by words and by halfwords. */
  readonly buffers: Int32Array;
  readonly bufferHalves: Uint16Array;

  /** The completion that `next` found. */
  user = 0;
  kind = 0;
  res = 0;
  flags = 0;
  /** How often `enter` was called. */
  enters = 0;

  /** A ring, or why there is none. */
  static open(calls: Calls, size: RingSize): Ring | string {
    const cqBytes = RING_HEAD_BYTES + size.completions * abi.CQE_WORDS * 4;
    const sqBytes = size.entries * abi.SQE_WORDS * 4;
    const bufferBytes = Math.max(size.buffers * abi.BUF_WORDS * 4, PAGE_BYTES);
    const bytes = cqBytes + sqBytes + bufferBytes + size.entries * SCRATCH_BYTES;
    const map = calls.map(bytes);
    if (map === 0n) return `io_uring: no memory (${bytes} bytes)`;
    const params = new Int32Array(abi.PARAMS_BYTES / 4);
    const wide = new DataView(params.buffer);
    params[abi.PARAMS.completions] = size.completions;
    params[abi.PARAMS.flags] = abi.SETUP_FLAGS;
    wide.setBigUint64(abi.PARAMS.cqAddr * 4, map, true);
    wide.setBigUint64(abi.PARAMS.sqAddr * 4, map + BigInt(cqBytes), true);
    const index = calls.setup(size.entries, ffi.getRawPointer(params.buffer));
    if (index < 0) {
      calls.unmap(map, bytes);
      return refusal(-index);
    }
    const ring = new Ring(calls, index, params, map, [cqBytes, sqBytes, bufferBytes, bytes]);
    const why = ring.#equip(size, map + BigInt(cqBytes + sqBytes));
    if (why === null) return ring;
    ring.close();
    return why;
  }

  private constructor(calls: Calls, index: number, params: Int32Array, map: bigint, bytes: readonly number[]) {
    const [cqBytes, sqBytes, bufferBytes, all] = bytes as [number, number, number, number];
    const word = (name: keyof typeof abi.PARAMS) => params[abi.PARAMS[name]]! >> 2;
    const memory = ffi.toArrayBuffer(map, all, false);
    this.#calls = calls;
    this.#index = index;
    this.#map = map;
    this.#mapBytes = all;
    this.#words = new Int32Array(memory, 0, cqBytes / 4);
    this.#sqHead = word('sqHead');
    this.#sqTail = word('sqTail');
    this.#cqHead = word('cqHead');
    this.#cqTail = word('cqTail');
    this.#cqes = word('cqCqes');
    this.#cqMask = params[abi.PARAMS.completions]! - 1;
    this.sqe = new Int32Array(memory, cqBytes, sqBytes / 4);
    this.#entries = this.sqe.length / abi.SQE_WORDS;
    this.buffers = new Int32Array(memory, cqBytes + sqBytes, bufferBytes / 4);
    this.bufferHalves = new Uint16Array(memory, cqBytes + sqBytes, bufferBytes / 2);
    const scratchBytes = cqBytes + sqBytes + bufferBytes;
    this.scratch = new Int32Array(memory, scratchBytes);
    this.#scratchLow = low(map + BigInt(scratchBytes));
    this.#scratchHigh = high(map + BigInt(scratchBytes));
    this.#timeout = new Int32Array(4);
    this.#argBytes = new Uint8Array(abi.GETEVENTS_ARG_BYTES);
    new DataView(this.#argBytes.buffer).setBigUint64(
      abi.GETEVENTS_TIMESPEC,
      ffi.getRawPointer(this.#timeout.buffer),
      true,
    );
    this.#arg = ffi.getRawPointer(this.#argBytes.buffer);
  }

  /** What the kernel can do, the table of sockets, the ring of buffers; gives what is missing. */
  #equip(size: RingSize, buffersAt: bigint): string | null {
    const probe = new Uint8Array(16 + 256 * 8);
    const probed = this.register(abi.REGISTER.PROBE, probe, 256);
    if (probed < 0) return refusal(-probed);
    for (const [name, op] of Object.entries(abi.OP)) {
      if (probe[16 + op * 8 + 2] !== 1) return `io_uring: no IORING_OP_${name} here, ${abi.KERNEL_NEEDED} has it`;
    }
    // struct io_uring_rsrc_register: count 4, flags 4, then three times 8 bytes.
    const table = new Uint8Array(Uint32Array.of(size.files, abi.RSRC_SPARSE, 0, 0, 0, 0, 0, 0).buffer);
    const tabled = this.register(abi.REGISTER.FILES2, table, table.length);
    if (tabled < 0) return `io_uring: no table of ${size.files} sockets (${errorText(-tabled)})`;
    // struct io_uring_buf_reg: address 8, entries 4, group 2 (0), flags 2, three times 8.
    const group = new DataView(new ArrayBuffer(abi.BUF_REG_BYTES));
    group.setBigUint64(0, buffersAt, true);
    group.setUint32(8, size.buffers, true);
    const grouped = this.register(abi.REGISTER.PBUF_RING, new Uint8Array(group.buffer), 1);
    return grouped < 0 ? `io_uring: no ring of buffers (${errorText(-grouped)})` : null;
  }

  /** io_uring_register with a structure. */
  register(code: number, arg: Uint8Array<ArrayBuffer>, count: number): number {
    const at = ffi.getRawPointer(arg.buffer) + BigInt(arg.byteOffset);
    return this.#calls.register(this.#index, code | abi.REGISTER.USE_REGISTERED_RING, at, count);
  }

  /** Puts what descriptor `fd` names in a place of the table too; 1, or minus errno. */
  putFile(place: number, fd: number): number {
    // struct io_uring_files_update: place 4, reserved 4, pointer to the descriptors 8.
    const update = new DataView(new ArrayBuffer(16));
    const fds = Int32Array.of(fd);
    update.setUint32(0, place, true);
    update.setBigUint64(8, ffi.getRawPointer(fds.buffer), true);
    return this.register(abi.REGISTER.FILES_UPDATE, new Uint8Array(update.buffer), 1);
  }

  /** Makes room for so many entries that are submitted together, as linked ones must be. */
  room(entries: number): void {
    if (this.#tail - this.#words[this.#sqHead]! + entries > this.#entries) this.enter(0);
  }

  /** A new entry, its other words zero; gives the place of its first word. `fd` is a place in the table of sockets. */
  begin(op: number, fd: number, user: number, kind: number, flags: number = abi.SQE_FIXED_FILE): number {
    if (this.#tail - this.#words[this.#sqHead]! >= this.#entries) this.enter(0);
    const slot = this.#tail & (this.#entries - 1);
    const at = slot * abi.SQE_WORDS;
    const e = this.sqe;
    e[at] = op | (flags << 8);
    e[at + 1] = fd;
    e[at + 2] = 0;
    e[at + 3] = 0;
    e[at + 4] = 0;
    e[at + 5] = 0;
    e[at + 6] = 0;
    e[at + 7] = 0;
    e[at + 8] = user;
    e[at + 9] = kind;
    e[at + 10] = 0;
    e[at + 11] = 0;
    e[at + 12] = 0;
    e[at + 13] = 0;
    e[at + 14] = 0;
    e[at + 15] = 0;
    this.#tail = (this.#tail + 1) | 0;
    this.scratchAt = slot * (SCRATCH_BYTES / 4);
    return at;
  }

  /** Writes the address of the scratch area of the entry that `begin` gave last into two words of `words`, plus `offset`. */
  scratchAddress(words: Int32Array, at: number, offset: number): void {
    const sum = (this.#scratchLow >>> 0) + this.scratchAt * 4 + offset;
    words[at] = sum | 0;
    words[at + 1] = this.#scratchHigh + (sum > 0xffff_ffff ? 1 : 0);
  }

  /** Submits all entries and does what is due; waits up to `ms` (0: not at all) until there is a completion. */
  enter(ms: number): void {
    this.enters++;
    const submit = (this.#tail - this.#words[this.#sqHead]!) | 0;
    Atomics.store(this.#words, this.#sqTail, this.#tail);
    let flags: number = abi.ENTER.GETEVENTS | abi.ENTER.REGISTERED_RING;
    let result: number;
    if (ms > 0) {
      const whole = Math.floor(ms / 1000);
      this.#timeout[0] = whole;
      this.#timeout[2] = (ms - whole * 1000) * 1e6;
      flags |= abi.ENTER.EXT_ARG;
      result = this.#calls.enter(this.#index, submit, 1, flags, this.#arg, ARG_BYTES);
    } else {
      result = this.#calls.enter(this.#index, submit, 0, flags, 0n, 0n);
    }
    if (result < 0 && !HARMLESS.has(-result)) throw new Error(`io_uring_enter: ${errorText(-result)}`);
  }

  /** Takes the next completion into the fields above; false when there is none. */
  next(): boolean {
    const head = this.#head;
    if (head === Atomics.load(this.#words, this.#cqTail)) return false;
    const at = this.#cqes + (head & this.#cqMask) * abi.CQE_WORDS;
    const w = this.#words;
    this.user = w[at]!;
    this.kind = w[at + 1]!;
    this.res = w[at + 2]!;
    this.flags = w[at + 3]!;
    this.#head = (head + 1) | 0;
    Atomics.store(w, this.#cqHead, this.#head);
    return true;
  }

  /**
   * The result of the one operation of `kind` under way, submitted now and done at once, out of turn: its completion is
   * given the kind `done`. Minus ENODATA when the kernel did not do it at once.
   */
  await(kind: number, done: number): number {
    this.enter(0);
    const tail = Atomics.load(this.#words, this.#cqTail);
    for (let h = this.#head; h !== tail; h = (h + 1) | 0) {
      const at = this.#cqes + (h & this.#cqMask) * abi.CQE_WORDS;
      if (this.#words[at + abi.CQE.userHigh] !== kind) continue;
      this.#words[at + abi.CQE.userHigh] = done;
      return this.#words[at + abi.CQE.res]!;
    }
    return -ERRNO.ENODATA;
  }

  /** Nothing of the ring may be used afterwards. The kernel cancels what is under way. */
  close(): void {
    // struct io_uring_rsrc_update: offset 4, reserved 4, data 8.
    this.register(abi.REGISTER.UNREGISTER_RING_FDS, new Uint8Array(Uint32Array.of(this.#index, 0, 0, 0).buffer), 1);
    this.#calls.unmap(this.#map, this.#mapBytes);
  }
}

function refusal(errno: number): string {
  const forbidden = errno === ERRNO.EPERM || errno === ERRNO.EACCES;
  const hint = forbidden ? ': forbidden by kernel.io_uring_disabled or a container' : '';
  const old = errno === ERRNO.EINVAL ? `: ${abi.KERNEL_NEEDED} or later is needed` : '';
  return `io_uring: ${errorText(errno)}${hint}${old}`;
}
