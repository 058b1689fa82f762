/**
 * Certificates made for names that clients ask for and that no certificate is for (`generate-certificates`), signed by an
 * authority of ours. All have the key of the certificate that such clients would be shown without this.
 *
 *   Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature }        RFC 5280 4.1
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { Certificate, Signer } from '../config/tls-model.ts';
import { wallMs } from '../time.ts';

/** DER (X.690): tag, length, content. */
const SEQUENCE = 0x30;
const SET = 0x31;
const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTETS = 0x04;
const OBJECT = 0x06;
const UTF8 = 0x0c;
const UTC_TIME = 0x17;
const GENERAL_TIME = 0x18;
/** `[0]` and `[3]`, explicit; `[2]`, implicit: a DNS name. */
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const DNS_NAME = 0x82;

function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const n = content.length;
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 255];
  return Buffer.concat([Uint8Array.of(tag, ...length), content]);
}

const object = (...bytes: readonly number[]): Uint8Array => element(OBJECT, Uint8Array.from(bytes));

const NULL = Uint8Array.of(5, 0);
const TRUE = element(BOOLEAN, Uint8Array.of(0xff));
const COMMON_NAME = object(0x55, 4, 3);
const ALTERNATIVE_NAME = object(0x55, 29, 17);
const BASIC_CONSTRAINTS = object(0x55, 29, 19);
const KEY_PURPOSES = object(0x55, 29, 37);
const SERVER_PURPOSE = object(0x2b, 6, 1, 5, 5, 7, 3, 1);
/** sha256WithRSAEncryption, ecdsa-with-SHA256. */
const SIGNED_WITH_RSA = element(SEQUENCE, object(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11), NULL);
const SIGNED_WITH_ECDSA = element(SEQUENCE, object(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2));

const DAY_MS = 86_400_000;
const VALID_DAYS = 365;
const SERIAL_BYTES = 16;
/** ub-common-name (RFC 5280 A.1). */
const COMMON_NAME_MAX = 64;
/** A client may send anything: only what can be the name of a host goes into a certificate. */
const HOST_NAME = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;
const HOST_NAME_MAX = 253;

export class Forge {
  readonly #key: KeyObject;
  /** The subject of the authority. */
  readonly #issuer: Uint8Array;

  constructor({ certificate, key }: Signer) {
    this.#key = createPrivateKey({ key: Buffer.from(key), format: 'der', type: 'pkcs8' });
    this.#issuer = subjectOf(certificate);
  }

  /** A certificate for `name`, lower case, with the key of `like`; null when that cannot be the name of a host. */
  make(name: string, like: Certificate): Certificate | null {
    if (name.length > HOST_NAME_MAX || !HOST_NAME.test(name)) return null;
    const leaf = signed(name, this.#issuer, subject(name, this.#issuer), publicKeyOf(like), this.#key);
    // `like` has a response, a chain and an issuer of its own.
    return {
      ...like,
      name: `${name} (made)`,
      leaf,
      chain: [],
      names: [name],
      ocsp: null,
      issuer: null,
      sctl: null,
      ocspUpdate: false,
    };
  }
}

/** The certificate that a key, RSA or ECDSA, signs for itself (`generate-dummy`). */
export function selfSigned(name: string, key: KeyObject): Uint8Array {
  const own = subject(name, element(SEQUENCE));
  return signed(name, own, own, createPublicKey(key).export({ type: 'spki', format: 'der' }), key);
}

function signed(
  name: string,
  issuer: Uint8Array,
  subject: Uint8Array,
  publicKey: Uint8Array,
  key: KeyObject,
): Uint8Array {
  const algorithm = key.asymmetricKeyType === 'rsa' ? SIGNED_WITH_RSA : SIGNED_WITH_ECDSA;
  const now = wallMs();
  const body = element(
    SEQUENCE,
    element(VERSION, element(INTEGER, Uint8Array.of(2))),
    element(INTEGER, serial()),
    algorithm,
    issuer,
    element(SEQUENCE, time(now - DAY_MS), time(now + VALID_DAYS * DAY_MS)),
    subject,
    publicKey,
    element(EXTENSIONS, extensions(name)),
  );
  return element(SEQUENCE, body, algorithm, element(BIT_STRING, Uint8Array.of(0), sign('sha256', body, key)));
}

/** Positive, and not guessable. */
function serial(): Uint8Array {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes;
}

/** RFC 5280 4.1.2.5: two digits of the year until 2049. */
function time(ms: number): Uint8Array {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  const short = text < '2050';
  return element(short ? UTC_TIME : GENERAL_TIME, Buffer.from(short ? text.slice(2) : text));
}

/** As with HAProxy: that of the authority, and the name below it. */
function subject(name: string, issuer: Uint8Array): Uint8Array {
  if (name.length > COMMON_NAME_MAX) return element(SEQUENCE);
  const { start, end } = spanAt(issuer, 0);
  const own = element(SET, element(SEQUENCE, COMMON_NAME, element(UTF8, Buffer.from(name))));
  return element(SEQUENCE, issuer.subarray(start, end), own);
}

function extensions(name: string): Uint8Array {
  const names = element(OCTETS, element(SEQUENCE, element(DNS_NAME, Buffer.from(name))));
  // Critical where there is no other name.
  const critical = name.length > COMMON_NAME_MAX ? [TRUE] : [];
  return element(
    SEQUENCE,
    element(SEQUENCE, BASIC_CONSTRAINTS, TRUE, element(OCTETS, element(SEQUENCE))),
    element(SEQUENCE, KEY_PURPOSES, element(OCTETS, element(SEQUENCE, SERVER_PURPOSE))),
    element(SEQUENCE, ALTERNATIVE_NAME, ...critical, names),
  );
}

const publicKeys = new WeakMap<Certificate, Uint8Array>();

/** SubjectPublicKeyInfo. */
function publicKeyOf(certificate: Certificate): Uint8Array {
  let known = publicKeys.get(certificate);
  if (known === undefined) {
    const key = createPrivateKey({ key: Buffer.from(certificate.key), format: 'der', type: 'pkcs8' });
    known = createPublicKey(key).export({ type: 'spki', format: 'der' });
    publicKeys.set(certificate, known);
  }
  return known;
}

/** Where the element at `at` has its content, and where it ends. */
function spanAt(der: Uint8Array, at: number): { start: number; end: number } {
  const first = der[at + 1]!;
  const size = first < 0x80 ? 0 : first & 0x7f;
  let length = size === 0 ? first : 0;
  for (let i = 0; i < size; i++) length = length * 256 + der[at + 2 + i]!;
  const start = at + 2 + size;
  return { start, end: start + length };
}

/** The subject of a certificate that OpenSSL has read: the sixth part of its body, the fifth when no version is written. */
function subjectOf(certificate: Uint8Array): Uint8Array {
  let at = spanAt(certificate, spanAt(certificate, 0).start).start;
  const before = certificate[at] === VERSION ? 5 : 4;
  for (let i = 0; i < before; i++) at = spanAt(certificate, at).end;
  return certificate.slice(at, spanAt(certificate, at).end);
}
