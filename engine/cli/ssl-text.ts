/** Certificates and revocation lists as the runtime API describes them. */
import { createHash } from 'node:crypto';
import { alternativeNames, keyText, longName, oneLine } from '../tls/names.ts';
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
    `Signature Algorithm: ${longName(list.signature)}`,
    `Issuer: ${line(list.issuer)}`,
    `Last Update: ${list.lastUpdate === '' ? 'NONE' : timeText(list.lastUpdate)}`,
    `Next Update: ${list.nextUpdate === '' ? 'NONE' : timeText(list.nextUpdate)}`,
    ...(revoked.length === 0 ? ['No Revoked Certificates.'] : ['Revoked Certificates:', ...revoked]),
  ];
}
