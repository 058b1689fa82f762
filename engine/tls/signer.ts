/** The authority of `ca-sign-file`: a certificate and its key, which may be encrypted. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Signer } from '../config/tls-model.ts';
import { type Problem, pemBlocks } from './bundle.ts';

/** Keys that certificates are signed with here (engine/tls/forge.ts). */
const KEY_TYPES: ReadonlySet<string> = new Set(['rsa', 'ec']);

export function readSigner(path: string, bytes: Uint8Array, password: string | null): Signer | Problem {
  const blocks = pemBlocks(bytes);
  const certificate = blocks.find(({ label }) => label === 'CERTIFICATE');
  const key = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (certificate === undefined || key === undefined) {
    return { problem: `'ca-sign-file' : '${path}' must have a certificate and its private key` };
  }
  try {
    const privateKey = createPrivateKey({ key: key.text, ...(password === null ? {} : { passphrase: password }) });
    if (!KEY_TYPES.has(privateKey.asymmetricKeyType ?? '')) {
      return { problem: `'ca-sign-file' : the key in '${path}' is neither RSA nor ECDSA` };
    }
    if (!new X509Certificate(certificate.der).checkPrivateKey(privateKey)) {
      return { problem: `'ca-sign-file' : inconsistencies between private key and certificate in '${path}'` };
    }
    const der = new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' }));
    return { certificate: certificate.der, key: der };
  } catch (error) {
    return { problem: `'ca-sign-file' : unable to load '${path}': ${(error as Error).message}` };
  }
}
