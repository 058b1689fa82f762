/**
 * What this build is: its version in HAProxy's shape, and the features that `-vv` lists and `feature()` asks for.
 */

/** Follows `HAProxy version ` in the first line of `-v`. The part before `-sluice` is the HAProxy it stands for. */
export const VERSION = '3.4-sluice0.1.0';
/** `$HAPROXY_BRANCH`. */
export const BRANCH = '3.4';
export const RELEASE_DATE = '2026/11/22';

const LINUX = process.platform === 'linux';
const DARWIN = process.platform === 'darwin';

/** What Node brings along; its version is in OpenSSL's own shape. */
export const TLS_LIBRARY = `OpenSSL ${process.versions.openssl}`;

/** HAProxy's feature names in its own (alphabetical) order, and whether Sluice has what the name promises. */
export const FEATURES: readonly (readonly [name: string, on: boolean])[] = [
  ['51DEGREES', false],
  ['ACCEPT4', LINUX],
  ['BACKTRACE', true],
  ['CLOSEFROM', false],
  ['CPU_AFFINITY', LINUX],
  ['CRYPT_H', true],
  ['DEVICEATLAS', false],
  ['DL', false],
  ['ECH', false],
  ['ENGINE', false],
  ['EPOLL', LINUX],
  ['EVPORTS', false],
  ['GETADDRINFO', true],
  ['KQUEUE', DARWIN],
  ['KTLS', false],
  ['LIBATOMIC', false],
  ['LIBCRYPT', true],
  ['LINUX_CAP', LINUX],
  ['LINUX_SPLICE', false],
  ['LINUX_TPROXY', LINUX],
  ['LUA', false],
  ['MATH', true],
  ['MEMORY_PROFILING', false],
  ['NETFILTER', LINUX],
  ['NS', LINUX],
  ['OBSOLETE_LINKER', false],
  ['OPENSSL', true],
  ['OPENSSL_AWSLC', false],
  ['OPENSSL_WOLFSSL', false],
  ['OT', false],
  ['PCRE', false],
  ['PCRE2', false],
  ['PCRE2_JIT', false],
  ['PCRE_JIT', false],
  ['POLL', true],
  ['PRCTL', LINUX],
  ['PROCCTL', false],
  ['PROMEX', true],
  ['PTHREAD_EMULATION', false],
  ['QUIC', false],
  ['QUIC_OPENSSL_COMPAT', false],
  ['RT', false],
  ['SLZ', false],
  ['SSL', true],
  ['STATIC_PCRE', false],
  ['STATIC_PCRE2', false],
  ['SYSTEMD', true],
  ['TFO', LINUX],
  ['THREAD', true],
  ['THREAD_DUMP', false],
  ['TPROXY', LINUX],
  ['WURFL', false],
  ['ZLIB', true],
];

/** What `enabled()` may ask for (manual 2.4) and whether it is in use when nothing switches it off. */
export const RUNTIME_OPTIONS: readonly (readonly [name: string, on: boolean])[] = [
  ['POLL', true],
  ['EPOLL', LINUX],
  ['KQUEUE', DARWIN],
  ['EVPORTS', false],
  ['SPLICE', false],
  ['GETADDRINFO', true],
  ['REUSEPORT', LINUX],
  ['FAST-FORWARD', false],
  ['SERVER-SSL-VERIFY-NONE', false],
];

/** `+X -Y ...` as `-vv` prints it behind `Feature list : `. */
export function featureList(): string {
  return FEATURES.map(([name, on]) => (on ? '+' : '-') + name).join(' ');
}

/** A version as numbers that compare from left to right: major, minor, patch, 0 for a `-dev` one, its number. */
export type VersionNumbers = readonly [number, number, number, number, number];

const VERSION_SYNTAX = /^(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?(?:-dev(\d{0,6}))?(?:-\S*)?$/;

/** Reads `3`, `3.4`, `3.4.1`, `3.4-dev7` and what may follow a dash (`2.6.12-1+deb12u4`); null if it is none of these. */
export function parseVersion(text: string): VersionNumbers | null {
  const m = VERSION_SYNTAX.exec(text);
  if (m === null) return null;
  const [, major, minor, patch, dev] = m;
  return [Number(major), Number(minor ?? 0), Number(patch ?? 0), dev === undefined ? 1 : 0, Number(dev ?? 0)];
}

/** Negative, 0 or positive as `a` is older than, the same as or newer than `b`. */
export function compareVersions(a: VersionNumbers, b: VersionNumbers): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}
