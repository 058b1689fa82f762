/**
 * Listening sockets: one call makes the socket that a `bind` line asks for. The master opens each once; a worker gets
 * a `dupListener` of it. Messages are worded as HAProxy's are, so that people find them where they search for them.
 */
import fs from 'node:fs';
import os from 'node:os';
import type { ListenWords } from '../config/model.ts';
import type { KeepAlive } from '../config/proxy-model.ts';
import { BACKLOG_DEFAULT } from '../limits.ts';
import { addressText, isAbstract, unixAddress } from './address.ts';
import type { Address } from './contract.ts';
import { openNamespace, socketIn } from './namespaces.ts';
import * as native from './native.ts';
import { md5Signature } from './socket-settings.ts';

const { errno } = os.constants;

/** Seconds the kernel waits for the first data under `defer-accept`: until it would send its answer to the SYN again. */
const DEFER_ACCEPT_S = 1;
/** Here 0 takes a setting back: the socket may be one of before a reload. */
const LINUX = process.platform === 'linux';
/** Room kept in a unix path for the suffix of its temporary name. */
const TEMP_SUFFIX_BYTES = 11;
const TEMP_SUFFIX = /\.\d+\.tmp$/;

/** What a listening socket needs of its `bind` line, and of the global section. */
export interface ListenSpec extends ListenWords {
  /** False under `noreuseport`. */
  readonly reusePort: boolean;
  /** Sizes of the kernel's buffers; 0 = as it likes. */
  readonly rcvbufBytes: number;
  readonly sndbufBytes: number;
  /** `option tcp-smart-accept`: the answer is to carry the acknowledgement of what comes first. */
  readonly delayAck: boolean;
  /** `option clitcpka`; null = off. */
  readonly keepAlive: KeepAlive | null;
}

export interface Listener {
  readonly fd: number;
  /** As the kernel gives it: a port that was 0 is known now. */
  readonly address: Address;
  /** Options that could not be set; the socket listens without them. */
  readonly warnings: readonly string[];
}

export interface BindError {
  /** As in <errno.h>. */
  readonly errno: number;
  readonly message: string;
}

/** Opens, binds and listens. The caller owns the descriptor, also for `fd@N`, of which it gets a duplicate. */
export function openListener(spec: ListenSpec): Listener | BindError {
  if (spec.inheritedFd !== null) return inherit(spec.inheritedFd, spec);
  if (spec.address === null) throw new Error('openListener: neither an address nor a descriptor');
  if (spec.address.family !== 1) return openInet(spec, spec.address);
  return spec.abstract || isAbstract(spec.address) ? openAbstract(spec, spec.address) : openUnix(spec, spec.address);
}

/** A descriptor of the same listening socket for another thread; minus errno when there is none left. */
export function dupListener(fd: number): number {
  return native.dupFd(fd);
}

/** Where a listening socket listens, without the suffix that a unix socket was bound with; null when it is no socket. */
export function listenerName(fd: number): Address | null {
  const name = native.socketName(fd);
  if (name === null || name.family !== 1 || isAbstract(name)) return name;
  return unixAddress(addressText(name).replace(TEMP_SUFFIX, ''));
}

/** Where a bind line listens, also one that names a descriptor; null when that is no socket. */
export function boundAddress({ address, inheritedFd }: Pick<ListenSpec, 'address' | 'inheritedFd'>): Address | null {
  return address ?? (inheritedFd === null ? null : listenerName(inheritedFd));
}

export function closeFd(fd: number): void {
  native.closeFd(fd);
}

function failed(code: number, what: string, where: string): BindError {
  return { errno: code, message: `${what} (${native.errorText(code)}) ${where}` };
}

/** An option of a listening socket: whether the line asks for it, how it is set, what is said when that fails. */
interface OptionRow {
  readonly wanted: (spec: ListenSpec, address: Address) => boolean;
  readonly option: (address: Address) => native.SocketOption;
  readonly value: (spec: ListenSpec, address: Address) => number | Uint8Array;
  readonly what: (spec: ListenSpec) => string;
  readonly fatal: boolean;
}

/** A setting of keep-alive probes. */
function keepAlive(option: native.SocketOption, field: keyof KeepAlive): OptionRow {
  return {
    wanted: spec => (spec.keepAlive?.[field] ?? 0) > 0,
    option: () => option,
    value: spec => spec.keepAlive![field],
    what: () => `cannot set keep-alive probes (${field})`,
    fatal: false,
  };
}

const isV6 = (address: Address) => address.family === 6;
const backlog = (spec: ListenSpec) => spec.backlog || BACKLOG_DEFAULT;

