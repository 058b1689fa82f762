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

/** The DER of an X509. */
export function derOf(x509: bigint): Uint8Array {
  const der = new Uint8Array(openssl.i2d_X509(x509, 0n));
  cursor[0] = pointerTo(der);
  openssl.i2d_X509(x509, cursorAt);
  return der;
}

/** An EVP_PKEY; `EVP_PKEY_free` it. */
export function keyOf(der: Uint8Array): bigint {
  return read(openssl.d2i_AutoPrivateKey, der, 'private key');
}

/** How long a key is. */
export function keyBits(der: Uint8Array): number {
  const pkey = keyOf(der);
  const bits = openssl.EVP_PKEY_get_bits(pkey);
  openssl.EVP_PKEY_free(pkey);
  return bits;
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

/** Bits of the groups of RFC 7919. */
const DH_GROUPS = [8192, 6144, 4096, 3072, 2048] as const;

/** An EVP_PKEY with the parameters of the largest of those groups that has no more than `bits`, or of the smallest. */
export function dhGroup(bits: number): bigint {
  const group = DH_GROUPS.find(size => size <= bits) ?? 2048;
  const context = openssl.EVP_PKEY_CTX_new_from_name(0n, 'DH', 0n);
  cursor[0] = 0n;
  openssl.EVP_PKEY_paramgen_init(context);
  openssl.EVP_PKEY_CTX_set_group_name(context, `ffdhe${group}`);
  openssl.EVP_PKEY_paramgen(context, cursorAt);
  openssl.EVP_PKEY_CTX_free(context);
  return cursor[0];
}
