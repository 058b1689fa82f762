/** The operations on sockets, each one entry of the ring. The index of a connection's or
 * listener's id is its socket's place in the ring's table. */
import type { SocketOption } from '../native.ts';
import { indexOf } from '../slots.ts';
import * as abi from './abi.ts';
import type { Piece } from './buffers.ts';
import type { Ring } from './ring.ts';

const { OP, SQE } = abi;

/** What a completion is about: the second word of what comes back. */
export const KIND = {
  /** Nobody waits for it; only its failure completes at all. */
  QUIET: 0,
  RECV: 1,
  SEND: 2,
  ACCEPT: 3,
  CONNECT: 4,
  /** There is no socket: CONNECT will fail. */
  PREPARE: 5,
  CLOSE: 6,
  GUARD: 7,
  GUEST: 8,
  INSTALL: 9,
} as const;
/** ACCEPT carries its number above the kind. */
export const KIND_BITS = 4;
export const KIND_MASK = (1 << KIND_BITS) - 1;

const QUIET_FLAGS = abi.SQE_FIXED_FILE | abi.SQE_SKIP_SUCCESS;
const LINKED_FLAGS = QUIET_FLAGS | abi.SQE_LINK;
const SEND_FLAGS = abi.MSG_WAITALL | abi.MSG_NOSIGNAL;
/** Spans of one SENDMSG. */
const VECTOR_MAX = 16;
const INT_BYTES = 4;

/** Receives into a block of the pool: again and again, or once. */
export function receive(ring: Ring, id: number, again: boolean): void {
  const at = ring.begin(OP.RECV, indexOf(id), id, KIND.RECV, abi.SQE_FIXED_FILE | abi.SQE_BUFFER_SELECT);
  if (again) ring.sqe[at]! |= abi.RECV_MULTISHOT << 16;
}

/**
 * Sends the pieces, as many as fit one entry, all of each unless the connection fails. `last`: the end of them is kept back
 * for what follows at once.
 */
export function transmit(ring: Ring, id: number, first: Piece, last: boolean): void {
  const flags = last ? SEND_FLAGS | abi.MSG_MORE : SEND_FLAGS;
  if (first.next === null) {
    const at = ring.begin(OP.SEND, indexOf(id), id, KIND.SEND);
    writeSpan(ring.sqe, at + SQE.addr, first);
    ring.sqe[at + SQE.len] = first.end - first.start;
    ring.sqe[at + SQE.opFlags] = flags;
    return;
  }
  const at = ring.begin(OP.SENDMSG, indexOf(id), id, KIND.SEND);
  const { scratch, scratchAt } = ring;
  let count = 0;
  let word = scratchAt + abi.MSGHDR_WORDS;
  for (let piece: Piece | null = first; piece !== null && count < VECTOR_MAX; piece = piece.next) {
    writeSpan(scratch, word, piece);
    scratch[word + 2] = piece.end - piece.start;
    scratch[word + 3] = 0;
    word += abi.IOVEC_WORDS;
    count++;
  }
  scratch.fill(0, scratchAt, scratchAt + abi.MSGHDR_WORDS);
  ring.scratchAddress(scratch, scratchAt + abi.MSGHDR_IOV, abi.MSGHDR_WORDS * 4);
  scratch[scratchAt + abi.MSGHDR_IOV_LENGTH] = count;
  ring.scratchAddress(ring.sqe, at + SQE.addr, 0);
  ring.sqe[at + SQE.len] = 1;
  ring.sqe[at + SQE.opFlags] = flags;
}

function writeSpan(words: Int32Array, at: number, piece: Piece): void {
  const sum = (piece.block.low >>> 0) + piece.start;
  words[at] = sum | 0;
  words[at + 1] = piece.block.high + (sum > 0xffff_ffff ? 1 : 0);
}

/**
 * Accepts one connection into the place of `id`; its peer's address is written where `name` says. Completes with the
 * listener's id and `number`. Without `wait`: at once, with EAGAIN when nobody has connected.
 */
export function accept(
  ring: Ring,
  listener: number,
  number: number,
  id: number,
  name: AcceptName | null,
  wait: boolean,
): void {
  const at = ring.begin(OP.ACCEPT, indexOf(listener), listener, KIND.ACCEPT | (number << KIND_BITS));
  if (name !== null) {
    ring.sqe[at + SQE.addr] = name.low;
    ring.sqe[at + SQE.addrHigh] = name.high;
    ring.sqe[at + SQE.off] = name.lengthLow;
    ring.sqe[at + SQE.off + 1] = name.lengthHigh;
  }
  // Places are counted from 1 where an operation fills them.
  ring.sqe[at + SQE.fileIndex] = indexOf(id) + 1;
  if (!wait) ring.sqe[at]! |= abi.ACCEPT_DONTWAIT << 16;
}

