/** Certificates for tests, made by openssl(1) when they are first asked for. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from '../../engine/config/tls-model.ts';
import { readBundle } from '../../engine/tls/bundle.ts';

export const FOLDER = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
process.on('exit', () => rmSync(FOLDER, { recursive: true, force: true }));

export interface Wanted {
  /** Common name; also the file's name. */
  readonly name: string;
  readonly names?: readonly string[];
  readonly key?: 'ec' | 'rsa' | 'rsa4096';
  /** Who signs it: another one of here; itself unless said. */
  readonly issuer?: string;
  readonly ca?: boolean;
}

const made = new Set<string>();

/** Makes `<name>.pem` (certificate and key) and gives its path. */
export function pemFile({ name, names = [], key = 'ec', issuer, ca = false }: Wanted): string {
  const stem = join(FOLDER, `${name.replaceAll('*', '_')}-${key}`);
  if (made.has(stem)) return `${stem}.pem`;
  made.add(stem);
  const kind =
    key === 'ec'
      ? ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
      : ['-newkey', key === 'rsa' ? 'rsa:2048' : 'rsa:4096'];
  const subjects = names.map(n => `${isIP(n) ? 'IP' : 'DNS'}:${n}`).join();
  const alternative = names.length > 0 ? ['-addext', `subjectAltName=${subjects}`] : [];
  const sign = issuer === undefined ? [] : ['-CA', `${issuer}`, '-CAkey', `${issuer}`];
  const basic = ['-addext', `basicConstraints=critical,CA:${ca ? 'TRUE' : 'FALSE'}`];
  const files = ['-nodes', '-keyout', `${stem}.key.tmp`, '-out', `${stem}.crt.tmp`];
  const args = [
    'req',
    '-x509',
    ...kind,
    ...files,
    '-days',
    '30',
    '-subj',
    `/CN=${name}`,
    ...alternative,
    ...basic,
    ...sign,
  ];
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  execFileSync('sh', ['-c', `cat "${stem}.crt.tmp" "${stem}.key.tmp" > "${stem}.pem"`]);
  return `${stem}.pem`;
}

/** The same, read. */
export function certificate(wanted: Wanted): Certificate {
  const file = pemFile(wanted);
  const read = readBundle(file, path => (path.endsWith('.pem') ? readFileSync(path) : null));
  if ('problem' in read) throw new Error(read.problem);
  return read;
}
