/** The TLS files that the process has in memory, as PEM: a server that is added at run time may name these and no others. */
import { SYSTEM_AUTHORITIES } from '../config/verifying-files.ts';
import type { TlsStore } from '../tls/store.ts';

const COLUMNS = /.{1,64}/g;

function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der).toString('base64').match(COLUMNS) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** Reads a file of the store by its name; null = it is not there. Private keys are among what is read. */
export function knownFiles(store: TlsStore): (path: string) => Uint8Array | null {
  const { certificates, authorities, revocations } = store.all;
  return path => {
    const name = SYSTEM_AUTHORITIES.includes(path) ? '@system-ca' : path;
    const certificate = certificates.find(file => file.name === name);
    const blocks =
      certificate === undefined
        ? []
        : [
            ...[certificate.leaf, ...certificate.chain].map(der => pem('CERTIFICATE', der)),
            pem('PRIVATE KEY', certificate.key),
          ];
    for (const file of authorities)
      if (file.name === name) blocks.push(...file.entries.map(der => pem('CERTIFICATE', der)));
    for (const file of revocations)
      if (file.name === name) blocks.push(...file.entries.map(der => pem('X509 CRL', der)));
    return blocks.length === 0 ? null : Buffer.from(blocks.join(''));
  };
}
