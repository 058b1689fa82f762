/**
 * TLS containers: PEM files of one folder. A reference is `file:///path` of a file in it, or an address as Barbican's: of ours, if
 * we have one, or else its last part names the file `<name>.pem`. Nothing outside of the folder can be named.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Barbican } from './barbican.ts';

export function certificatesIn(folder: string, barbican: Barbican | null): (reference: string) => string | null {
  return reference => {
    if (barbican?.has(reference)) return barbican.file(reference);
    const wanted = reference.startsWith('file://')
      ? decodeURIComponent(reference.slice('file://'.length))
      : path.join(folder, `${/([\w.-]+)\/?$/.exec(reference)?.[1] ?? ''}.pem`);
    try {
      const real = fs.realpathSync(wanted);
      return real.startsWith(`${fs.realpathSync(folder)}${path.sep}`) ? real : null;
    } catch {
      return null;
    }
  };
}

/** The hash of a file's content; '' when it cannot be read. */
export function digestOf(file: string): string {
  try {
    return createHash('sha256').update(fs.readFileSync(file)).digest('hex');
  } catch {
    return '';
  }
}
