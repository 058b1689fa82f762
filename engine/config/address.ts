/**
 * HAProxy's addresses (manual 2.9) as values.
 *
 *     [family@][host][:port[-port]]        bind :80,[::]:8000-8010       server 10.0.0.1:+1
 *     [unix@]/path   abns@name   abnsz@name   fd@N      bind unix@/run/x.sock,fd@3    server unix@/run/app.sock
 *
 * The port is what follows the last colon, so an IPv6 address without a port needs brackets or a colon at its end.
 * Environment variables are replaced here too, as `$NAME` or `${NAME}` outside of quotes. Names are checked for their letters only: the caller resolves them.
 */

import { hostText, isAbstract, unixAddress } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { ipText, parseIpv4, parseIpv6 } from '../io/ip.ts';
import type { Environment } from './lexer.ts';
import type { Parsed } from './units.ts';

export interface Endpoint {
  /** One element of a comma list, as written but for environment variables. */
  readonly text: string;
  /** With the first port of a range (0 = none given). null for `fd@N` and for a name. */
  readonly address: Address | null;
  /** A host name that the caller must resolve, in family `family` (0 = either). */
  readonly hostname: string | null;
  readonly family: 0 | 4 | 6 | 1;
  /** A name in Linux's abstract namespace: `address.bytes` is the name as the kernel has it, behind a zero byte. */
  readonly abstract: boolean;
  readonly inheritedFd: number | null;
  /** A prefix says that it takes datagrams. */
  readonly datagrams: boolean;
  /** Its socket speaks MPTCP, RFC 8684. */
  readonly mptcp: boolean;
  /** First and last port; equal unless it is a range; 0 when none is given. */
  readonly port: number;
  readonly lastPort: number;
  /** No port, or `+N`/`-N`: relative by `portOffset` to the port that the client connected to. */
  readonly portRelative: boolean;
  readonly portOffset: number;
}

/** What a place in the configuration accepts. */
export interface Accepts {
  readonly port: 'required' | 'optional';
  readonly range?: boolean;
  readonly offset?: boolean;
  readonly fd?: boolean;
  readonly unix?: boolean;
  readonly names?: boolean;
  readonly mptcp?: boolean;
  /** The socket type that the place is for; both when absent. */
  readonly type?: 'stream' | 'dgram';
}

export const BIND_ACCEPTS: Accepts = {
  port: 'required',
  range: true,
  fd: true,
  unix: true,
  names: true,
  mptcp: true,
  type: 'stream',
};
/** Servers of proxies: what takes datagrams is for log lines, which is checked once the mode is known. */
export const SERVER_LINE_ACCEPTS: Accepts = { port: 'optional', offset: true, unix: true, names: true, mptcp: true };
export const SERVER_ACCEPTS: Accepts = { ...SERVER_LINE_ACCEPTS, type: 'stream' };
export const SOURCE_ACCEPTS: Accepts = { port: 'optional', names: true, type: 'stream' };
/** `source` of a server. */
export const SOURCE_RANGE_ACCEPTS: Accepts = { ...SOURCE_ACCEPTS, range: true };

interface Prefix {
  readonly family: 'ip' | 'ipv4' | 'ipv6' | 'unix' | 'abns' | 'abnsz' | 'fd' | 'unsupported';
  /** null = whatever the place is for. */
  readonly type: 'stream' | 'dgram' | null;
  readonly mptcp?: true;
}

type Family = Exclude<Prefix['family'], 'unsupported'>;

