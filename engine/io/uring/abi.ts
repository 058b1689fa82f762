/**
 * The kernel's side of io_uring: numbers and structures as in <linux/io_uring.h>, on 64-bit little-endian machines. Places
 * are word numbers (32 bits) in an Int32Array; each structure is laid out again from its fields when this file is loaded,
 * and a place that disagrees stops it there.
 */
import os from 'node:os';

/** The operations in use. The newest, BIND, came with Linux 6.11; every feature below is older. */
export const OP = {
  POLL_ADD: 6,
  SENDMSG: 9,
  ACCEPT: 13,
  ASYNC_CANCEL: 14,
  CONNECT: 16,
  CLOSE: 19,
  SEND: 26,
  RECV: 27,
  SOCKET: 45,
  URING_CMD: 46,
  FIXED_FD_INSTALL: 54,
  BIND: 56,
} as const;
export const KERNEL_NEEDED = 'Linux 6.11';

/** System calls, the same on x64 and arm64. */
export const SYS = { SETUP: 425, ENTER: 426, REGISTER: 427 } as const;

/**
 * How the ring is made. CQSIZE: the completion queue is longer than the usual double. SUBMIT_ALL: a bad entry fails alone.
 * SINGLE_ISSUER, DEFER_TASKRUN: work is done only inside this thread's own `enter`, so the kernel touches none of our
 * memory at another moment. NO_MMAP, REGISTERED_FD_ONLY: the ring lies in our memory and has no descriptor, only a place
 * in the thread's table: nothing but the thread keeps it alive. NO_SQARRAY: the queue is used in order.
 */
export const SETUP_FLAGS = (1 << 3) | (1 << 7) | (1 << 12) | (1 << 13) | (1 << 14) | (1 << 15) | (1 << 16);

/** `io_uring_enter` flags. */
export const ENTER = { GETEVENTS: 1, EXT_ARG: 8, REGISTERED_RING: 16 } as const;

/** `io_uring_register` codes; the flag says that the ring is named by its place in the thread's table. */
export const REGISTER = {
  FILES_UPDATE: 6,
  PROBE: 8,
  FILES2: 13,
  UNREGISTER_RING_FDS: 21,
  PBUF_RING: 22,
  USE_REGISTERED_RING: 1 << 31,
} as const;
/** In `io_uring_rsrc_register.flags`: an empty table. */
export const RSRC_SPARSE = 1;

/** Entry flags. */
export const SQE_FIXED_FILE = 1;
export const SQE_BUFFER_SELECT = 32;
export const SQE_LINK = 4;
export const SQE_SKIP_SUCCESS = 64;

/** Completion flags. */
export const CQE_BUFFER = 1;
export const CQE_MORE = 2;
export const CQE_BUFFER_SHIFT = 16;

/** In `ioprio` of an ACCEPT (Linux 6.10): completes at once, with EAGAIN when nobody has connected. Older kernels: EINVAL. */
export const ACCEPT_DONTWAIT = 2;
/** In `ioprio` of a RECV: completes again and again. */
export const RECV_MULTISHOT = 2;
export const POLLIN = 1;
export const POLLERR = 8;
export const POLLHUP = 16;
export const MSG_WAITALL = 0x100;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_MORE = 0x8000;
/** `cmd_op` of a URING_CMD on a socket. */
export const SOCKET_SETSOCKOPT = 3;

type Field = readonly [name: string, bytes: 1 | 2 | 4 | 8];

/** A structure's places as the C compiler gives them; throws unless they are `words` and `size`. */
function struct<W extends Readonly<Record<string, number>>>(size: number, fields: readonly Field[], words: W): W {
  let at = 0;
  let widest = 1;
  const found = new Map<string, number>();
  for (const [name, bytes] of fields) {
    at = Math.ceil(at / bytes) * bytes;
    found.set(name, at);
    at += bytes;
    widest = Math.max(widest, bytes);
  }
  if (Math.ceil(at / widest) * widest !== size) throw new Error(`io_uring: a structure of ${at} bytes, not ${size}`);
  for (const [name, word] of Object.entries(words)) {
    if (found.get(name) !== word * 4) throw new Error(`io_uring: '${name}' is at byte ${found.get(name)}`);
  }
  return words;
}

