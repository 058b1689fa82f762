/**
 * What a certificate says (RFC 5280 4.1), read where it lies in its DER:
 *
 *   certificate  { tbs { [0] version, serial, algorithm, issuer, { notBefore, notAfter }, subject, { { key algorithm } key },
 *                        [3] { extensions { id, critical?, octets } } }, algorithm, signature }
 *   name         { set { { id, value } ... } ... }
 */
import { dotted, type Element, elements, GENERALIZED_TIME, inside, OBJECT, OCTETS } from './der.ts';

const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

/** One part of a distinguished name: `CN=...`. */
interface NameEntry {
  /** In numbers and dots. */
  readonly id: string;
  /** As it is in the certificate, whatever kind of text that is. */
  readonly value: Uint8Array;
}

export interface Name {
  readonly der: Uint8Array;
  readonly entries: readonly NameEntry[];
}

export interface X509 {
  readonly der: Uint8Array;
  /** 1 to 3. */
  readonly version: number;
  /** Without leading zeros. */
  readonly serial: Uint8Array;
  /** Object identifiers of the algorithms of the signature and of the key. */
  readonly signature: string;
  readonly keyAlgorithm: string;
  /** The key alone, without its algorithm. */
  readonly publicKey: Uint8Array;
  /** `YYMMDDhhmmssZ`, in the century 20 (RFC 5280 4.1.2.5); `YYYYMMDDhhmmssZ` in others. */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly issuer: Name;
  readonly subject: Name;
  /** What the extension holds, by object identifier. */
  readonly extensions: ReadonlyMap<string, Uint8Array>;
}

/** Of a certificate that OpenSSL has read; null when it is none. */
export function readX509(der: Uint8Array): X509 | null {
  const [whole] = elements(der, 0, der.length);
  const [tbs, algorithm] = whole === undefined ? [] : inside(der, whole);
  if (tbs === undefined || algorithm === undefined) return null;
  const parts = inside(der, tbs);
  const version = parts[0]?.tag === VERSION ? parts.shift() : undefined;
  const [serial, , issuer, validity, subject, key] = parts;
  if (key === undefined) return null;
  const times = inside(der, validity!);
  const extensions = parts.find(({ tag }) => tag === EXTENSIONS);
  return {
    der,
    version: version === undefined ? 1 : der[version.end - 1]! + 1,
    serial: magnitude(der, serial!),
    signature: firstId(der, algorithm),
    keyAlgorithm: firstId(der, inside(der, key)[0]!),
    publicKey: bits(der, inside(der, key)[1]),
    notBefore: timeOf(der, times[0]),
    notAfter: timeOf(der, times[1]),
    issuer: nameOf(der, issuer!),
    subject: nameOf(der, subject!),
    extensions: extensions === undefined ? new Map() : extensionsOf(der, extensions),
  };
}

export function magnitude(der: Uint8Array, { start, end }: Element): Uint8Array {
  let at = start;
  while (at < end - 1 && der[at] === 0) at++;
  return der.subarray(at, end);
}

/** A bit string of whole bytes: how many bits are left over stands before it. */
function bits(der: Uint8Array, string: Element | undefined): Uint8Array {
  return string === undefined ? new Uint8Array(0) : der.subarray(string.start + 1, string.end);
}

function firstId(der: Uint8Array, parent: Element): string {
  const id = inside(der, parent)[0];
  return id?.tag === OBJECT ? dotted(der, id) : '';
}

export function timeOf(der: Uint8Array, time: Element | undefined): string {
  if (time === undefined) return '';
  const text = Buffer.from(der.buffer, der.byteOffset + time.start, time.end - time.start).toString('latin1');
  return time.tag === GENERALIZED_TIME && text.startsWith('20') ? text.slice(2) : text;
}

export function nameOf(der: Uint8Array, name: Element): Name {
  const pairs = inside(der, name).flatMap(set => inside(der, set));
  const entries = pairs.flatMap(pair => {
    const [id, value] = inside(der, pair);
    return value === undefined ? [] : [{ id: dotted(der, id!), value: der.subarray(value.start, value.end) }];
  });
  return { der: der.subarray(name.at, name.end), entries };
}

function extensionsOf(der: Uint8Array, parent: Element): Map<string, Uint8Array> {
  const list = inside(der, parent).flatMap(sequence => inside(der, sequence));
  return new Map(
    list.flatMap(extension => {
      const [id, ...rest] = inside(der, extension);
      const octets = rest.find(({ tag }) => tag === OCTETS);
      return octets === undefined ? [] : [[dotted(der, id!), der.subarray(octets.start, octets.end)] as const];
    }),
  );
}

/** The object identifiers of `certificatePolicies` (RFC 5280 4.2.1.4). */
export function policiesOf({ extensions }: X509): string[] {
  const der = extensions.get('2.5.29.32');
  if (der === undefined) return [];
  return elements(der, 0, der.length)
    .flatMap(list => inside(der, list))
    .map(policy => firstId(der, policy));
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Sep  3 21:20:24 2019 GMT`, as openssl(1) writes times. */
export function timeText(time: string): string {
  const { year, parts } = split(time);
  const [month, day, hour, minute, second] = parts;
  return `${MONTHS[Number(month) - 1]} ${String(Number(day)).padStart(2)} ${hour}:${minute}:${second} ${year} GMT`;
}

/** Milliseconds since 1970. */
export function timeMs(time: string): number {
  const { year, parts } = split(time);
  const [month, day, hour, minute, second] = parts.map(Number) as [number, number, number, number, number];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** Two digits of a year: before 50 they are of this century. */
function split(time: string): { year: number; parts: string[] } {
  const digits = time.replace(/\D/g, '');
  const long = digits.length >= 14;
  const year = Number(digits.slice(0, long ? 4 : 2));
  const parts = digits.slice(long ? 4 : 2).match(/../g) ?? [];
  return { year: long ? year : year + (year < 50 ? 2000 : 1900), parts };
}