/** Prefixes of sections 2.9.1 and 2.9.3; those of 2.9.2 go before the ones without a type. */
const PREFIXES: Readonly<Record<string, Prefix>> = {
  ip: { family: 'ip', type: null },
  ipv4: { family: 'ipv4', type: null },
  ipv6: { family: 'ipv6', type: null },
  unix: { family: 'unix', type: null },
  abns: { family: 'abns', type: null },
  abnsz: { family: 'abnsz', type: null },
  fd: { family: 'fd', type: null },
  tcp: { family: 'ip', type: 'stream' },
  tcp4: { family: 'ipv4', type: 'stream' },
  tcp6: { family: 'ipv6', type: 'stream' },
  uxst: { family: 'unix', type: 'stream' },
  udp: { family: 'ip', type: 'dgram' },
  udp4: { family: 'ipv4', type: 'dgram' },
  udp6: { family: 'ipv6', type: 'dgram' },
  uxdg: { family: 'unix', type: 'dgram' },
  sockpair: { family: 'unsupported', type: null },
  mptcp: { family: 'ip', type: 'stream', mptcp: true },
  mptcp4: { family: 'ipv4', type: 'stream', mptcp: true },
  mptcp6: { family: 'ipv6', type: 'stream', mptcp: true },
  quic4: { family: 'unsupported', type: null },
  quic6: { family: 'unsupported', type: null },
  rhttp: { family: 'unsupported', type: 'stream' },
};

/** sockaddr_un holds 108 bytes, one of them the zero at the end of a path or the start of an abstract name. */
const UNIX_PATH_BYTES_MAX = 107;
const PORT_MAX = 65_535;
const PREFIX_SYNTAX = /^(?:(stream|dgram|quic)\+)?([a-z0-9_-]+)@/;
/** A last label of digits only is an IPv4 address gone wrong, not a name. */
const NAME_SYNTAX = /^(?!.*(?:^|\.)\d+\.?$)[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})$/;

const NOTHING: Omit<Endpoint, 'text'> = {
  address: null,
  hostname: null,
  family: 0,
  abstract: false,
  inheritedFd: null,
  datagrams: false,
  mptcp: false,
  port: 0,
  lastPort: 0,
  portRelative: false,
  portOffset: 0,
};

/** Reads one address as `accepts` allows. Messages are HAProxy's where it has one. */
export function parseEndpoint(written: string, accepts: Accepts, env: Environment): Parsed<Endpoint> {
  const text = written.replace(/\$(?:\{(\w+)\}|([A-Za-z_]\w*))/g, (_, braced, bare) => env[braced ?? bare] ?? '');
  if (text === '') return { error: `'${written}' resolves to an empty address (environment variable missing?)` };
  const prefix = readPrefix(text, accepts);
  if ('error' in prefix) return prefix;
  const { family, rest, datagrams, mptcp } = prefix.value;
  const endpoint = parseFamily(text, rest, family, accepts);
  return 'error' in endpoint ? endpoint : { value: { ...endpoint.value, datagrams, mptcp } };
}

function parseFamily(text: string, rest: string, family: Family, accepts: Accepts): Parsed<Endpoint> {
  if (family === 'fd') return accepts.fd ? parseFd(text, rest) : refuse('a file descriptor', text);
  if (family === 'unix' || family === 'abns' || family === 'abnsz') {
    return accepts.unix ? parseUnix(text, rest, family) : refuse('a unix socket', text);
  }
  return parseInternet(text, rest, family, accepts);
}

/** Reads the comma-separated addresses of a `bind` line (or any other list). A comma at the end is ignored. */
export function parseEndpoints(text: string, accepts: Accepts, env: Environment): Parsed<readonly Endpoint[]> {
  const endpoints: Endpoint[] = [];
  for (const part of text.replace(/,$/, '').split(',')) {
    const endpoint = parseEndpoint(part, accepts, env);
    if ('error' in endpoint) return endpoint;
    endpoints.push(endpoint.value);
  }
  return { value: endpoints };
}

/** An address for each port of the endpoint's range; none when it has no address yet. */
export function addressesOf({ address, port, lastPort }: Endpoint): Address[] {
  if (address === null) return [];
  return Array.from({ length: lastPort - port + 1 }, (_, i) => ({ ...address, port: port + i }));
}

export interface Network {
  /** With the bits behind the prefix cleared and port 0. */
  readonly address: Address;
  readonly prefixBits: number;
}

