import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addressText, parseIp, sameAddress, unixAddress } from '../../engine/io/address.ts';
import {
  type BindError,
  closeFd,
  dupListener,
  type Listener,
  type ListenSpec,
  openListener,
  relisten,
} from '../../engine/io/bind.ts';
import { frontendSpec } from '../../engine/io/listen-spec.ts';
import * as native from '../../engine/io/native.ts';
import { load } from '../config/load-text.ts';
import { PLAIN_SPEC } from './plain-spec.ts';

const { EADDRINUSE, EADDRNOTAVAIL, EBADF, EEXIST, EINVAL, ENAMETOOLONG, ENOENT, ENOTSOCK } = os.constants.errno;
const LOOPBACK = parseIp('127.0.0.1', 0)!;

let folder: string;
let open: number[];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-'));
  open = [];
});

afterEach(() => {
  for (const fd of open) closeFd(fd);
  fs.rmSync(folder, { recursive: true });
});

function listen(spec: Partial<ListenSpec>): Listener {
  const made = openListener({ ...PLAIN_SPEC, ...spec });
  if (!('fd' in made)) throw new Error(made.message);
  open.push(made.fd);
  return made;
}

function refuse(spec: Partial<ListenSpec>): BindError {
  const made = openListener({ ...PLAIN_SPEC, ...spec });
  if ('fd' in made) {
    open.push(made.fd);
    throw new Error(`it listens on ${addressText(made.address)}`);
  }
  return made;
}

/** Connects with node:net; the error's code, or 'connected'. */
function tryConnect(to: net.NetConnectOpts): Promise<string> {
  return new Promise(resolve => {
    const socket = net.connect(to);
    socket.on('connect', () => resolve('connected'));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    socket.on('connect', () => socket.destroy());
  });
}

