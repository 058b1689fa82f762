/**
 * The providers of algorithms that OpenSSL has loaded. There is one OpenSSL in the process: what is loaded is there for all
 * threads, Node's own cryptography included, and for as long as the process lives.
 */
import type { Diagnostics } from '../config/diagnostics.ts';
import type { GlobalTlsDraft, ProviderDraft } from '../config/tls-draft.ts';
import { reason } from './errors.ts';
import { callback, openssl, pointerTo, textAt } from './openssl.ts';

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

/** `ssl-propquery` as it is in force. */
let properties = '';

/**
 * Loads what the configuration names, and has algorithms chosen as it says; what OpenSSL has against it is reported.
 * @returns has them chosen as before, for a configuration that is not used
 */
export function useProviders(tls: GlobalTlsDraft, diagnostics: Diagnostics): () => void {
  for (const provider of tls.providers) load(provider, diagnostics);
  const before = properties;
  const query = tls.properties?.text ?? '';
  if (query !== before && !choose(query)) {
    diagnostics.report(
      'alert',
      tls.properties,
      `'ssl-propquery' : '${query}' is refused: ${reason('not understood')}.`,
    );
  }
  return () => {
    if (properties !== before) choose(before);
  };
}

function load({ name, folder, ...place }: ProviderDraft, diagnostics: Diagnostics): void {
  if (providers().includes(name)) return;
  const path = folder === null ? null : Buffer.from(`${folder}\0`);
  openssl.OSSL_PROVIDER_set_default_search_path(0n, path === null ? 0n : pointerTo(path));
  if (openssl.OSSL_PROVIDER_load(0n, name) !== 0n) return;
  const why = reason('it does not work');
  // Node's OpenSSL was built to look in a folder that only its makers have.
  const hint = folder === null ? "'ssl-provider-path' says where it is." : null;
  diagnostics.report('alert', place, `ssl-provider ${name}: unknown provider: ${why}.`, hint);
}

function choose(query: string): boolean {
  if (openssl.EVP_set_default_properties(0n, query) !== 1) return false;
  properties = query;
  return true;
}
