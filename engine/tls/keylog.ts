/**
 * Secrets of a connection as they stand in an SSLKEYLOGFILE: `<label> <client random> <secret>`, in hexadecimal. Kept only
 * with `tune.ssl.keylog on`. OpenSSL calls back within a step of the handshake, which is one call: see verify.ts.
 */
import { callback, openssl, textAt } from './openssl.ts';

export type Secrets = ReadonlyMap<string, string>;

export const NO_SECRETS: Secrets = new Map();

let found: Map<string, string> | null = null;

/** What was said since the last call; null = nothing. */
export function takeSecrets(): Secrets | null {
  const result = found;
  found = null;
  return result;
}

let note: bigint | null = null;

export function keepSecrets(ctx: bigint): void {
  note ??= callback(['pointer', 'pointer'], (_ssl: bigint, line: bigint) => {
    const [label, , secret] = textAt(line).split(' ');
    found ??= new Map();
    found.set(label!, secret ?? '');
    return 0;
  });
  openssl.SSL_CTX_set_keylog_callback(ctx, note);
}
