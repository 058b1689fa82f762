/**
 * The system calls that the ring needs, declared through `node:ffi`. Numbers are i32 and pointers are BigInts made once, so
 * that a call makes nothing. Each answers as the kernel does: a result >= 0, or minus errno.
 */
import ffi from 'node:ffi';
import { SYS } from './abi.ts';

export interface Calls {
  /** `params` is changed. Gives the ring's place in the thread's table of rings. */
  setup(entries: number, params: bigint): number;
  enter(ring: number, submit: number, least: number, flags: number, arg: bigint, argBytes: bigint): number;
  register(ring: number, code: number, arg: bigint, count: number): number;
  /** Zeroed memory on a page boundary; 0n when there is none. */
  map(bytes: number): bigint;
  unmap(address: bigint, bytes: number): void;
  /** libuv's own epoll descriptor for this thread's loop. */
  guestFd(): number;
}

const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/** Only on Linux. */
export function systemCalls(): Calls {
  const { functions: c } = ffi.dlopen(null, {
    mmap: { return: 'pointer', arguments: ['pointer', 'u64', 'i32', 'i32', 'i32', 'i64'] },
    munmap: { return: 'i32', arguments: ['pointer', 'u64'] },
    uv_backend_fd: { return: 'i32', arguments: ['pointer'] },
    __errno_location: { return: 'pointer', arguments: [] },
  });
  // syscall(2) takes any arguments: one declaration for each number of them.
  const setup = ffi.dlopen(null, { syscall: { return: 'i32', arguments: ['i32', 'u32', 'pointer'] } }).functions
    .syscall;
  const register = ffi.dlopen(null, { syscall: { return: 'i32', arguments: ['i32', 'i32', 'i32', 'pointer', 'i32'] } })
    .functions.syscall;
  // The last argument is a size_t and goes over the stack, where an i32 would leave the upper half to chance.
  const enter = ffi.dlopen(null, {
    syscall: { return: 'i32', arguments: ['i32', 'i32', 'i32', 'i32', 'i32', 'pointer', 'u64'] },
  }).functions.syscall;
  const errnoAt = c.__errno_location();
  const checked = (result: number) => (result < 0 ? -ffi.getInt32(errnoAt, 0) : result);
  // What looks at errno is compiled before it counts: V8's own system calls would overwrite it.
  checked(-1);
  return {
    setup: (entries, params) => checked(setup(SYS.SETUP, entries, params)),
    enter: (ring, submit, least, flags, arg, argBytes) =>
      checked(enter(SYS.ENTER, ring, submit, least, flags, arg, argBytes)),
    register: (ring, code, arg, count) => checked(register(SYS.REGISTER, ring, code, arg, count)),
    map(bytes) {
      const at = c.mmap(0n, BigInt(bytes), PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0n);
      return at === MAP_FAILED ? 0n : at;
    },
    unmap: (address, bytes) => void c.munmap(address, BigInt(bytes)),
    guestFd: () => c.uv_backend_fd(ffi.getCurrentEventLoop()),
  };
}
