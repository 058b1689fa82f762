/** The providers of algorithms that OpenSSL has loaded. */
import { callback, openssl, textAt } from './openssl.ts';

const found: string[] = [];
let note: bigint | null = null;

export function providers(): readonly string[] {
  note ??= callback(['pointer', 'pointer'], (provider: bigint) => {
    found.push(textAt(openssl.OSSL_PROVIDER_get0_name(provider)));
    return 1;
  });
  found.length = 0;
  openssl.OSSL_PROVIDER_do_all(0n, note, 0n);
  return [...found];
}
