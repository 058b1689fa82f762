/**
 * The system calls that Node has no function for, declared once through `node:ffi`. The only file that knows the C
 * library: its constants, its structs, its errno.
 *
 * Every call here answers as the kernel does: a result >= 0, or minus errno. Constants are those of Linux on x64 and
 * arm64 (the generic ones) and of macOS; an option that a system lacks is -1 there, and setting it gives -ENOPROTOOPT.
 */
import ffi from 'node:ffi';
import fs from 'node:fs';
import os from 'node:os';
import type { Address } from './contract.ts';

const MAC = process.platform === 'darwin';

const { functions: libc } = ffi.dlopen(null, {
  socket: { return: 'i32', arguments: ['i32', 'i32', 'i32'] },
  bind: { return: 'i32', arguments: ['i32', 'pointer', 'i32'] },
  connect: { return: 'i32', arguments: ['i32', 'pointer', 'i32'] },
  listen: { return: 'i32', arguments: ['i32', 'i32'] },
  close: { return: 'i32', arguments: ['i32'] },
  shutdown: { return: 'i32', arguments: ['i32', 'i32'] },
  dup: { return: 'i32', arguments: ['i32'] },
  fcntl: { return: 'i32', arguments: ['i32', 'i32', 'i32'] },
  setsockopt: { return: 'i32', arguments: ['i32', 'i32', 'i32', 'pointer', 'i32'] },
  getsockopt: { return: 'i32', arguments: ['i32', 'i32', 'i32', 'pointer', 'pointer'] },
  getsockname: { return: 'i32', arguments: ['i32', 'pointer', 'pointer'] },
  // Sizes are size_t in C; as i32 they need no BigInt, and none here comes near 2^31.
  sendto: { return: 'i32', arguments: ['i32', 'pointer', 'i32', 'i32', 'pointer', 'i32'] },
  write: { return: 'i32', arguments: ['i32', 'pointer', 'i32'] },
  getrlimit: { return: 'i32', arguments: ['i32', 'pointer'] },
  setrlimit: { return: 'i32', arguments: ['i32', 'pointer'] },
  getpwnam: { return: 'pointer', arguments: ['string'] },
  getgrnam: { return: 'pointer', arguments: ['string'] },
  strerror: { return: 'pointer', arguments: ['i32'] },
});

/** errno lives at a fixed place of each thread, and each thread loads this module for itself. */
const ERRNO_AT = MAC
  ? ffi.dlopen(null, { __error: { return: 'pointer', arguments: [] } }).functions.__error()
  : ffi.dlopen(null, { __errno_location: { return: 'pointer', arguments: [] } }).functions.__errno_location();

/** `result`, or minus errno when the call that gave it failed. To be used on the call itself, before anything else runs. */
function checked(result: number): number {
  return result < 0 ? -ffi.getInt32(ERRNO_AT, 0) : result;
}

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = MAC ? 30 : 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = MAC ? 0 : 0x80000;
const SOCK_NONBLOCK = MAC ? 0 : 0x800;
const SHUT_WR = 1;
const F_DUPFD_CLOEXEC = 1030;
const F_GETFL = 3;
const F_SETFL = 4;
const MSG_DONTWAIT = MAC ? 0x80 : 0x40;
const MSG_NOSIGNAL = MAC ? 0 : 0x4000;
const RLIMIT_NOFILE = MAC ? 8 : 7;

/** A socket option: its level, then its name. */
export type SocketOption = readonly [level: number, name: number];

const SOCKET = MAC ? 0xffff : 1;
const IP = 0;
const TCP = 6;
const IPV6 = 41;

