/** Names in certificates as text: HAProxy's one-line form, RFC 2253, alternative names. */
import { X509Certificate } from 'node:crypto';
import type { TlsConnection } from './connection.ts';
import { elements } from './der.ts';
import { BIO, openssl, pointerTo, textAt, view } from './openssl.ts';
import type { Name, X509 } from './x509.ts';

const known = new Map<string, string>();

/** OpenSSL's short name of an object identifier: `CN`, `rsaEncryption`; '' = it has none. */
export function shortName(id: string): string {
  let name = known.get(id);
  if (name === undefined) {
    const nid = openssl.OBJ_txt2nid(id);
    name = nid === 0 ? '' : textAt(openssl.OBJ_nid2sn(nid));
    openssl.ERR_clear_error();
    if (known.size < KNOWN_MAX) known.set(id, name);
  }
  return name;
}

/** OpenSSL's long name of an object identifier: `sha256WithRSAEncryption`; '' = it has none. */
export function longName(id: string): string {
  const nid = openssl.OBJ_txt2nid(id);
  const name = nid === 0 ? '' : textAt(openssl.OBJ_nid2ln(nid));
  openssl.ERR_clear_error();
  return name;
}

/** Identifiers come from peers. */
const KNOWN_MAX = 1000;

/** What part of a name is called: its identifier when OpenSSL has no name for it. */
function labelOf(id: string): string {
  return shortName(id) || id;
}

/** `/C=FR/O=Example/CN=site`: values are not escaped in any way. */
export function oneLine({ entries }: Name): Uint8Array {
  return Buffer.concat(entries.flatMap(({ id, value }) => [Buffer.from(`/${labelOf(id)}=`, 'latin1'), value]));
}

/** The value of the `occurrence`th entry of that name, from the end where it is negative; null = there is none. */
export function entryOf({ entries }: Name, name: string, occurrence: number): Uint8Array | null {
  const wanted = name.toLowerCase();
  const found = entries.filter(({ id }) => labelOf(id).toLowerCase() === wanted);
  const at = occurrence < 0 ? occurrence : occurrence - 1;
  return occurrence === 0 ? null : (found.at(at)?.value ?? null);
}

/** XN_FLAG_RFC2253 (openssl/x509.h). */
const RFC2253 = 0x1110317n;

/** `CN=site,O=Example,C=FR`. */
export function rfc2253({ der }: Name): Uint8Array {
  cursor[0] = pointerTo(der);
  const name = openssl.d2i_X509_NAME(0n, cursorAt, BigInt(der.length));
  if (name === 0n) return NOTHING;
  const text = printed(bio => openssl.X509_NAME_print_ex(bio, name, 0, RFC2253));
  openssl.X509_NAME_free(name);
  return text;
}

/** `DNS:site, IP Address:127.0.0.1`; '' = it has none. */
export function alternativeNames({ extensions }: X509): Uint8Array {
  const der = extensions.get('2.5.29.17');
  if (der === undefined) return NOTHING;
  const [list] = elements(der, 0, der.length);
  const texts = elements(der, list!.start, list!.end).map(({ at, end }) => {
    const bytes = der.slice(at, end);
    cursor[0] = pointerTo(bytes);
    const name = openssl.d2i_GENERAL_NAME(0n, cursorAt, BigInt(bytes.length));
    const text = name === 0n ? NOTHING : printed(bio => openssl.GENERAL_NAME_print(bio, name));
    openssl.GENERAL_NAME_free(name);
    return text;
  });
  openssl.ERR_clear_error();
  return Buffer.concat(texts.flatMap((text, i) => (i === 0 ? [text] : [SEPARATOR, text])));
}

const NOTHING = new Uint8Array(0);
const SEPARATOR = Buffer.from(', ');

/** `d2i_...` reads through a pointer to a pointer. */
const cursor = new BigUint64Array(1);
const cursorAt = pointerTo(cursor.buffer);

/** What is printed into a BIO. */
export function printed(print: (bio: bigint) => void): Uint8Array {
  const bio = openssl.BIO_new(openssl.BIO_s_mem());
  print(bio);
  const length = Number(openssl.BIO_ctrl(bio, BIO.info, 0n, cursorAt));
  const text = length <= 0 ? NOTHING : new Uint8Array(view(cursor[0]!, length)).slice();
  openssl.BIO_free(bio);
  return text;
}

/** OpenSSL's name of the cipher with that 16-bit number, for connections like `tls`. */
export function cipherName({ pointer }: TlsConnection, number: Uint8Array): string {
  const cipher = openssl.SSL_CIPHER_find(pointer, pointerTo(number));
  if (cipher !== 0n) return textAt(openssl.SSL_CIPHER_get_name(cipher));
  return `UNKNOWN(${Buffer.from(number).toString('hex')})`;
}

const CURVE_BITS: Readonly<Record<string, number>> = { prime256v1: 256, secp384r1: 384, secp521r1: 521 };
const keys = new WeakMap<Uint8Array, string>();

/** Kind and bits of the key in a certificate: `RSA2048`, `EC256`. */
export function keyText(der: Uint8Array): string {
  let text = keys.get(der);
  if (text === undefined) {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = new X509Certificate(der).publicKey;
    const isEc = type === 'ec';
    const bits = isEc ? CURVE_BITS[details?.namedCurve ?? ''] : details?.modulusLength;
    text = `${isEc ? 'EC' : (type ?? '').toUpperCase().replace('-PSS', '')}${bits ?? ''}`;
    keys.set(der, text);
  }
  return text;
}