const BEFORE_BIND: readonly OptionRow[] = [
  {
    wanted: () => true,
    option: () => native.SO_REUSEADDR,
    value: () => 1,
    what: () => 'cannot do SO_REUSEADDR',
    fatal: true,
  },
  {
    wanted: spec => spec.reusePort,
    option: () => native.SO_REUSEPORT,
    value: () => 1,
    what: () => 'cannot do SO_REUSEPORT',
    fatal: false,
  },
  {
    wanted: spec => spec.transparent,
    option: address => (isV6(address) ? native.IPV6_TRANSPARENT : native.IP_TRANSPARENT),
    value: () => 1,
    what: () => 'cannot make receiving socket transparent',
    fatal: true,
  },
  {
    wanted: spec => spec.interface !== null,
    option: () => native.SO_BINDTODEVICE,
    value: spec => new TextEncoder().encode(`${spec.interface}\0`),
    what: spec => `cannot bind receiver to device '${spec.interface}'`,
    fatal: false,
  },
  {
    wanted: (spec, address) => isV6(address) && (spec.v6only || spec.v4v6),
    option: () => native.IPV6_V6ONLY,
    value: spec => (spec.v6only ? 1 : 0),
    what: () => 'cannot set IPV6_V6ONLY',
    fatal: false,
  },
];

/** Accepted connections have all of this from their listener. What another owner of the socket may have set is taken back. */
const BEFORE_LISTEN: readonly OptionRow[] = [
  {
    wanted: () => native.TCP_QUICKACK[1] > 0,
    option: () => native.TCP_QUICKACK,
    value: spec => (spec.delayAck ? 0 : 1),
    what: () => 'cannot set TCP_QUICKACK',
    fatal: false,
  },
  {
    wanted: () => true,
    option: () => native.SO_KEEPALIVE,
    value: spec => (spec.keepAlive === null ? 0 : 1),
    what: () => 'cannot set SO_KEEPALIVE',
    fatal: false,
  },
  keepAlive(native.TCP_KEEPIDLE, 'idleSeconds'),
  keepAlive(native.TCP_KEEPINTVL, 'intervalSeconds'),
  keepAlive(native.TCP_KEEPCNT, 'count'),
  {
    wanted: spec => spec.mss > 0 || LINUX,
    option: () => native.TCP_MAXSEG,
    value: spec => Math.max(spec.mss, 0),
    what: spec => `cannot set MSS to ${spec.mss}`,
    fatal: false,
  },
  {
    wanted: spec => spec.rcvbufBytes > 0,
    option: () => native.SO_RCVBUF,
    value: spec => spec.rcvbufBytes,
    what: spec => `cannot set the receive buffer to ${spec.rcvbufBytes}`,
    fatal: false,
  },
  {
    wanted: spec => spec.sndbufBytes > 0,
    option: () => native.SO_SNDBUF,
    value: spec => spec.sndbufBytes,
    what: spec => `cannot set the send buffer to ${spec.sndbufBytes}`,
    fatal: false,
  },
  {
    wanted: spec => spec.tcpUserTimeoutMs > 0 || LINUX,
    option: () => native.TCP_USER_TIMEOUT,
    value: spec => spec.tcpUserTimeoutMs,
    what: () => 'cannot set TCP User Timeout',
    fatal: false,
  },
  {
    wanted: spec => spec.congestion !== '',
    option: () => native.TCP_CONGESTION,
    value: spec => new TextEncoder().encode(spec.congestion),
    what: spec => `cannot set TCP congestion control algorithm to '${spec.congestion}'`,
    fatal: false,
  },
  {
    wanted: spec => spec.md5sig !== '',
    option: () => native.TCP_MD5SIG_EXT,
    value: (spec, address) => md5Signature(address, spec.md5sig),
    what: () => 'cannot enable TCP MD5 signatures',
    fatal: true,
  },
  {
    wanted: spec => spec.saveSyn > 0 || LINUX,
    option: () => native.TCP_SAVE_SYN,
    // The kernel's 2 begins with the Ethernet header, its 1 with the IP header.
    value: spec => spec.saveSyn,
    what: () => 'cannot enable TCP_SAVE_SYN',
    fatal: false,
  },
  {
    wanted: spec => spec.deferAccept || LINUX,
    option: () => native.TCP_DEFER_ACCEPT,
    value: spec => (spec.deferAccept ? DEFER_ACCEPT_S : 0),
    what: () => 'cannot enable DEFER_ACCEPT',
    fatal: false,
  },
  {
    wanted: spec => spec.tfo,
    option: () => native.TCP_FASTOPEN,
    value: backlog,
    what: () => 'cannot enable TCP_FASTOPEN',
    fatal: false,
  },
];

