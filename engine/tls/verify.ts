/** `ca-ignore-err`, `crt-ignore-err`: which errors of a client's certificate do not end its handshake. */
import type { BindSettings, IgnoredErrors } from '../config/tls-model.ts';
import { callback, openssl } from './openssl.ts';

const callbacks = new Map<string, bigint>();

/** The callback of `SSL_CTX_set_verify`; 0 = OpenSSL decides. */
export function verifyCallback({ caIgnore, crtIgnore }: Pick<BindSettings, 'caIgnore' | 'crtIgnore'>): bigint {
  if (caIgnore.length === 0 && crtIgnore.length === 0) return 0n;
  const key = `${caIgnore}/${crtIgnore}`;
  const known = callbacks.get(key);
  if (known !== undefined) return known;
  const made = callback(['i32', 'pointer'], (good: number, store: bigint) => {
    if (good === 1) return 1;
    const error = openssl.X509_STORE_CTX_get_error(store);
    const own = openssl.X509_STORE_CTX_get_error_depth(store) === 0;
    return ignores(own ? crtIgnore : caIgnore, error) ? 1 : 0;
  });
  callbacks.set(key, made);
  return made;
}

function ignores(errors: IgnoredErrors, error: number): boolean {
  return errors === 'all' || errors.includes(error);
}
