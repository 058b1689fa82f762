/** System calls about the process itself that Node has no function for. */
import ffi from 'node:ffi';
import fs from 'node:fs';
import { AF_UNIX, closeFd, encodeSockaddr, SOCK_DGRAM, sendDatagram, socket } from './native.ts';

const { functions: libc } = ffi.dlopen(null, {
  dup2: { return: 'i32', arguments: ['i32', 'i32'] },
});

/** As in <malloc.h>: blocks of so many bytes are given back to the system as soon as they are free. */
const M_MMAP_THRESHOLD = -3;
const LARGE_BYTES = 1 << 20;

/**
 * The C library of most Linux systems raises that threshold to the largest block that was ever freed; the buffers of threads
 * that come and go with reloads would then stay with the process. Others have no such function.
 */
export function returnLargeBlocks(): void {
  try {
    ffi
      .dlopen(null, { mallopt: { return: 'i32', arguments: ['i32', 'i32'] } })
      .functions.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
  } catch {
    // not glibc
  }
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
