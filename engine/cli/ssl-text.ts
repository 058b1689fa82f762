/** Certificates and revocation lists as the runtime API describes them. */
import { createHash } from 'node:crypto';
import type { Certificate } from '../config/tls-model.ts';
import { alternativeNames, keyText, oneLine, shortName } from '../tls/names.ts';
import { responseText } from '../tls/ocsp.ts';
import { readRevocationList } from '../tls/revocations.ts';
import { type Name, readX509, timeText, type X509 } from '../tls/x509.ts';

const utf8 = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase();
const line = (name: Name): string => utf8(oneLine(name));

function describe(x509: X509): string[] {
  return [
    `Serial: ${hex(x509.serial)}`,
    `notBefore: ${timeText(x509.notBefore)}`,
    `notAfter: ${timeText(x509.notAfter)}`,
    `Subject Alternative Name: ${utf8(alternativeNames(x509))}`,
    `Algorithm: ${keyText(x509.der)}`,
    `SHA1 FingerPrint: ${hex(createHash('sha1').update(x509.der).digest())}`,
    `Subject: ${line(x509.subject)}`,
    `Issuer: ${line(x509.issuer)}`,
  ];
}

export function certificateLines(leaf: Uint8Array, chain: readonly Uint8Array[]): string[] {
  const [own, ...links] = [leaf, ...chain].map(der => readX509(der));
  const linked = links.filter(link => link !== null);
  return [
    ...(own === null || own === undefined ? [] : describe(own)),
    ...linked.flatMap(({ subject, issuer }) => [`Chain Subject: ${line(subject)}`, `Chain Issuer: ${line(issuer)}`]),
  ];
}

/** By what an OCSP response is known: the CertID (RFC 6960 4.1.1) of a certificate. */
export interface OcspId {
  /** All of it, in hexadecimal. */
  readonly key: string;
  readonly nameHash: string;
  readonly keyHash: string;
  readonly serial: string;
}

/**
 * That of `leaf`, which `issuer` has signed; null = one of them is not understood.
 *
 *   30 l { { sha1 } 04 14 hash of the issuer's name 04 14 hash of its key 02 l serial }
 */
export function ocspId(leaf: Uint8Array, issuer: Uint8Array): OcspId | null {
  const [own, above] = [readX509(leaf), readX509(issuer)];
  if (own === null || above === null) return null;
  const sha1 = (bytes: Uint8Array): Buffer => createHash('sha1').update(bytes).digest();
  const [nameHash, keyHash] = [sha1(own.issuer.der), sha1(above.publicKey)];
  const serial = own.serial[0]! >= 0x80 ? Buffer.concat([Uint8Array.of(0), own.serial]) : own.serial;
  const parts = [
    ...[Buffer.from('300906052b0e03021a05000414', 'hex'), nameHash],
    ...[Uint8Array.of(4, 20), keyHash, Uint8Array.of(2, serial.length), serial],
  ];
  const content = Buffer.concat(parts);
  const key = Buffer.concat([Uint8Array.of(0x30, content.length), content]).toString('hex');
  return { key, nameHash: hex(nameHash), keyHash: hex(keyHash), serial: hex(own.serial) };
}

/** The same of a certificate as it is known: its issuer stands beside it, or next in its chain. */
export function ocspIdOf({ leaf, chain, issuer }: Pick<Certificate, 'leaf' | 'chain' | 'issuer'>): OcspId | null {
  const above = issuer ?? chain[0] ?? null;
  return above === null ? null : ocspId(leaf, above);
}

/** An answer ends at an empty line. */
export function responseLines(der: Uint8Array): string {
  return responseText(der).trimEnd().replace(/^$/gm, ' ');
}

/** The certificate that is the `number`th of a `ca-file`. */
export function authorityLines(der: Uint8Array, number: number): string[] {
  const x509 = readX509(der);
  return x509 === null ? [] : [' ', `Certificate #${number}:`, ...describe(x509)];
}

/** The `number`th list of a `crl-file`. */
export function revocationLines(der: Uint8Array, number: number): string[] {
  const list = readRevocationList(der);
  if (list === null) return [];
  const revoked = list.revoked.flatMap(({ serial, date }) => [
    `    Serial Number: ${hex(serial)}`,
    `        Revocation Date: ${timeText(date)}`,
  ]);
  return [
    ' ',
    `Certificate Revocation List #${number}:`,
    `Version ${list.version}`,
    `Signature Algorithm: ${shortName(list.signature)}`,
    `Issuer: ${line(list.issuer)}`,
    `Last Update: ${list.lastUpdate === '' ? 'NONE' : timeText(list.lastUpdate)}`,
    `Next Update: ${list.nextUpdate === '' ? 'NONE' : timeText(list.nextUpdate)}`,
    ...(revoked.length === 0 ? ['No Revoked Certificates.'] : ['Revoked Certificates:', ...revoked]),
  ];
}
