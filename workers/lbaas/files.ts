/** What the check of a configuration may read: what the process will. */
import fs from 'node:fs';
import path from 'node:path';

function readFile(file: string): Uint8Array | null {
  try {
    return fs.readFileSync(file);
  } catch {
    return null;
  }
}

/** Paths of the files in a folder, sorted; null when it is none. */
function readFolder(folder: string): string[] | null {
  try {
    const entries = fs.readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isFile());
    return entries.map(({ name }) => path.join(folder, name)).sort();
  } catch {
    return null;
  }
}

export const FILES = { readFile, readFolder };
