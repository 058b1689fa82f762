/**
 * Confining the calling thread alone: another root folder, another user and group. On Linux these belong to threads; the C
 * library's own functions would change all of them, so the system is called directly.
 *
 * The threads of a master-worker process are confined and the master is not, as HAProxy's processes are: it must read
 * files and bind addresses again at each reload.
 */
import ffi from 'node:ffi';
import os from 'node:os';
import { result } from './native.ts';

/** Who a thread is to be. Null = as it is. */
export interface Confinement {
  readonly chroot: string | null;
  readonly uid: number | null;
  readonly gid: number | null;
  /** Numbers of the capabilities that it keeps. */
  readonly capabilities: readonly number[];
  /** It may be dumped though it changes its user. */
  readonly dumpable: boolean;
}

const LINUX = process.platform === 'linux';
/** The thread's root folder is its own from then on. */
const CLONE_FS = 0x200;
const SYS =
  process.arch === 'arm64'
    ? { setgroups: 159, setresgid: 149, setresuid: 147 }
    : { setgroups: 116, setresgid: 119, setresuid: 117 };

const { functions: libc } = ffi.dlopen(null, {
  chroot: { return: 'i32', arguments: ['string'] },
  chdir: { return: 'i32', arguments: ['string'] },
});
/** unshare(2), which only Linux has: another name stands for it elsewhere, and is never called. */
const { [LINUX ? 'unshare' : 'isatty']: unshare } = ffi.dlopen(null, {
  [LINUX ? 'unshare' : 'isatty']: { return: 'i32', arguments: ['i32'] },
}).functions as Readonly<Record<string, (flags: number) => number>>;
const prctl: (option: number, value: number) => number = LINUX
  ? ffi.dlopen(null, { prctl: { return: 'i32', arguments: ['i32', 'i32'] } }).functions.prctl
  : () => -1;
const PR_SET_DUMPABLE = 4;
const PR_SET_KEEPCAPS = 8;
const CAPSET = process.arch === 'arm64' ? 91 : 126;
const CAPGET = CAPSET - 1;
/** struct __user_cap_header_struct: version 3, this thread. */
const CAP_HEADER = Int32Array.of(0x20080522, 0);
const { syscall: syscallWith } = ffi.dlopen(null, {
  syscall: { return: 'i32', arguments: ['i32', 'pointer', 'pointer'] },
}).functions;
const { syscall } = ffi.dlopen(null, { syscall: { return: 'i32', arguments: ['i32', 'i32', 'i32', 'i32'] } }).functions;
const { syscall: syscallAt } = ffi.dlopen(null, {
  syscall: { return: 'i32', arguments: ['i32', 'i32', 'pointer'] },
}).functions;

/** Makes `folder` the root of the process. 0, or minus errno. */
export function changeRoot(folder: string): number {
  const changed = result(libc.chroot(folder));
  return changed < 0 ? changed : result(libc.chdir('/'));
}

/** Confines the calling thread. What failed and its errno; null when all is done. */
export function confineThread({
  chroot,
  uid,
  gid,
  capabilities,
  dumpable,
}: Confinement): { readonly what: string; readonly errno: number } | null {
  if (!LINUX) return { what: 'confine a thread', errno: os.constants.errno.ENOSYS };
  const steps: readonly (readonly [boolean, string, () => number])[] = [
    [chroot !== null, `chroot(${chroot})`, () => Math.min(result(unshare!(CLONE_FS)), changeRoot(chroot!))],
    [gid !== null, `setgroups(${gid})`, () => result(syscallAt(SYS.setgroups, 1, Int32Array.of(gid!)))],
    [gid !== null, `setgid(${gid})`, () => result(syscall(SYS.setresgid, gid!, gid!, gid!))],
    [capabilities.length > 0, 'keep capabilities', () => result(prctl(PR_SET_KEEPCAPS, 1))],
    [uid !== null, `setuid(${uid})`, () => result(syscall(SYS.setresuid, uid!, uid!, uid!))],
    [capabilities.length > 0, 'set capabilities', () => setCapabilities(capabilities)],
    [dumpable, 'prctl(PR_SET_DUMPABLE)', allowDumps],
  ];
  for (const [wanted, what, run] of steps) {
    const done = wanted ? run() : 0;
    if (done < 0) return { what, errno: -done };
  }
  return null;
}

/** Core dumps of the process are allowed again: a change of the user forbids them. */
export function allowDumps(): number {
  return LINUX ? result(prctl(PR_SET_DUMPABLE, 1)) : 0;
}

/** The change of the process's user that comes will leave the calling thread what `takeCapabilities` then takes. */
export function keepCapabilities(): number {
  return LINUX ? result(prctl(PR_SET_KEEPCAPS, 1)) : -os.constants.errno.ENOSYS;
}

/** What `setcap` asks for in a process of one user, whose threads keep what they may have when the user is changed. */
export interface Capabilities {
  readonly numbers: readonly number[];
  /** The user was changed: what else a thread may have is given up. */
  readonly only: boolean;
}

/** The calling thread has those that it may have, from now on. 0, or minus errno. */
export function takeCapabilities({ numbers, only }: Capabilities): number {
  if (!LINUX) return -os.constants.errno.ENOSYS;
  if (only) return setCapabilities(numbers);
  const sets = new Int32Array(6);
  const got = result(syscallWith(CAPGET, CAP_HEADER, sets));
  if (got < 0) return got;
  sets[EFFECTIVE]! |= sets[PERMITTED]! & maskOf(numbers);
  return result(syscallWith(CAPSET, CAP_HEADER, sets));
}

/** struct __user_cap_data_struct, twice: effective, permitted and inheritable set of numbers 0..31, then of 32..63. */
const [EFFECTIVE, PERMITTED] = [0, 1];

/** The calling thread has these and no others. */
function setCapabilities(numbers: readonly number[]): number {
  const mask = maskOf(numbers);
  return result(syscallWith(CAPSET, CAP_HEADER, Int32Array.of(mask, mask, 0, 0, 0, 0)));
}

function maskOf(numbers: readonly number[]): number {
  return numbers.reduce((bits, n) => bits | (1 << n), 0);
}

const { [LINUX ? 'sched_setaffinity' : 'isatty']: setAffinity } = ffi.dlopen(null, {
  [LINUX ? 'sched_setaffinity' : 'isatty']: { return: 'i32', arguments: ['i32', 'i32', 'pointer'] },
}).functions as Readonly<Record<string, (thread: number, bytes: number, mask: Uint8Array) => number>>;

/** The calling thread runs on these processors only. 0, or minus errno. */
export function runOn(cpus: readonly number[]): number {
  if (!LINUX) return -os.constants.errno.ENOSYS;
  const mask = new Uint8Array(128);
  for (const cpu of cpus) mask[cpu >> 3]! |= 1 << (cpu & 7);
  return result(setAffinity!(0, mask.length, mask));
}
