/** The certificate of rows with TLS: P-256, as most sites have today. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** Makes `race.pem` in `folder` unless it is there, and gives its path. */
export function certificateIn(folder: string): string {
  const file = path.join(folder, 'race.pem');
  if (fs.existsSync(file)) return file;
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${file}.key`];
  const words = ['req', '-x509', ...key, '-out', `${file}.crt`, '-days', '30', '-subj', '/CN=race'];
  execFileSync('openssl', words, { stdio: 'ignore' });
  fs.writeFileSync(file, fs.readFileSync(`${file}.crt`, 'utf8') + fs.readFileSync(`${file}.key`, 'utf8'));
  return file;
}