/** Option names as in <sys/socket.h> and <netinet/tcp.h>: Linux's number, then macOS's. */
export const SO_REUSEADDR: SocketOption = [SOCKET, MAC ? 4 : 2];
export const SO_REUSEPORT: SocketOption = [SOCKET, MAC ? 0x200 : 15];
export const SO_TYPE: SocketOption = [SOCKET, MAC ? 0x1008 : 3];
export const SO_ACCEPTCONN: SocketOption = [SOCKET, MAC ? 2 : 30];
export const SO_PROTOCOL: SocketOption = [SOCKET, MAC ? 0x1025 : 38];
export const SO_BINDTODEVICE: SocketOption = [SOCKET, MAC ? -1 : 25];
export const SO_RCVTIMEO: SocketOption = [SOCKET, MAC ? 0x1006 : 20];
export const SO_SNDBUF: SocketOption = [SOCKET, MAC ? 0x1001 : 7];
export const SO_RCVBUF: SocketOption = [SOCKET, MAC ? 0x1002 : 8];
export const SO_LINGER: SocketOption = [SOCKET, MAC ? 0x80 : 13];
export const SO_KEEPALIVE: SocketOption = [SOCKET, MAC ? 8 : 9];
export const IP_BIND_ADDRESS_NO_PORT: SocketOption = [IP, MAC ? -1 : 24];
export const IP_TRANSPARENT: SocketOption = [IP, MAC ? -1 : 19];
export const IPV6_TRANSPARENT: SocketOption = [IPV6, MAC ? -1 : 75];
export const IPV6_V6ONLY: SocketOption = [IPV6, MAC ? 27 : 26];
export const TCP_NODELAY: SocketOption = [TCP, 1];
export const TCP_MAXSEG: SocketOption = [TCP, 2];
export const TCP_KEEPIDLE: SocketOption = [TCP, MAC ? 0x10 : 4];
export const TCP_KEEPINTVL: SocketOption = [TCP, MAC ? 0x101 : 5];
export const TCP_QUICKACK: SocketOption = [TCP, MAC ? -1 : 12];
export const TCP_KEEPCNT: SocketOption = [TCP, MAC ? 0x102 : 6];
export const TCP_FASTOPEN_CONNECT: SocketOption = [TCP, MAC ? -1 : 30];
export const TCP_DEFER_ACCEPT: SocketOption = [TCP, MAC ? -1 : 9];
export const TCP_INFO: SocketOption = [TCP, MAC ? -1 : 11];
export const TCP_REPAIR: SocketOption = [TCP, MAC ? -1 : 19];
export const SO_MARK: SocketOption = [SOCKET, MAC ? -1 : 36];
export const IP_TOS: SocketOption = [IP, MAC ? 3 : 1];
export const IPV6_TCLASS: SocketOption = [IPV6, MAC ? 36 : 67];
const IP_TTL: SocketOption = [IP, MAC ? 4 : 2];
const IPV6_UNICAST_HOPS: SocketOption = [IPV6, MAC ? 4 : 16];
export const TCP_USER_TIMEOUT: SocketOption = [TCP, MAC ? -1 : 18];
export const TCP_CONGESTION: SocketOption = [TCP, MAC ? -1 : 13];
export const TCP_MD5SIG_EXT: SocketOption = [TCP, MAC ? -1 : 32];
export const TCP_SAVE_SYN: SocketOption = [TCP, MAC ? -1 : 27];
export const TCP_SAVED_SYN: SocketOption = [TCP, MAC ? -1 : 28];
export const TCP_FASTOPEN: SocketOption = [TCP, MAC ? 0x105 : 23];

const ENOPROTOOPT = os.constants.errno.ENOPROTOOPT;

/** For the other files with native calls: as every call here answers. To be used on the call itself. */
export const result = checked;

