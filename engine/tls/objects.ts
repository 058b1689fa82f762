/** Native objects out of bytes. Who asks for one frees it, at the end of the same function. */
import { reason } from './errors.ts';
import { openssl, pointerTo } from './openssl.ts';

/** `d2i_...` reads through a pointer to a pointer, which it moves on. */
const cursor = new BigUint64Array(1);
const cursorAt = pointerTo(cursor.buffer);

type Read = (into: bigint, from: bigint, bytes: bigint) => bigint;

function read(call: Read, der: Uint8Array, what: string): bigint {
  cursor[0] = pointerTo(der);
  const object = call(0n, cursorAt, BigInt(der.length));
  if (object === 0n) throw new Error(`tls: ${what}: ${reason('not understood')}`);
  return object;
}

/** An X509; `X509_free` it. */
export function certificateOf(der: Uint8Array): bigint {
  return read(openssl.d2i_X509, der, 'certificate');
}

/** An EVP_PKEY; `EVP_PKEY_free` it. */
export function keyOf(der: Uint8Array): bigint {
  return read(openssl.d2i_AutoPrivateKey, der, 'private key');
}

/** An X509_CRL; `X509_CRL_free` it. */
export function revocationsOf(der: Uint8Array): bigint {
  return read(openssl.d2i_X509_CRL, der, 'revocation list');
}

/** A PKCS12; `PKCS12_free` it. */
export function pkcs12Of(der: Uint8Array): bigint {
  return read(openssl.d2i_PKCS12, der, 'PKCS #12');
}

/** An EVP_PKEY with Diffie-Hellman parameters out of PEM; 0 when there are none. */
export function dhOf(pem: Uint8Array): bigint {
  const bio = openssl.BIO_new_mem_buf(pointerTo(pem), pem.length);
  const pkey = openssl.PEM_read_bio_Parameters(bio, 0n);
  openssl.BIO_free(bio);
  return pkey;
}
