/** What went wrong, out of OpenSSL's error queue: one per thread, first reason first. */
import { openssl, textAt } from './openssl.ts';

/** A reason: OpenSSL's number and its words, as in `openssl errstr`. */
export interface TlsError {
  /** Packed library and reason, 32 bits. */
  readonly code: number;
  readonly text: string;
}

const LIBRARY_SHIFT = 23;
const SYSTEM = 0x80000000;

/** The first error in the queue, which is empty afterwards; null when there was none. */
export function takeError(): TlsError | null {
  const code = openssl.ERR_get_error();
  if (code === 0n) return null;
  openssl.ERR_clear_error();
  const text = textAt(openssl.ERR_reason_error_string(code));
  return { code: Number(code & 0xffffffffn), text: text === '' ? `error ${code.toString(16)}` : text };
}

/** The reason of the call that has just failed, in words. */
export function reason(fallback: string): string {
  return takeError()?.text ?? fallback;
}

/** `error:0A000412:SSL routines::sslv3 alert bad certificate`, as OpenSSL writes it. */
export function errorLine({ code, text }: TlsError): string {
  const library = code >= SYSTEM ? 'system library' : (LIBRARIES[code >>> LIBRARY_SHIFT] ?? 'lib');
  return `error:${code.toString(16).toUpperCase().padStart(8, '0')}:${library}::${text}`;
}

/** ERR_LIB_...: those that TLS meets. */
const LIBRARIES: Readonly<Record<number, string>> = {
  3: 'bignum routines',
  4: 'rsa routines',
  6: 'digital envelope routines',
  9: 'PEM routines',
  11: 'x509 certificate routines',
  13: 'asn1 encoding routines',
  16: 'elliptic curve routines',
  20: 'SSL routines',
  32: 'BIO routines',
};
