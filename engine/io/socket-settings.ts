/** What a `server` or `bind` line wants of its TCP sockets beside their addresses. */
import type { Address, ConnectOptions } from './contract.ts';
import * as native from './native.ts';

/** An option of a socket that connects. */
export interface SocketSetting {
  readonly option: native.SocketOption;
  readonly value: (peer: Address) => number | Uint8Array;
  /** The connection fails where it cannot be set. */
  readonly fatal: boolean;
}

export interface SocketWishes {
  /** '' and 0 = none. */
  readonly interface: string;
  readonly tcpUserTimeoutMs: number;
  readonly congestion: string;
  readonly md5sig: string;
  readonly rcvbufBytes: number;
  readonly sndbufBytes: number;
}

const text = new TextEncoder();

/** Options as <net/if.h> wants names: with a zero byte. */
export const nameBytes = (name: string): Uint8Array => text.encode(`${name}\0`);

export function socketSettings(wishes: SocketWishes): readonly SocketSetting[] {
  const { tcpUserTimeoutMs, congestion, md5sig, rcvbufBytes, sndbufBytes } = wishes;
  const rows: (SocketSetting | null)[] = [
    wishes.interface === ''
      ? null
      : { option: native.SO_BINDTODEVICE, value: () => nameBytes(wishes.interface), fatal: true },
    rcvbufBytes === 0 ? null : { option: native.SO_RCVBUF, value: () => rcvbufBytes, fatal: false },
    sndbufBytes === 0 ? null : { option: native.SO_SNDBUF, value: () => sndbufBytes, fatal: false },
    tcpUserTimeoutMs === 0 ? null : { option: native.TCP_USER_TIMEOUT, value: () => tcpUserTimeoutMs, fatal: false },
    congestion === '' ? null : { option: native.TCP_CONGESTION, value: () => text.encode(congestion), fatal: false },
    md5sig === '' ? null : { option: native.TCP_MD5SIG_EXT, value: peer => md5Signature(peer, md5sig), fatal: true },
  ];
  return rows.filter(row => row !== null);
}

/** Whether the socket wants more than an address of its own. */
export function isSpecial({ settings = [], transparent = false }: ConnectOptions): boolean {
  return transparent || settings.length > 0;
}

/** What a socket that shows somebody else's address is given: others have ports of that address. */
export function transparency({ family }: Address): readonly native.SocketOption[] {
  return [family === 6 ? native.IPV6_TRANSPARENT : native.IP_TRANSPARENT, native.SO_REUSEADDR];
}

/** A TCP socket as the options want it, bound and not connected: its descriptor, or minus errno. For ios without a ring. */
export function openSocket(peer: Address, options: ConnectOptions): number {
  const fd = native.socket(peer.family === 6 ? native.AF_INET6 : native.AF_INET, native.SOCK_STREAM);
  if (fd < 0) return fd;
  const error = prepare(fd, peer, options);
  if (error < 0) native.closeFd(fd);
  return error < 0 ? error : fd;
}

function prepare(fd: number, peer: Address, { settings = [], transparent, source }: ConnectOptions): number {
  for (const { option, value, fatal } of settings) {
    const result = native.setOption(fd, option, value(peer));
    if (result < 0 && fatal) return result;
  }
  if (source === null) return 0;
  if (source.port === 0) native.setOption(fd, native.IP_BIND_ADDRESS_NO_PORT, 1);
  for (const option of transparent ? transparency(source) : []) {
    const result = native.setOption(fd, option, 1);
    if (result < 0) return result;
  }
  return native.bind(fd, native.encodeSockaddr(source)!);
}

const SOCKADDR_BYTES = 128;
const KEY_BYTES_MAX = 80;
const MD5SIG_BYTES = SOCKADDR_BYTES + 8 + KEY_BYTES_MAX;
const FLAG_PREFIX = 1;

/**
 * Linux's `struct tcp_md5sig`, for whatever peer there is in the family of `address`:
 *
 *   sockaddr 128 | flags 1 | prefix length 1 (0) | key length 2 | interface 4 | key 80
 */
export function md5Signature(address: Address, password: string): Uint8Array {
  const bytes = new Uint8Array(MD5SIG_BYTES);
  const key = text.encode(password);
  bytes.set(native.encodeSockaddr({ ...address, bytes: new Uint8Array(address.bytes.length), port: 0 })!);
  bytes[SOCKADDR_BYTES] = FLAG_PREFIX;
  bytes[SOCKADDR_BYTES + 2] = key.length;
  bytes.set(key, SOCKADDR_BYTES + 8);
  return bytes;
}
