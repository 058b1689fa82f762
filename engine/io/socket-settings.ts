/** What a `server` or `bind` line wants of its TCP sockets beside their addresses. */
import type { KeepAlive } from '../config/proxy-model.ts';
import type { Address, ConnectOptions } from './contract.ts';
import { socketIn } from './namespaces.ts';
import * as native from './native.ts';

/** An option of a socket that connects. */
export interface SocketSetting {
  readonly option: native.SocketOption;
  readonly value: (peer: Address) => number | Uint8Array;
  /** The connection fails where it cannot be set. */
  readonly fatal: boolean;
}

interface SocketWishes {
  /** '' and 0 = none. */
  readonly interface: string;
  readonly tcpUserTimeoutMs: number;
  readonly congestion: string;
  readonly md5sig: string;
  readonly rcvbufBytes: number;
  readonly sndbufBytes: number;
  /** `option srvtcpka`; null = off. */
  readonly keepAlive: KeepAlive | null;
}

const text = new TextEncoder();

/** Options as <net/if.h> wants names: with a zero byte. */
export const nameBytes = (name: string): Uint8Array => text.encode(`${name}\0`);

/** A number that the system has a value of its own for: 0 = that. */
function number(option: native.SocketOption, value: number): SocketSetting | null {
  return value === 0 ? null : { option, value: () => value, fatal: false };
}

export function socketSettings(wishes: SocketWishes): readonly SocketSetting[] {
  const { tcpUserTimeoutMs, congestion, md5sig, rcvbufBytes, sndbufBytes, keepAlive } = wishes;
  const rows: (SocketSetting | null)[] = [
    wishes.interface === ''
      ? null
      : { option: native.SO_BINDTODEVICE, value: () => nameBytes(wishes.interface), fatal: true },
    number(native.SO_RCVBUF, rcvbufBytes),
    number(native.SO_SNDBUF, sndbufBytes),
    number(native.SO_KEEPALIVE, keepAlive === null ? 0 : 1),
    number(native.TCP_KEEPIDLE, keepAlive?.idleSeconds ?? 0),
    number(native.TCP_KEEPINTVL, keepAlive?.intervalSeconds ?? 0),
    number(native.TCP_KEEPCNT, keepAlive?.count ?? 0),
    number(native.TCP_USER_TIMEOUT, tcpUserTimeoutMs),
    congestion === '' ? null : { option: native.TCP_CONGESTION, value: () => text.encode(congestion), fatal: false },
    md5sig === '' ? null : { option: native.TCP_MD5SIG_EXT, value: peer => md5Signature(peer, md5sig), fatal: true },
  ];
  return rows.filter(row => row !== null);
}

/** Whether the socket wants more than an address of its own. */
export function isSpecial({
  settings = [],
  transparent = false,
  ports = null,
  namespace = '',
  mptcp = false,
}: ConnectOptions): boolean {
  return transparent || settings.length > 0 || ports !== null || namespace !== '' || mptcp;
}

/** What a socket that shows somebody else's address is given: others have ports of that address. */
export function transparency({ family }: Address): readonly native.SocketOption[] {
  return [family === 6 ? native.IPV6_TRANSPARENT : native.IP_TRANSPARENT, native.SO_REUSEADDR];
}

/** A TCP socket as the options want it, bound and not connected: its descriptor, or minus errno. For ios without a ring. */
export function openSocket(peer: Address, options: ConnectOptions): number {
  const family = peer.family === 6 ? native.AF_INET6 : native.AF_INET;
  const fd = socketIn(options.namespace ?? '', family, native.SOCK_STREAM, native.protocolOf(options));
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
  native.setOption(fd, source.port === 0 ? native.IP_BIND_ADDRESS_NO_PORT : native.SO_REUSEADDR, 1);
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
