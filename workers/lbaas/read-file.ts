import fs from 'node:fs';

/** The bytes of a file; null when it cannot be read. */
export function readFile(path: string): Uint8Array | null {
  try {
    return fs.readFileSync(path);
  } catch {
    return null;
  }
}