/** Sets what the line asks for. A fatal failure ends it; the others go to `warnings`. */
function setOptions(
  fd: number,
  rows: readonly OptionRow[],
  spec: ListenSpec,
  address: Address,
  warnings: string[],
): BindError | null {
  for (const row of rows) {
    if (!row.wanted(spec, address)) continue;
    const result = native.setOption(fd, row.option(address), row.value(spec, address));
    if (result >= 0) continue;
    const error = failed(-result, row.what(spec), `for [${addressText(address)}]`);
    if (row.fatal) return error;
    warnings.push(error.message);
  }
  return null;
}

/** A socket that takes datagrams sent to an IPv4 or IPv6 address, bound and nothing more. */
export function openDatagramSocket(spec: ListenSpec): Listener | BindError {
  return openInet(spec, spec.address!, native.SOCK_DGRAM);
}

function openInet(spec: ListenSpec, address: Address, type: number = native.SOCK_STREAM): Listener | BindError {
  const where = `for [${addressText(address)}]`;
  const { namespace } = spec;
  if (namespace !== '' && !openNamespace(namespace))
    return failed(errno.ENOENT, `cannot open namespace '${namespace}'`, where);
  const fd = socketIn(
    namespace,
    address.family === 6 ? native.AF_INET6 : native.AF_INET,
    type,
    native.protocolOf(spec),
  );
  if (fd < 0) return failed(-fd, 'cannot create receiving socket', where);
  const warnings: string[] = [];
  const give = (error: BindError) => {
    native.closeFd(fd);
    return error;
  };
  const before = setOptions(fd, BEFORE_BIND, spec, address, warnings);
  if (before !== null) return give(before);
  const bound = native.bind(fd, native.encodeSockaddr(address)!);
  if (bound < 0) return give(failed(-bound, 'cannot bind socket', where));
  if (type === native.SOCK_DGRAM) return { fd, address: native.socketName(fd) ?? address, warnings };
  const after = setOptions(fd, BEFORE_LISTEN, spec, address, warnings);
  if (after !== null) return give(after);
  const listening = native.listen(fd, backlog(spec));
  if (listening < 0) return give(failed(-listening, 'cannot listen to socket', where));
  return { fd, address: native.socketName(fd) ?? address, warnings };
}

/** Whether it is a stream socket that listens. */
export function listens(fd: number): boolean {
  return (
    native.getOption(fd, native.SO_TYPE) === native.SOCK_STREAM && native.getOption(fd, native.SO_ACCEPTCONN) === 1
  );
}

/** Whether it is a socket of `openDatagramSocket`. */
export function takesDatagrams(fd: number): boolean {
  return native.getOption(fd, native.SO_TYPE) === native.SOCK_DGRAM;
}

/** What was set before a socket was bound and cannot be changed any more. */
export function flagsOf(fd: number, { family }: Address): Pick<ListenSpec, 'transparent' | 'v6only' | 'mptcp'> {
  const on = (option: native.SocketOption) => native.getOption(fd, option) === 1;
  if (family === 1) return { transparent: false, v6only: false, mptcp: false };
  const transparent = on(family === 6 ? native.IPV6_TRANSPARENT : native.IP_TRANSPARENT);
  const mptcp = native.getOption(fd, native.SO_PROTOCOL) === native.IPPROTO_MPTCP;
  return { transparent, v6only: family === 6 && on(native.IPV6_V6ONLY), mptcp };
}

/** The name of a socket in the abstract namespace. */
export function abstractName(address: Address): Address {
  return isAbstract(address) ? address : unixAddress(addressText(address), 'abns');
}

/** Gives a socket what the line asks for; one that rests (`disable frontend`) goes on resting. What cannot be set is told. */
export function relisten(fd: number, spec: ListenSpec): readonly string[] {
  const { address } = spec;
  if (address === null) return [];
  const warnings: string[] = [];
  if (address.family !== 1) setOptions(fd, BEFORE_LISTEN, spec, address, warnings);
  if (native.getOption(fd, native.SO_ACCEPTCONN) !== 1) return warnings;
  const listening = native.listen(fd, backlog(spec));
  if (listening < 0)
    warnings.push(failed(-listening, 'cannot listen to socket', `for [${addressText(address)}]`).message);
  return warnings;
}

/** A unix socket that listens on `name`, with nothing of the file system touched but what bind(2) makes. */
function listenUnix(spec: ListenSpec, name: Address, where: string, beforeListen: () => BindError | null) {
  const sockaddr = native.encodeSockaddr(name);
  if (sockaddr === null) return failed(errno.ENAMETOOLONG, 'cannot bind UNIX socket', where);
  const fd = native.socket(native.AF_UNIX, native.SOCK_STREAM);
  if (fd < 0) return failed(-fd, 'cannot create receiving socket', where);
  const bound = native.bind(fd, sockaddr);
  let error = bound < 0 ? failed(-bound, 'cannot bind UNIX socket', where) : beforeListen();
  if (error === null) {
    const listening = native.listen(fd, backlog(spec));
    if (listening < 0) error = failed(-listening, 'cannot listen to UNIX socket', where);
  }
  if (error === null) return fd;
  native.closeFd(fd);
  return error;
}

