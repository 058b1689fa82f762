/** PKCS #12 bundles (RFC 7292): a certificate, its key and its issuers in one file, as PEM. */
import { createPrivateKey } from 'node:crypto';
import { reason } from './errors.ts';
import { pkcs12Of } from './objects.ts';
import { openssl, pointerTo } from './openssl.ts';

/** Where OpenSSL puts the key, the certificate and the stack of issuers. */
const found = new BigUint64Array(3);
const cursor = new BigUint64Array(1);
const cursorAt = pointerTo(cursor.buffer);

/** @throws Error when it is no such bundle, has another password, or has no certificate and key */
export function pemOfPkcs12(bundle: Uint8Array, password: string): string {
  const pkcs12 = pkcs12Of(bundle);
  found.fill(0n);
  const at = pointerTo(found.buffer);
  const done = openssl.PKCS12_parse(pkcs12, password, at, at + 8n, at + 16n);
  openssl.PKCS12_free(pkcs12);
  if (done !== 1) throw new Error(`PKCS #12: ${reason('not understood')}`);
  const [key, certificate, issuers] = found as unknown as readonly [bigint, bigint, bigint];
  const stack = Array.from({ length: issuers === 0n ? 0 : openssl.OPENSSL_sk_num(issuers) }, (_, i) =>
    openssl.OPENSSL_sk_value(issuers, i),
  );
  try {
    if (key === 0n || certificate === 0n) throw new Error('PKCS #12: it has no certificate and key');
    const certificates = [certificate, ...stack].map(x509 => pem('CERTIFICATE', derOf(openssl.i2d_X509, x509)));
    const der = Buffer.from(derOf(openssl.i2d_PrivateKey, key));
    return certificates.join('') + keyPem(der);
  } finally {
    for (const x509 of [certificate, ...stack]) if (x509 !== 0n) openssl.X509_free(x509);
    if (issuers !== 0n) openssl.OPENSSL_sk_free(issuers);
    if (key !== 0n) openssl.EVP_PKEY_free(key);
  }
}

/** `i2d_...` tells the length, then writes through a pointer to a pointer. */
function derOf(write: (object: bigint, into: bigint) => number, object: bigint): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, write(object, 0n)));
  cursor[0] = pointerTo(bytes);
  write(object, cursorAt);
  return bytes;
}

/** What `i2d_PrivateKey` writes is PKCS #1, SEC 1 or PKCS #8, as the key is. */
function keyPem(der: Buffer): string {
  for (const type of ['pkcs1', 'sec1', 'pkcs8'] as const) {
    try {
      return String(createPrivateKey({ key: der, format: 'der', type }).export({ format: 'pem', type: 'pkcs8' }));
    } catch {
      // another one
    }
  }
  throw new Error('PKCS #12: its key is of no known kind');
}

const LINE = 64;

function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
