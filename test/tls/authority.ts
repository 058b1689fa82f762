/** What an authority of tests says of certificates it has signed: revocation lists and OCSP responses, by openssl(1). */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FOLDER } from './certificates.ts';

const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

/** A `crl-file` of `authority` (a PEM file with its key) in which `revoked` stands; gives its path. */
export function revocationList(authority: string, revoked: readonly string[]): string {
  const dir = mkdtempSync(join(FOLDER, 'crl-'));
  const config = join(dir, 'ca.cfg');
  const lines = ['[ca]', 'default_ca=a', '[a]', `database=${dir}/index`, 'default_md=sha256', 'default_crl_days=1'];
  writeFileSync(config, `${lines.join('\n')}\n`);
  writeFileSync(join(dir, 'index'), '');
  const ca = ['ca', '-config', config, '-cert', authority, '-keyfile', authority];
  for (const file of revoked) openssl(...ca, '-revoke', file);
  openssl(...ca, '-gencrl', '-out', join(dir, 'list.pem'));
  return join(dir, 'list.pem');
}

/** Puts the authority's OCSP response beside the certificate (`<file>.ocsp`). */
export function stapleBeside(file: string, authority: string): void {
  const dir = mkdtempSync(join(FOLDER, 'ocsp-'));
  const serial = openssl('x509', '-in', file, '-noout', '-serial').trim().replace('serial=', '');
  writeFileSync(join(dir, 'index'), `V\t401231000000Z\t\t${serial}\tunknown\t/CN=any\n`);
  openssl('ocsp', '-issuer', authority, '-cert', file, '-reqout', join(dir, 'request'));
  const signer = ['-CA', authority, '-rsigner', authority, '-index', join(dir, 'index'), '-ndays', '1'];
  openssl('ocsp', ...signer, '-reqin', join(dir, 'request'), '-respout', `${file}.ocsp`);
}
