/** OCSP stapling (RFC 6066 8): the response that stands beside a certificate goes out with it. */
import type { TlsConnection } from './connection.ts';
import { CTRL, openssl, view } from './openssl.ts';

/** Gives OpenSSL the response of the connection's certificate, if there is one: it takes over the memory. */
export function staple(tls: TlsConnection): void {
  const response = tls.context.certificate?.ocsp ?? null;
  if (response === null) return;
  const memory = openssl.CRYPTO_malloc(response.length, '', 0);
  if (memory === 0n) return;
  new Uint8Array(view(memory, response.length)).set(response);
  openssl.SSL_ctrl(tls.pointer, CTRL.statusResponse, BigInt(response.length), memory);
}