/** Reads `10.0.0.0/8`, `10/8`, `10.0.0.0/255.0.0.0`, `fe80::/10` or a lone address. */
export function parseNetwork(text: string): Parsed<Network> {
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const missing = slash < 0 ? 0 : Math.max(4 - host.split('.').length, 0);
  const bytes = parseIpv6(host) ?? parseIpv4(host + '.0'.repeat(host === '' ? 0 : missing));
  if (bytes === null) return { error: `invalid network '${text}', expected <address>[/<mask>]` };
  const prefixBits = slash < 0 ? bytes.length * 8 : maskBits(text.slice(slash + 1), bytes.length);
  if (prefixBits === null) return { error: `invalid mask in network '${text}'` };
  for (let i = 0; i < bytes.length; i++) {
    const kept = Math.min(Math.max(prefixBits - 8 * i, 0), 8);
    bytes[i]! &= 0xff << (8 - kept);
  }
  return { value: { address: { family: bytes.length === 4 ? 4 : 6, bytes, port: 0 }, prefixBits } };
}

/**
 * `127.0.0.1:80`, `[::1]:80`, `unix@run/x.sock`, `/run/x.sock`, `abns@x`; without the port when it is 0.
 * `parseEndpoint` reads it back.
 */
export function formatAddress(address: Address): string {
  const { family, bytes, port } = address;
  if (family === 1) return formatUnix(address);
  const host = family === 6 ? `[${ipText(bytes)}]` : ipText(bytes);
  return port === 0 ? host : `${host}:${port}`;
}

function formatUnix(address: Address): string {
  const text = hostText(address);
  return isAbstract(address) || text.startsWith('/') ? text : `unix@${text}`;
}

function refuse(what: string, text: string): { error: string } {
  return { error: `${what} is not acceptable here in '${text}'` };
}

function readPrefix(
  text: string,
  accepts: Accepts,
): Parsed<{ readonly family: Family; readonly rest: string } & Pick<Endpoint, 'datagrams' | 'mptcp'>> {
  const [written, socket, name] = PREFIX_SYNTAX.exec(text) ?? [];
  if (written === undefined) {
    return { value: { family: text.startsWith('/') ? 'unix' : 'ip', rest: text, datagrams: false, mptcp: false } };
  }
  const known = Object.hasOwn(PREFIXES, name!) ? PREFIXES[name!]! : null;
  if (known === null || (socket !== undefined && known.type !== null)) {
    return { error: `unknown address prefix '${written}' in '${text}'` };
  }
  if (known.family === 'unsupported' || socket === 'quic')
    return { error: `'${written}' is not supported by Sluice yet` };
  const type = socket ?? known.type;
  if (type !== null && accepts.type !== undefined && type !== accepts.type) {
    return { error: `${type}-type address not acceptable in '${text}'` };
  }
  const { family, mptcp = false } = known;
  if (mptcp && accepts.mptcp !== true) return refuse('an MPTCP address', text);
  return { value: { family, rest: text.slice(written.length), datagrams: type === 'dgram', mptcp } };
}

function parseFd(text: string, number: string): Parsed<Endpoint> {
  if (!/^\d{1,9}$/.test(number)) return { error: `file descriptor '${number}' is not a valid integer in '${text}'` };
  return { value: { ...NOTHING, text, inheritedFd: Number(number) } };
}

function parseUnix(text: string, path: string, family: 'unix' | 'abns' | 'abnsz'): Parsed<Endpoint> {
  const bytes = new TextEncoder().encode(path);
  if (bytes.length === 0) return { error: `missing socket path in '${text}'` };
  if (bytes.length > UNIX_PATH_BYTES_MAX) {
    return { error: `socket path '${path}' too long (max ${UNIX_PATH_BYTES_MAX})` };
  }
  const address = unixAddress(path, family === 'unix' ? 'path' : family);
  return { value: { ...NOTHING, text, family: 1, abstract: family !== 'unix', address } };
}

