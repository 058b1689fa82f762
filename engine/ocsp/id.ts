/** What an OCSP response is about (RFC 6960 4.1.1). */
import { createHash } from 'node:crypto';
import type { Certificate } from '../config/tls-model.ts';
import { readX509 } from '../tls/x509.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase();

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
function ocspId(leaf: Uint8Array, issuer: Uint8Array): OcspId | null {
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