/** A close-on-exec stream socket whose calls wait; for the start, before there is a loop. */
export function blockingSocket(family: number): number {
  return checked(libc.socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

export function connect(fd: number, name: Uint8Array): number {
  return checked(libc.connect(fd, name, name.length));
}

export const IPPROTO_MPTCP = 262;

/** The protocol of a stream socket; 0 = TCP. */
export function protocolOf({ mptcp }: { readonly mptcp?: boolean }): number {
  return mptcp === true ? IPPROTO_MPTCP : 0;
}

/** A new close-on-exec, non-blocking socket. */
export function socket(family: number, type: number, protocol = 0): number {
  return checked(libc.socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
}

/** CLONE_NEWNET */
const NEW_NETWORK = 0x4000_0000;
/** Only Linux has it: declared when it is first wanted. */
let setns: ((fd: number, type: number) => number) | null = null;

/** Sends this thread to the network namespace that `fd` is. */
export function setNamespace(fd: number): number {
  setns ??= ffi.dlopen(null, { setns: { return: 'i32', arguments: ['i32', 'i32'] } }).functions.setns;
  return checked(setns(fd, NEW_NETWORK));
}

/** Binds `fd`; `name` is a sockaddr (see `encodeSockaddr`). */
export function bind(fd: number, name: Uint8Array): number {
  return checked(libc.bind(fd, name, name.length));
}

/** Listens, or listens again: Linux's would undo TCP_QUICKACK, which accepted connections are to have. */
export function listen(fd: number, backlog: number): number {
  const quick = getOption(fd, TCP_QUICKACK);
  const result = checked(libc.listen(fd, backlog));
  if (quick === 0) setOption(fd, TCP_QUICKACK, 0);
  return result;
}

/** Ends receiving (SHUT_RD): a listening socket then refuses connections until `listen` is called again. */
export function shutdownRead(fd: number): number {
  return checked(libc.shutdown(fd, 0));
}

/** FIN: the receiving side stays open. */
export function shutdownSending(fd: number): number {
  return checked(libc.shutdown(fd, SHUT_WR));
}

export function closeFd(fd: number): number {
  return checked(libc.close(fd));
}

/** Another descriptor of what `fd` is, close-on-exec. */
export function dupFd(fd: number): number {
  // macOS: fcntl is variadic and its arguments would go elsewhere than libffi's plain call puts them.
  return checked(MAC ? libc.dup(fd) : libc.fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

/** Sets an option that is an int, or bytes as they are. */
export function setOption(fd: number, option: SocketOption, value: number | Uint8Array): number {
  if (option[1] < 0) return -ENOPROTOOPT;
  const bytes = typeof value === 'number' ? new Uint8Array(Int32Array.of(value).buffer) : value;
  return checked(libc.setsockopt(fd, option[0], option[1], bytes, bytes.length));
}

/** An int option's value; minus errno when it cannot be read (no option read here is negative). */
export function getOption(fd: number, option: SocketOption): number {
  const value = new Int32Array(1);
  const result = readOption(fd, option, new Uint8Array(value.buffer));
  return result < 0 ? result : value[0]!;
}

/** Reads an option into `into`; gives the number of bytes. */
export function readOption(fd: number, option: SocketOption, into: Uint8Array): number {
  if (option[1] < 0) return -ENOPROTOOPT;
  const length = Int32Array.of(into.length);
  const result = checked(libc.getsockopt(fd, option[0], option[1], into, length));
  return result < 0 ? result : length[0]!;
}

/** Sends one datagram, the first `length` bytes, at once or not at all (-EAGAIN). */
export function sendDatagram(fd: number, bytes: Uint8Array, name: Uint8Array, length = bytes.length): number {
  return checked(libc.sendto(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL, name, name.length));
}

/** Whether the system knows a way to an IP address. Nothing is sent: connecting a datagram socket only looks at the routes. */
export function hasRoute(address: Address): boolean {
  const fd = socket(address.family === 6 ? AF_INET6 : AF_INET, SOCK_DGRAM);
  if (fd < 0) return false;
  const name = encodeSockaddr(address)!;
  const result = checked(libc.connect(fd, name, name.length));
  closeFd(fd);
  return result === 0;
}

/** Writes the first `length` bytes, or as many as a pipe or socket takes now. */
export function writeFd(fd: number, bytes: Uint8Array, length: number): number {
  return checked(libc.write(fd, bytes, length));
}

/**
 * From now on a write to a full pipe or socket gives -EAGAIN. Files never wait, and a terminal is left alone: whoever
 * started us reads and writes through the same one.
 */
export function setNonBlocking(fd: number): number {
  if (MAC) return 0;
  const flags = checked(libc.fcntl(fd, F_GETFL, 0));
  if (flags < 0) return flags;
  const stat = fs.fstatSync(fd);
  return stat.isFIFO() || stat.isSocket() ? checked(libc.fcntl(fd, F_SETFL, flags | SOCK_NONBLOCK)) : 0;
}

/** The descriptor limits: soft and hard. */
export function fdLimits(): { soft: number; hard: number } | { errno: number } {
  const limits = new BigUint64Array(2);
  const result = checked(libc.getrlimit(RLIMIT_NOFILE, limits));
  return result < 0 ? { errno: -result } : { soft: Number(limits[0]), hard: Number(limits[1]) };
}

export function setFdLimits(soft: number, hard: number): number {
  return checked(libc.setrlimit(RLIMIT_NOFILE, BigUint64Array.of(BigInt(soft), BigInt(hard))));
}

/** `struct passwd` and `struct group` both have two pointers before the number wanted. */
const ID_OFFSET = 16;

/** The uid of a user name; null when there is no such user. */
export function userId(name: string): number | null {
  const entry = libc.getpwnam(name);
  return entry === 0n ? null : ffi.getUint32(entry, ID_OFFSET);
}

/** The gid of a group name; null when there is no such group. */
export function groupId(name: string): number | null {
  const entry = libc.getgrnam(name);
  return entry === 0n ? null : ffi.getUint32(entry, ID_OFFSET);
}

/** The C library's words for an errno, which are those in HAProxy's messages. */
export function errorText(errno: number): string {
  return ffi.toString(libc.strerror(errno)) ?? `errno ${errno}`;
}

/** Bytes of `sun_path`, after the two of the family. */
export const UNIX_PATH_BYTES = MAC ? 104 : 108;

/**
 * The struct sockaddr of `address`:
 *
 *   IPv4   family 2, port 2 (network order), address 4, zero 8
 *   IPv6   family 2, port 2 (network order), flow 4, address 16, scope 4
 *   unix   family 2, path, zero byte; an abstract name is as long as it is
 *
 * On macOS the first of the two family bytes is the length. Null when a unix path is too long.
 */
export function encodeSockaddr(address: Address): Uint8Array | null {
  const { family, bytes, port } = address;
  if (family === 1) {
    const length = bytes[0] === 0 ? bytes.length : bytes.length + 1;
    if (length > UNIX_PATH_BYTES) return null;
    const name = startSockaddr(AF_UNIX, 2 + length);
    name.set(bytes, 2);
    return name;
  }
  const name = family === 4 ? startSockaddr(AF_INET, 16) : startSockaddr(AF_INET6, 28);
  name[2] = port >> 8;
  name[3] = port & 0xff;
  name.set(bytes, family === 4 ? 4 : 8);
  return name;
}

function startSockaddr(family: number, length: number): Uint8Array {
  const name = new Uint8Array(length);
  name[0] = MAC ? length : family;
  name[1] = MAC ? family : 0;
  return name;
}

/** The address in the sockaddr of `length` bytes that stands at `at`; null for a family that is not one of ours. */
export function decodeSockaddr(name: Uint8Array, length: number, at = 0): Address | null {
  const family = MAC ? name[at + 1] : name[at];
  const port = (name[at + 2]! << 8) | name[at + 3]!;
  if (family === AF_INET) return { family: 4, bytes: own(name, at + 4, 4), port };
  if (family === AF_INET6) return { family: 6, bytes: own(name, at + 8, 16), port };
  if (family !== AF_UNIX) return null;
  const path = name.slice(at + 2, at + Math.max(2, length));
  const end = path[0] === 0 ? -1 : path.indexOf(0);
  return { family: 1, bytes: end < 0 ? path : path.slice(0, end), port: 0 };
}

/** Who an IPv4 sockaddr names, in one number: address * 65,536 + port; -1 for other families. */
export function sockaddrNumber(name: Uint8Array, at: number): number {
  if ((MAC ? name[at + 1] : name[at]) !== AF_INET) return -1;
  const high = (name[at + 4]! << 8) | name[at + 5]!;
  const low = (name[at + 6]! << 8) | name[at + 7]!;
  return (high * 65_536 + low) * 65_536 + ((name[at + 2]! << 8) | name[at + 3]!);
}

export function addressOfNumber(number: number): Address {
  const address = Math.floor(number / 65_536);
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) bytes[i] = address >>> (24 - 8 * i);
  return { family: 4, bytes, port: number % 65_536 };
}

/** A copy of a few bytes; for each connection, so not by `slice`, which costs several times as much. */
function own(bytes: Uint8Array, at: number, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  for (let i = 0; i < length; i++) copy[i] = bytes[at + i]!;
  return copy;
}

/** The local address of a socket; null when it has none or `fd` is no socket. */
export function socketName(fd: number): Address | null {
  const name = new Uint8Array(2 + UNIX_PATH_BYTES);
  const length = Int32Array.of(name.length);
  return checked(libc.getsockname(fd, name, length)) < 0 ? null : decodeSockaddr(name, length[0]!);
}

/** What closing `fd` sends the peer: nothing (`hops` 0, where the system lets us), or a RST that lives for so many hops. */
export function hush(fd: number, hops: number): void {
  // What has come is acknowledged now: nobody will any more, and a packet sent again would meet a RST.
  setOption(fd, TCP_QUICKACK, 1);
  if (hops === 0 && setOption(fd, TCP_REPAIR, 1) >= 0) return;
  setOption(fd, IP_TTL, hops || 1);
  setOption(fd, IPV6_UNICAST_HOPS, hops || 1);
}

/** In `struct tcp_info` of a listening socket: its backlog as the kernel keeps it (`tcpi_sacked`). */
const TCP_INFO_BACKLOG = 28;

/** The backlog that a listening socket has; `fallback` where the system does not tell (unix sockets, macOS). */
export function backlogOf(fd: number, fallback: number): number {
  const info = new Uint8Array(32);
  if (readOption(fd, TCP_INFO, info) < info.length) return fallback;
  return new DataView(info.buffer).getUint32(TCP_INFO_BACKLOG, true) || fallback;
}
