/**
 * What OpenSSL finds wrong with the certificates of a client, and which of it does not end the handshake (`ca-ignore-err`,
 * `crt-ignore-err`). A handshake is one call, within which OpenSSL calls back here: what it found stands in `found`.
 */
import type { BindSettings, IgnoredErrors } from '../config/tls-model.ts';
import { derOf } from './objects.ts';
import { callback, openssl, X509_OK } from './openssl.ts';

/** X509_V_ERR numbers; 0 = no error. */
export interface Verified {
  /** The first error of the client's own certificate. */
  readonly own: number;
  /** The first error of those above it, and how far above. */
  readonly authority: number;
  readonly depth: number;
  /** The client's own certificate, DER, when it was refused: OpenSSL does not keep it, and log lines tell of it. */
  readonly refused: Uint8Array | null;
}

export const ALL_GOOD: Verified = { own: X509_OK, authority: X509_OK, depth: 0, refused: null };

let found = ALL_GOOD;

/** What was found since the last call. */
export function takeVerified(): Verified {
  const result = found;
  found = ALL_GOOD;
  return result;
}

const callbacks = new Map<string, bigint>();

/** The callback of `SSL_CTX_set_verify`, one per set of tolerated errors and thread. */
export function verifyCallback({ caIgnore, crtIgnore }: Pick<BindSettings, 'caIgnore' | 'crtIgnore'>): bigint {
  const key = `${caIgnore}/${crtIgnore}`;
  const known = callbacks.get(key);
  if (known !== undefined) return known;
  const made = callback(['i32', 'pointer'], (good: number, store: bigint) => {
    if (good === 1) return 1;
    const error = openssl.X509_STORE_CTX_get_error(store);
    const depth = openssl.X509_STORE_CTX_get_error_depth(store);
    note(error, depth);
    if (ignores(depth === 0 ? crtIgnore : caIgnore, error)) return 1;
    found = { ...found, refused: derOf(openssl.X509_STORE_CTX_get0_cert(store)) };
    return 0;
  });
  callbacks.set(key, made);
  return made;
}

function note(error: number, depth: number): void {
  if (depth === 0 && found.own === X509_OK) found = { ...found, own: error };
  else if (depth > 0 && found.authority === X509_OK) found = { ...found, authority: error, depth };
}

function ignores(errors: IgnoredErrors, error: number): boolean {
  return errors === 'all' || errors.includes(error);
}