/** Addresses, in halves, of a sockaddr and of its length. */
export interface AcceptName {
  readonly low: number;
  readonly high: number;
  readonly lengthLow: number;
  readonly lengthHigh: number;
}

/** Makes a socket in its place. */
export function socket(ring: Ring, id: number, family: number, type: number, protocol: number): void {
  const at = ring.begin(OP.SOCKET, family, id, KIND.PREPARE, abi.SQE_SKIP_SUCCESS);
  ring.sqe[at + SQE.off] = type;
  ring.sqe[at + SQE.len] = protocol;
  ring.sqe[at + SQE.fileIndex] = indexOf(id) + 1;
}

export function connect(ring: Ring, id: number, name: Uint8Array): void {
  const at = ring.begin(OP.CONNECT, indexOf(id), id, KIND.CONNECT);
  writeName(ring, at, name);
  ring.sqe[at + SQE.off] = name.length;
}

/** Linked to the connect, whose failure its own is: that one then says nothing. */
export function bind(ring: Ring, id: number, name: Uint8Array): void {
  const at = ring.begin(OP.BIND, indexOf(id), id, KIND.CONNECT, LINKED_FLAGS);
  writeName(ring, at, name);
  ring.sqe[at + SQE.off] = name.length;
}

function writeName(ring: Ring, at: number, name: Uint8Array): void {
  writeBytes(ring, name);
  ring.scratchAddress(ring.sqe, at + SQE.addr, 0);
}

/** Into the scratch area of the entry. */
function writeBytes({ scratch, scratchAt }: Ring, bytes: Uint8Array): void {
  new Uint8Array(scratch.buffer, scratch.byteOffset + scratchAt * 4, bytes.length).set(bytes);
}

/** Sets an option of one or two ints; it failing is nobody's business. */
export function setOption(ring: Ring, id: number, option: SocketOption, value: number, second?: number): void {
  const at = ring.begin(OP.URING_CMD, indexOf(id), id, KIND.QUIET, QUIET_FLAGS);
  ring.sqe[at + SQE.off] = abi.SOCKET_SETSOCKOPT;
  ring.sqe[at + SQE.addr] = option[0];
  ring.sqe[at + SQE.addrHigh] = option[1];
  ring.sqe[at + SQE.fileIndex] = second === undefined ? INT_BYTES : 2 * INT_BYTES;
  ring.scratch[ring.scratchAt] = value;
  ring.scratch[ring.scratchAt + 1] = second ?? 0;
  ring.scratchAddress(ring.sqe, at + SQE.addr3, 0);
}

/** Sets an option that is these bytes; `fatal`: linked to the connect, as `bind` is. */
export function setBytes(ring: Ring, id: number, option: SocketOption, bytes: Uint8Array, fatal: boolean): void {
  const [kind, flags] = fatal ? [KIND.CONNECT, LINKED_FLAGS] : [KIND.QUIET, QUIET_FLAGS];
  const at = ring.begin(OP.URING_CMD, indexOf(id), id, kind, flags);
  ring.sqe[at + SQE.off] = abi.SOCKET_SETSOCKOPT;
  ring.sqe[at + SQE.addr] = option[0];
  ring.sqe[at + SQE.addrHigh] = option[1];
  ring.sqe[at + SQE.fileIndex] = bytes.length;
  writeBytes(ring, bytes);
  ring.scratchAddress(ring.sqe, at + SQE.addr3, 0);
}

/** Ends the operation with these words, if it is under way: it then completes with ECANCELED. */
export function cancel(ring: Ring, id: number, kind: number): void {
  const at = ring.begin(OP.ASYNC_CANCEL, -1, id, KIND.QUIET, abi.SQE_SKIP_SUCCESS);
  ring.sqe[at + SQE.addr] = id;
  ring.sqe[at + SQE.addrHigh] = kind;
}

export function close(ring: Ring, id: number): void {
  const at = ring.begin(OP.CLOSE, 0, id, KIND.CLOSE, 0);
  ring.sqe[at + SQE.fileIndex] = indexOf(id) + 1;
}

/** Completes, once, when something can be read from a descriptor outside the table. */
export function pollGuest(ring: Ring, fd: number): void {
  const at = ring.begin(OP.POLL_ADD, fd, 0, KIND.GUEST, 0);
  ring.sqe[at + SQE.opFlags] = abi.POLLIN;
}

/** Completes, once, when the connection has failed or both its directions have ended. */
export function guard(ring: Ring, id: number): void {
  const at = ring.begin(OP.POLL_ADD, indexOf(id), id, KIND.GUARD);
  ring.sqe[at + SQE.opFlags] = abi.POLLERR | abi.POLLHUP;
}

/** A descriptor, close-on-exec, of the same socket, for the calls that no operation replaces; minus errno. */
export function installed(ring: Ring, id: number): number {
  ring.begin(OP.FIXED_FD_INSTALL, indexOf(id), id, KIND.INSTALL);
  return ring.await(KIND.INSTALL, KIND.QUIET);
}
