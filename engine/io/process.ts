/** System calls about the process itself that Node has no function for. */
import ffi from 'node:ffi';
import fs from 'node:fs';
import os from 'node:os';
import { AF_UNIX, closeFd, encodeSockaddr, SOCK_DGRAM, sendDatagram, socket } from './native.ts';

const { functions: libc } = ffi.dlopen(null, {
  dup2: { return: 'i32', arguments: ['i32', 'i32'] },
});

/** As in <malloc.h>. Blocks of so many bytes are given back to the system as soon as they are free. */
const M_MMAP_THRESHOLD = -3;
const LARGE_BYTES = 1 << 20;
/** How many arenas threads share. */
const M_ARENA_MAX = -8;

/** Of the C library of most Linux systems; others have no such functions. */
const glibc = libraryOf({
  mallopt: { return: 'i32', arguments: ['i32', 'i32'] },
  malloc_trim: { return: 'i32', arguments: ['u64'] },
} as const);

function libraryOf<const T extends Parameters<typeof ffi.dlopen>[1]>(declarations: T) {
  try {
    return ffi.dlopen(null, declarations).functions;
  } catch {
    return null;
  }
}

/**
 * Memory of threads that come and go with reloads is not to stay with the process. glibc raises the threshold to the largest
 * block that was ever freed, and makes eight arenas for each processor; what was freed in one is of no use to the next thread.
 */
export function keepLittleMemory(): void {
  glibc?.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
  glibc?.mallopt(M_ARENA_MAX, os.availableParallelism());
}

/** Of smaller blocks glibc gives back by itself only what lies at the end of an arena. Takes some milliseconds. */
export function returnFreeBlocks(): void {
  glibc?.malloc_trim(0n);
}

/** Lets go of the terminal or pipe on standard input, output and error: nobody waits for their end because of us. */
export function leaveTerminal(): void {
  const none = fs.openSync('/dev/null', 'r+');
  for (const fd of [0, 1, 2]) libc.dup2(none, fd);
  if (none > 2) fs.closeSync(none);
}

/**
 * sd_notify(3): one datagram to the unix socket that the service manager named, `@` for an abstract one. 0, or minus
 * errno.
 */
export function notifyManager(path: string, state: string): number {
  const bytes = new TextEncoder().encode(path);
  if (bytes[0] === 0x40) bytes[0] = 0;
  const name = encodeSockaddr({ family: AF_UNIX, bytes, port: 0 });
  const fd = name === null ? -1 : socket(AF_UNIX, SOCK_DGRAM);
  if (name === null || fd < 0) return fd;
  // The exact length: an abstract name padded with zeros would be another one.
  const sent = sendDatagram(
    fd,
    new TextEncoder().encode(state),
    bytes[0] === 0 ? name.subarray(0, 2 + bytes.length) : name,
  );
  closeFd(fd);
  return Math.min(sent, 0);
}

/** The descriptors of the process, and what the system says they are (`socket:[1234]`, a path). Empty where it does not tell. */
export function fileDescriptors(): { readonly fd: number; readonly what: string }[] {
  let names: string[];
  try {
    names = fs.readdirSync('/proc/self/fd');
  } catch {
    return [];
  }
  const found = names.map(name => ({ fd: Number(name), what: linkOf(`/proc/self/fd/${name}`) }));
  return found.filter(({ what }) => what !== '').sort((a, b) => a.fd - b.fd);
}

/** '' when it is gone: reading the folder takes a descriptor itself. */
function linkOf(path: string): string {
  try {
    return fs.readlinkSync(path);
  } catch {
    return '';
  }
}
