/** What becomes of the chain of a certificate before it is sent. */
import { X509Certificate } from 'node:crypto';
import type { Certificate } from '../config/tls-model.ts';

/** A certificate without a chain gets the one that begins with its issuer (`issuers-chain-path`). */
export function withChain(certificate: Certificate, chains: readonly (readonly Uint8Array[])[]): Certificate {
  if (certificate.chain.length > 0) return certificate;
  const leaf = new X509Certificate(certificate.leaf);
  const found = chains.find(([issuer]) => issuer !== undefined && leaf.checkIssued(new X509Certificate(issuer)));
  return found === undefined ? certificate : { ...certificate, chain: found };
}

/** Who checks a chain must have its root already (`ssl-skip-self-issued-ca`). */
export function withoutRoot(certificate: Certificate): Certificate {
  const chain = certificate.chain.filter(der => {
    const x509 = new X509Certificate(der);
    return !x509.checkIssued(x509);
  });
  return { ...certificate, chain };
}
