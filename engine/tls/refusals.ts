/** Why nobody is shown a certificate (`strict-sni`): what OpenSSL would say, had it been asked. */
import { latin1 } from '../http/chars.ts';
import type { TlsError } from './errors.ts';
import { type Hello, NO_HELLO } from './hello.ts';

const REFUSED_NAME: TlsError = { code: 0x0a0000ea, text: 'callback failed' };
const WRONG_VERSION: TlsError = { code: 0x0a00010b, text: 'wrong version number' };
const HTTP: TlsError = { code: 0x0a00009c, text: 'http request' };
const PROXY: TlsError = { code: 0x0a00009b, text: 'https proxy request' };

/** What a connection begins with that is no TLS. */
const BEGINNINGS: readonly (readonly [Uint8Array, TlsError])[] = [
  ...['GET ', 'POST ', 'HEAD ', 'PUT '].map(method => [latin1(method), HTTP] as const),
  [latin1('CONNE'), PROXY],
];

/** `bytes[start, ...)` were read as `hello`. */
export function refusalOf(hello: Hello, bytes: Uint8Array, start: number): TlsError {
  if (hello !== NO_HELLO) return REFUSED_NAME;
  const known = BEGINNINGS.find(([begin]) => begin.every((byte, i) => bytes[start + i] === byte));
  return known?.[1] ?? WRONG_VERSION;
}