describe('TCP', () => {
  test('a free port is chosen and told, and connections are taken', async () => {
    const { fd, address, warnings } = listen({ address: LOOPBACK });
    expect(address.port).toBeGreaterThan(0);
    expect(warnings).toEqual([]);
    expect(native.getOption(fd, native.SO_ACCEPTCONN)).toBe(1);
    expect(await tryConnect({ host: '127.0.0.1', port: address.port })).toBe('connected');
  });

  test('IPv6, only or with IPv4', async () => {
    const only = listen({ address: parseIp('::', 0)!, v6only: true });
    expect(native.getOption(only.fd, native.IPV6_V6ONLY)).toBe(1);
    expect(await tryConnect({ host: '127.0.0.1', port: only.address.port })).toBe('ECONNREFUSED');
    const both = listen({ address: parseIp('::', 0)!, v4v6: true });
    expect(await tryConnect({ host: '127.0.0.1', port: both.address.port })).toBe('connected');
  });

  test('the backlog is that of the line, or the default', () => {
    expect(native.backlogOf(listen({ address: LOOPBACK, backlog: 7 }).fd, -1)).toBe(7);
    expect(native.backlogOf(listen({ address: LOOPBACK }).fd, -1)).toBe(1024);
  });

  test.each([
    ['', '', '', 'maxconn 500', 500],
    ['', '', 'maxconn 40', 'maxconn 500', 40],
    ['', 'maxconn 30', 'maxconn 40', 'maxconn 500', 30],
    ['', 'maxconn 30', 'maxconn 40\n  backlog 20', 'maxconn 500', 20],
    ['backlog 10', 'maxconn 30', 'backlog 20', 'maxconn 500', 10],
  ])('%s %s, %s, %s: what a frontend waits with', (own, more, frontend, global, backlog) => {
    const { model } = load(`global\n  ${global}\nfrontend f\n  bind 127.0.0.1:80 ${own} ${more}\n  ${frontend}\n`);
    const [proxy] = model!.proxies;
    expect(frontendSpec(proxy!.binds[0]!, proxy!, model!.global).backlog).toBe(backlog);
  });

  test.runIf(process.platform === 'linux')('what a line no longer says is taken back', () => {
    const words = { tcpUserTimeoutMs: 5_000, deferAccept: true, mss: 1_000, saveSyn: 1 };
    const { fd, address } = listen({ address: LOOPBACK, ...words });
    expect(native.getOption(fd, native.TCP_DEFER_ACCEPT)).toBe(1);
    expect(relisten(fd, { ...PLAIN_SPEC, address })).toEqual([]);
    const left = [native.TCP_USER_TIMEOUT, native.TCP_DEFER_ACCEPT, native.TCP_SAVE_SYN];
    expect(left.map(option => native.getOption(fd, option))).toEqual([0, 0, 0]);
    expect(native.getOption(fd, native.TCP_MAXSEG)).not.toBe(1_000);
  });

  test('SO_REUSEPORT unless noreuseport', () => {
    const first = listen({ address: LOOPBACK });
    const second = listen({ address: first.address });
    expect(sameAddress(first.address, second.address)).toBe(true);
    const alone = listen({ address: LOOPBACK, reusePort: false });
    const error = refuse({ address: alone.address });
    expect(error.errno).toBe(EADDRINUSE);
    expect(error.message).toBe(`cannot bind socket (Address already in use) for [127.0.0.1:${alone.address.port}]`);
  });

  test('options reach the socket', () => {
    const { fd, warnings } = listen({
      address: LOOPBACK,
      tcpUserTimeoutMs: 5_000,
      deferAccept: true,
      tfo: true,
      mss: 1_000,
      rcvbufBytes: 20_000,
      sndbufBytes: 30_000,
      delayAck: true,
      keepAlive: { idleSeconds: 33, intervalSeconds: 5, count: 4 },
    });
    expect(warnings).toEqual([]);
    expect(native.getOption(fd, native.TCP_USER_TIMEOUT)).toBe(5_000);
    expect(native.getOption(fd, native.TCP_DEFER_ACCEPT)).toBeGreaterThan(0);
    expect(native.getOption(fd, native.TCP_FASTOPEN)).toBe(1024);
    expect(native.getOption(fd, native.TCP_QUICKACK)).toBe(0);
    expect(native.getOption(fd, native.SO_KEEPALIVE)).toBe(1);
    expect(native.getOption(fd, native.TCP_KEEPIDLE)).toBe(33);
    // The kernel doubles what it is asked for.
    expect(native.getOption(fd, native.SO_RCVBUF)).toBe(40_000);
    expect(native.getOption(fd, native.SO_SNDBUF)).toBe(60_000);
  });

  test('an option that cannot be set is a warning', () => {
    const { warnings } = listen({ address: LOOPBACK, interface: 'nosuch0', mss: 20 });
    expect(warnings[0]).toMatch(/^cannot bind receiver to device 'nosuch0' \(.+\) for \[127\.0\.0\.1:0\]$/);
    expect(warnings[1]).toMatch(/^cannot set MSS to 20 /);
  });

  test('an address of another machine', () => {
    const error = refuse({ address: parseIp('203.0.113.9', 18_082)! });
    expect(error).toEqual({
      errno: EADDRNOTAVAIL,
      message: 'cannot bind socket (Cannot assign requested address) for [203.0.113.9:18082]',
    });
  });

  test('a failure leaves no descriptor behind', () => {
    const count = () => fs.readdirSync('/proc/self/fd').length;
    const before = count();
    for (let i = 0; i < 20; i++) refuse({ address: parseIp('203.0.113.9', 1)! });
    expect(count()).toBe(before);
  });
});