function parseInternet(text: string, rest: string, kind: 'ip' | 'ipv4' | 'ipv6', accepts: Accepts): Parsed<Endpoint> {
  const [, host, portText] = /^(\[[^\]]*\]|.*?)(?::([^:\]]*))?$/s.exec(rest)!;
  const ports = parsePorts(portText ?? '', text, accepts);
  if ('error' in ports) return ports;
  const ip = parseHost(host!, kind);
  if (ip !== null) {
    const { port } = ports.value;
    const family = ip.length === 4 ? 4 : 6;
    return { value: { ...NOTHING, ...ports.value, text, family, address: { family, bytes: ip, port } } };
  }
  if (!accepts.names || !NAME_SYNTAX.test(host!)) {
    const advice = kind === 'ipv4' || parseIpv6(rest) === null ? '' : ` (write [${rest}] when there is no port)`;
    return { error: `invalid address: '${host}' in '${text}'${advice}` };
  }
  const family = kind === 'ip' ? 0 : kind === 'ipv4' ? 4 : 6;
  return { value: { ...NOTHING, ...ports.value, text, family, hostname: host! } };
}

/** An IP address in numbers, `*` or nothing for any; null when it is not of this kind. */
function parseHost(host: string, kind: 'ip' | 'ipv4' | 'ipv6'): Uint8Array | null {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  if (host === '' || host === '*') return new Uint8Array(kind === 'ipv6' ? 16 : 4);
  const v4 = kind === 'ipv6' || bare !== host ? null : parseIpv4(bare);
  return v4 ?? (kind === 'ipv4' ? null : parseIpv6(bare));
}

type Ports = Pick<Endpoint, 'port' | 'lastPort' | 'portRelative' | 'portOffset'>;

/** Reads what follows the colon: nothing, `80`, `8000-8010`, `+1`, `-1`. */
function parsePorts(ports: string, text: string, accepts: Accepts): Parsed<Ports> {
  if (ports === '' && accepts.port === 'required') return { error: `missing port specification in '${text}'` };
  const sign = /^[+-]/.test(ports);
  if (sign && !accepts.offset) return { error: `port offset not permitted here in '${text}'` };
  const stray = /[^\d-]/.exec(sign ? ports.slice(1) : ports);
  if (stray !== null) return { error: `invalid character '${stray[0]}' in port number '${ports}' in '${text}'` };
  if (sign) return parseOffset(ports);
  if (ports.includes('-') && !accepts.range) return { error: `port range not permitted here in '${text}'` };
  const [first = '', last = first, ...more] = ports.split('-');
  for (const port of ports === '' ? [] : [first, last]) {
    // Where a port may be left out, 0 says the same.
    const least = accepts.port === 'required' ? 1 : 0;
    if (port === '' || Number(port) < least || Number(port) > PORT_MAX) return { error: `invalid port '${port}'` };
  }
  if (more.length > 0 || Number(last) < Number(first)) return { error: `invalid port range '${ports}'` };
  const port = Number(first);
  return { value: { port, lastPort: Number(last), portRelative: port === 0, portOffset: 0 } };
}

function parseOffset(ports: string): Parsed<Ports> {
  const offset = Number(ports);
  if (!/^[+-]\d+$/.test(ports) || Math.abs(offset) > PORT_MAX) return { error: `invalid port offset '${ports}'` };
  return { value: { port: 0, lastPort: 0, portRelative: true, portOffset: offset } };
}

/** The bits of `24` or `255.255.255.0`; null when it is no such thing. `length` is the address's, in bytes. */
function maskBits(mask: string, length: number): number | null {
  if (/^\d{1,3}$/.test(mask)) return Number(mask) <= length * 8 ? Number(mask) : null;
  const bytes = length === 4 ? parseIpv4(mask) : parseIpv6(mask);
  if (bytes === null) return null;
  const bits = Array.from(bytes, byte => byte.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : null;
}