const u32s = (prefix: string, names: readonly string[]) => names.map((n): Field => [`${prefix}${n}`, 4]);

/** The first word of an entry is opcode, flags << 8 and ioprio << 16. */
export const SQE_WORDS = 16;
export const SQE = struct(
  SQE_WORDS * 4,
  [
    ['opcode', 1],
    ['flags', 1],
    ['ioprio', 2],
    ['fd', 4],
    ['off', 8],
    ['addr', 4],
    ['addrHigh', 4],
    ['len', 4],
    ['opFlags', 4],
    ['user', 4],
    ['userHigh', 4],
    ['bufGroup', 2],
    ['personality', 2],
    ['fileIndex', 4],
    ['addr3', 8],
    ['pad', 8],
  ],
  {
    opcode: 0,
    fd: 1,
    off: 2,
    addr: 4,
    addrHigh: 5,
    len: 6,
    opFlags: 7,
    user: 8,
    userHigh: 9,
    fileIndex: 11,
    addr3: 12,
  },
);

export const CQE_WORDS = 4;
export const CQE = struct(
  CQE_WORDS * 4,
  [
    ['user', 4],
    ['userHigh', 4],
    ['res', 4],
    ['flags', 4],
  ],
  { user: 0, userHigh: 1, res: 2, flags: 3 },
);

export const PARAMS_BYTES = 120;
export const PARAMS = struct(
  PARAMS_BYTES,
  [
    ...u32s('', ['entries', 'completions', 'flags', 'cpu', 'idle', 'features', 'wq', 'r0', 'r1', 'r2']),
    ...u32s('sq', ['Head', 'Tail', 'Mask', 'Entries', 'Flags', 'Dropped', 'Array', 'R']),
    ['sqAddr', 8],
    ...u32s('cq', ['Head', 'Tail', 'Mask', 'Entries', 'Overflow', 'Cqes', 'Flags', 'R']),
    ['cqAddr', 8],
  ],
  {
    completions: 1,
    flags: 2,
    sqHead: 10,
    sqTail: 11,
    sqAddr: 18,
    cqHead: 20,
    cqTail: 21,
    cqCqes: 25,
    cqAddr: 28,
  },
);

/** An entry of the ring of provided buffers. The ring's tail, 16 bits, lies in the unused end of entry 0. */
export const BUF_WORDS = 4;
export const BUF = struct(
  BUF_WORDS * 4,
  [
    ['addr', 4],
    ['addrHigh', 4],
    ['len', 4],
    ['id', 2],
    ['tail', 2],
  ],
  { addr: 0, addrHigh: 1, len: 2, id: 3 },
);
export const BUF_TAIL_HALFWORD = 7;

/** Argument of PBUF_RING. */
export const BUF_REG_BYTES = 40;
/** Argument of `enter` with EXT_ARG: mask 8, mask size 4, least wait 4, pointer to the timespec 8. */
export const GETEVENTS_ARG_BYTES = 24;
export const GETEVENTS_TIMESPEC = 16;

/** struct msghdr: name 8, name length 4 and pad, vector 8, its length 8, control 8, its length 8, flags 4 and pad. */
export const MSGHDR_WORDS = 14;
export const MSGHDR_IOV = 4;
export const MSGHDR_IOV_LENGTH = 6;
export const IOVEC_WORDS = 4;

const little = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** Why this machine cannot have these structures; null when it can. */
export function abiRefusal(): string | null {
  if (os.platform() !== 'linux') return `io_uring is Linux's, this is ${os.platform()}`;
  if (!little || !['x64', 'arm64'].includes(os.arch())) return `io_uring: not laid out for ${os.arch()}`;
  return null;
}