describe('unix sockets', () => {
  const mode = (file: string) => fs.statSync(file).mode & 0o777;

  test('mode, and a path that connects', async () => {
    const file = path.join(folder, 'a.sock');
    const { address } = listen({ address: unixAddress(file), unixMode: 0o640 });
    expect(addressText(address)).toBe(file);
    expect(mode(file)).toBe(0o640);
    expect(fs.readdirSync(folder)).toEqual(['a.sock']);
    expect(await tryConnect({ path: file })).toBe('connected');
  });

  test('a stale socket and a live one are replaced', async () => {
    const file = path.join(folder, 'b.sock');
    const first = listen({ address: unixAddress(file) });
    const second = listen({ address: unixAddress(file) });
    expect(await tryConnect({ path: file })).toBe('connected');
    for (const fd of [first.fd, second.fd]) closeFd(fd);
    open = [];
    expect(await tryConnect({ path: file })).toBe('ECONNREFUSED');
    listen({ address: unixAddress(file) });
    expect(await tryConnect({ path: file })).toBe('connected');
  });

  test('a file that is no socket stays', () => {
    const file = path.join(folder, 'precious');
    fs.writeFileSync(file, 'data');
    const error = refuse({ address: unixAddress(file) });
    expect(error.errno).toBe(EEXIST);
    expect(error.message).toBe(`error when trying to preserve previous UNIX socket (File exists) [${file}]`);
    expect(fs.readFileSync(file, 'utf8')).toBe('data');
    expect(fs.readdirSync(folder)).toEqual(['precious']);
  });

  test('no such folder', () => {
    const error = refuse({ address: unixAddress('/nosuchdir/x.sock') });
    expect(error).toEqual({
      errno: ENOENT,
      message: 'cannot bind UNIX socket (No such file or directory) [/nosuchdir/x.sock]',
    });
  });

  test('a path too long for the kernel', () => {
    const error = refuse({ address: unixAddress(`${folder}/${'x'.repeat(100)}`) });
    expect(error.errno).toBe(ENAMETOOLONG);
    expect(error.message).toMatch(/too long \(max 97\)$/);
  });

  test('owners by name', () => {
    const user = os.userInfo().username;
    const file = path.join(folder, 'c.sock');
    listen({ address: unixAddress(file), unixUser: user, unixGid: process.getgid!() });
    expect(fs.statSync(file).uid).toBe(process.getuid!());
    const error = refuse({ address: unixAddress(file), unixUser: 'nosuchuser' });
    expect(error).toEqual({ errno: EINVAL, message: "'user' : unknown user name 'nosuchuser'" });
    expect(refuse({ address: unixAddress(file), unixGroup: 'nosuchgroup' }).errno).toBe(EINVAL);
  });

  test.skipIf(process.platform !== 'linux')('the abstract namespace', async () => {
    const name = `sluice-${process.pid}`;
    const { address } = listen({ address: unixAddress(name), abstract: true });
    expect(addressText(address)).toBe(`abns@${name}`);
    expect(await tryConnect({ path: `\0${name}`.padEnd(108, '\0') })).toBe('connected');
    expect(await tryConnect({ path: `\0${name}` })).toBe('ECONNREFUSED');
    listen({ address: unixAddress(name, 'abnsz'), abstract: true });
    expect(await tryConnect({ path: `\0${name}` })).toBe('connected');
    const error = refuse({ address: unixAddress(name, 'abns') });
    expect(error.message).toBe(`cannot bind UNIX socket (Address already in use) [abns@${name}]`);
  });
});

describe('inherited descriptors', () => {
  test('a listening socket is taken, its address told, the original left open', async () => {
    const first = listen({ address: LOOPBACK });
    const copy = listen({ inheritedFd: first.fd });
    expect(copy.fd).not.toBe(first.fd);
    expect(sameAddress(copy.address, first.address)).toBe(true);
    closeFd(copy.fd);
    open = [first.fd];
    expect(await tryConnect({ host: '127.0.0.1', port: first.address.port })).toBe('connected');
  });

  test('what is not one is refused', () => {
    expect(refuse({ inheritedFd: 977 })).toEqual({
      errno: EBADF,
      message: "cannot use file descriptor '977' : Bad file descriptor.",
    });
    const file = fs.openSync(path.join(folder, 'f'), 'w');
    expect(refuse({ inheritedFd: file }).errno).toBe(ENOTSOCK);
    fs.closeSync(file);
    const socket = native.socket(native.AF_INET, native.SOCK_STREAM);
    expect(refuse({ inheritedFd: socket }).message).toBe(
      `cannot use file descriptor '${socket}' : not a listening socket.`,
    );
    closeFd(socket);
  });
});

test('a duplicate listens on after the first is closed', async () => {
  const { fd, address } = listen({ address: LOOPBACK });
  const copy = dupListener(fd);
  closeFd(fd);
  open = [copy];
  expect(await tryConnect({ host: '127.0.0.1', port: address.port })).toBe('connected');
});

test('errno of this call, not of an earlier one', () => {
  for (let i = 0; i < 1_000; i++) {
    expect(native.closeFd(-1)).toBe(-EBADF);
    expect(native.socket(999, 1)).toBe(-os.constants.errno.EAFNOSUPPORT);
  }
});

test('descriptor limits', () => {
  const limits = native.fdLimits();
  if ('errno' in limits) throw new Error(String(limits.errno));
  expect(limits.hard).toBeGreaterThanOrEqual(limits.soft);
  expect(native.setFdLimits(limits.soft, limits.hard)).toBe(0);
});
