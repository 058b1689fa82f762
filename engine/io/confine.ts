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
}: Confinement): { readonly what: string; readonly errno: number } | null {
  if (!LINUX) return { what: 'confine a thread', errno: os.constants.errno.ENOSYS };
  const steps: readonly (readonly [boolean, string, () => number])[] = [
    [chroot !== null, `chroot(${chroot})`, () => Math.min(result(unshare!(CLONE_FS)), changeRoot(chroot!))],
    [gid !== null, `setgroups(${gid})`, () => result(syscallAt(SYS.setgroups, 1, Int32Array.of(gid!)))],
    [gid !== null, `setgid(${gid})`, () => result(syscall(SYS.setresgid, gid!, gid!, gid!))],
    [uid !== null, `setuid(${uid})`, () => result(syscall(SYS.setresuid, uid!, uid!, uid!))],
  ];
  for (const [wanted, what, run] of steps) {
    const done = wanted ? run() : 0;
    if (done < 0) return { what, errno: -done };
  }
  return null;
}