function openAbstract(spec: ListenSpec, address: Address): Listener | BindError {
  const name = abstractName(address);
  const fd = listenUnix(spec, name, `[${addressText(name)}]`, () => null);
  return typeof fd === 'number' ? { fd, address: name, warnings: [] } : fd;
}

/**
 * The socket is made under a temporary name beside the path, given its owner and mode, set listening, and only then
 * renamed over the path: whoever connects meets the old listener or the new one, never none. A file that is not a
 * socket is left alone.
 */
function openUnix(spec: ListenSpec, address: Address): Listener | BindError {
  const path = addressText(address);
  const where = `[${path}]`;
  if (address.bytes.length + TEMP_SUFFIX_BYTES >= native.UNIX_PATH_BYTES) {
    const most = native.UNIX_PATH_BYTES - TEMP_SUFFIX_BYTES;
    return { errno: errno.ENAMETOOLONG, message: `socket path '${path}' too long (max ${most})` };
  }
  const uid = idOf(spec.unixUid, spec.unixUser, native.userId);
  if (uid === null) return { errno: errno.EINVAL, message: `'user' : unknown user name '${spec.unixUser}'` };
  const gid = idOf(spec.unixGid, spec.unixGroup, native.groupId);
  if (gid === null) return { errno: errno.EINVAL, message: `'group' : unknown group name '${spec.unixGroup}'` };

  const old = fs.lstatSync(path, { throwIfNoEntry: false });
  if (old !== undefined && !old.isSocket()) {
    return failed(errno.EEXIST, 'error when trying to preserve previous UNIX socket', where);
  }
  const temp = `${path}.${process.pid}.tmp`;
  const stale = attempt('error when trying to unlink previous UNIX socket', where, () =>
    fs.rmSync(temp, { force: true }),
  );
  if (stale !== null) return stale;
  const fd = listenUnix(spec, unixAddress(temp), where, () => setOwner(spec, temp, uid, gid, where));
  if (typeof fd !== 'number') {
    // What bind(2) made stays behind when a later step failed; when bind itself failed there is nothing.
    attempt('', where, () => fs.rmSync(temp, { force: true }));
    return fd;
  }
  const renamed = attempt('cannot switch final and temporary UNIX sockets', where, () => fs.renameSync(temp, path));
  if (renamed === null) return { fd, address, warnings: [] };
  native.closeFd(fd);
  attempt('', where, () => fs.rmSync(temp, { force: true }));
  return renamed;
}

function setOwner(spec: ListenSpec, path: string, uid: number, gid: number, where: string): BindError | null {
  if (spec.unixMode !== null) {
    const mode = spec.unixMode;
    const error = attempt('cannot change UNIX socket mode', where, () => fs.chmodSync(path, mode));
    if (error !== null) return error;
  }
  if (uid === KEEP && gid === KEEP) return null;
  return attempt('cannot change UNIX socket ownership', where, () => fs.chownSync(path, uid, gid));
}

/** What chown(2) takes for "leave it as it is". */
const KEEP = -1;

/** The number given, or that of the name given; null when there is no such name. */
function idOf(id: number | null, name: string | null, look: (name: string) => number | null): number | null {
  if (id !== null) return id;
  return name === null ? KEEP : look(name);
}

/** Runs a node:fs call; its exception becomes a BindError. */
function attempt(what: string, where: string, run: () => void): BindError | null {
  try {
    run();
    return null;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).errno;
    return failed(code === undefined ? errno.EIO : Math.abs(code), what, where);
  }
}

/** `fd@N`: a listening stream socket that the parent process left open. */
function inherit(fd: number, spec: ListenSpec): Listener | BindError {
  const refused = (code: number, why: string) => ({
    errno: code,
    message: `cannot use file descriptor '${fd}' : ${why}.`,
  });
  const type = native.getOption(fd, native.SO_TYPE);
  if (type < 0) return refused(-type, native.errorText(-type));
  if (type !== native.SOCK_STREAM) return refused(errno.EPROTOTYPE, native.errorText(errno.EPROTOTYPE));
  if (native.getOption(fd, native.SO_ACCEPTCONN) !== 1) return refused(errno.EINVAL, 'not a listening socket');
  const address = listenerName(fd);
  if (address === null) return refused(errno.EAFNOSUPPORT, native.errorText(errno.EAFNOSUPPORT));
  const copy = native.dupFd(fd);
  if (copy < 0) return refused(-copy, native.errorText(-copy));
  const warnings: string[] = [];
  if (address.family !== 1) setOptions(copy, BEFORE_LISTEN, spec, address, warnings);
  return { fd: copy, address, warnings };
}
