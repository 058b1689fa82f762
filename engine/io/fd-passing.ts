/**
 * Descriptors over a unix socket (SCM_RIGHTS, unix(7)), and HAProxy's way of handing over listening sockets with them
 * (`_getsocks`, `-x`), as its processes do it:
 *
 *     new: "_getsocks\n"                old: how many sockets, an int
 *     new: how many it has, an int      old: a message of BATCH sockets at most, and so on
 *
 * With each socket comes what it cannot tell itself: the name of its network namespace and of its interface, each after its
 * length in a byte, and an int of flags.
 *
 *     struct msghdr, Linux, 64 bits:  name 8, length 4 (8), iov 8, its length 8, control 8, its length 8, flags 4 (8)
 */
import ffi from 'node:ffi';
import os from 'node:os';
import type { Address } from './contract.ts';
import * as native from './native.ts';

const { functions: libc } = ffi.dlopen(null, {
  sendmsg: { return: 'i32', arguments: ['i32', 'pointer', 'i32'] },
  recvmsg: { return: 'i32', arguments: ['i32', 'pointer', 'i32'] },
});

/** Sockets in one message. */
const BATCH = 252;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CMSG_CLOEXEC = 0x40000000;
const MSG_NOSIGNAL = 0x4000;
/** How long the other process may take for each answer. Seconds. */
const WAIT_SECONDS = 2;
const CMSG_HEADER = 16;
const ENTRY_BYTES_MAX = 1 + 255 + 1 + 255 + 4;

const SUPPORTED = process.platform === 'linux';

/** A listening socket, the interface it is bound to and its network namespace; '' = none. */
export interface PassedSocket {
  readonly fd: number;
  readonly interface: string;
  readonly namespace: string;
}

/** The buffers of one message: they must live as long as the call. */
function message(
  bytes: Uint8Array,
  control: Uint8Array | null,
): { readonly header: Uint8Array; readonly keep: unknown } {
  const iov = BigUint64Array.of(address(bytes), BigInt(bytes.length));
  const controlAt = control === null ? 0n : address(control);
  const header = BigUint64Array.of(0n, 0n, address(iov), 1n, controlAt, BigInt(control?.length ?? 0), 0n);
  return { header: new Uint8Array(header.buffer), keep: [iov, bytes, control] };
}

function address(view: Uint8Array | BigUint64Array): bigint {
  return ffi.getRawPointer(view.buffer as ArrayBuffer) + BigInt(view.byteOffset);
}

/** Sends bytes and descriptors as one message: its length, or minus errno. */
function sendFds(fd: number, bytes: Uint8Array, fds: readonly number[]): number {
  const control = fds.length === 0 ? null : new Uint8Array(CMSG_HEADER + Math.ceil((fds.length * 4) / 8) * 8);
  if (control !== null) {
    new BigUint64Array(control.buffer)[0] = BigInt(CMSG_HEADER + fds.length * 4);
    new Int32Array(control.buffer, 8).set([SOL_SOCKET, SCM_RIGHTS, ...fds]);
  }
  const { header, keep } = message(bytes, control);
  const result = native.result(libc.sendmsg(fd, header, MSG_NOSIGNAL));
  void keep;
  return result;
}

/** Reads one message: `length` bytes are `bytes`. Descriptors are close-on-exec. */
function receiveFds(fd: number, bytes: Uint8Array): { readonly length: number; readonly fds: number[] } {
  const control = new Uint8Array(CMSG_HEADER + BATCH * 4 + 8);
  const { header, keep } = message(bytes, control);
  const length = native.result(libc.recvmsg(fd, header, MSG_CMSG_CLOEXEC));
  void keep;
  const got = Number(new BigUint64Array(header.buffer)[5]!);
  if (length <= 0 || got < CMSG_HEADER) return { length, fds: [] };
  const count = Math.floor((Number(new BigUint64Array(control.buffer, 0, 1)[0]!) - CMSG_HEADER) / 4);
  return { length, fds: [...new Int32Array(control.buffer, CMSG_HEADER, count)] };
}

const utf8 = new TextEncoder();

/** Hands `sockets` to whoever asked for them on the unix socket `fd`. 0, or minus errno. */
export function passSockets(fd: number, sockets: readonly PassedSocket[]): number {
  if (!SUPPORTED) return -os.constants.errno.EOPNOTSUPP;
  const count = sendFds(fd, new Uint8Array(Int32Array.of(sockets.length).buffer), []);
  if (count < 0) return count;
  for (let at = 0; at < sockets.length; at += BATCH) {
    const batch = sockets.slice(at, at + BATCH);
    const entries = batch.flatMap(socket => {
      const [namespace, device] = [utf8.encode(socket.namespace), utf8.encode(socket.interface)];
      return [namespace.length, ...namespace, device.length, ...device, 0, 0, 0, 0];
    });
    const sent = sendFds(
      fd,
      Uint8Array.from(entries),
      batch.map(socket => socket.fd),
    );
    if (sent < 0) return sent;
  }
  return 0;
}

/** Asks the process that serves the runtime API at `path` for its listening sockets. The caller owns them; or minus errno. */
export function askForSockets(path: Address): readonly PassedSocket[] | number {
  if (!SUPPORTED) return -os.constants.errno.EOPNOTSUPP;
  const name = native.encodeSockaddr(path);
  if (name === null) return -os.constants.errno.ENAMETOOLONG;
  const fd = native.blockingSocket(native.AF_UNIX);
  if (fd < 0) return fd;
  native.setOption(fd, native.SO_RCVTIMEO, new Uint8Array(BigInt64Array.of(BigInt(WAIT_SECONDS), 0n).buffer));
  const connected = native.connect(fd, name);
  const sockets = connected < 0 ? connected : receiveAll(fd);
  native.closeFd(fd);
  return sockets;
}

function receiveAll(fd: number): readonly PassedSocket[] | number {
  const asked = sendFds(fd, utf8.encode('_getsocks\n'), []);
  if (asked < 0) return asked;
  const total = new Int32Array(1);
  const first = receiveFds(fd, new Uint8Array(total.buffer));
  // A socket without `expose-fd listeners` answers with words.
  if (first.length !== 4 || total[0]! < 0 || total[0]! > SOCKETS_MAX) return -os.constants.errno.EPROTO;
  const sockets: PassedSocket[] = [];
  const bytes = new Uint8Array(BATCH * ENTRY_BYTES_MAX);
  while (sockets.length < total[0]!) {
    sendFds(fd, new Uint8Array(Int32Array.of(sockets.length).buffer), []);
    const { length, fds } = receiveFds(fd, bytes);
    if (length <= 0 || fds.length === 0) break;
    const entries = readEntries(bytes.subarray(0, length));
    fds.forEach((passed, i) => {
      sockets.push({ fd: passed, ...(entries[i] ?? { interface: '', namespace: '' }) });
    });
  }
  return sockets;
}

/** More listening sockets than any configuration has. */
const SOCKETS_MAX = 65_536;

function readEntries(bytes: Uint8Array): Omit<PassedSocket, 'fd'>[] {
  const entries: Omit<PassedSocket, 'fd'>[] = [];
  let at = 0;
  const name = () => {
    const from = at + 1;
    at = from + bytes[at]!;
    return new TextDecoder().decode(bytes.subarray(from, at));
  };
  while (at < bytes.length) {
    entries.push({ namespace: name(), interface: name() });
    at += 4;
  }
  return entries;
}
