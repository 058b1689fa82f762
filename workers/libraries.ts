/** `-dL` and `-dA`: the files that are loaded as code. */
import fs from 'node:fs';
import { loadedFiles } from '../engine/io/platform.ts';
import type { Say } from './say.ts';

/** Their names, the program first; `ranges`: with their addresses. */
export function dumpLibraries(ranges: boolean): string {
  const hex = (n: bigint) => `0x${n.toString(16).padStart(12, '0')}`;
  return loadedFiles()
    .map(({ path, first, last }) => (ranges ? `${hex(first)}-${hex(last)} ${path}\n` : `${path}\n`))
    .join('');
}

/** Bytes of a block of a tar file. */
const BLOCK = 512;

/** Writes them into a tar file (POSIX.1-2001, ustar) under their names without the first slash. False after saying why not. */
export function writeArchive(path: string, say: Say): boolean {
  try {
    const file = fs.openSync(path, 'w', 0o600);
    try {
      for (const { path: name } of loadedFiles()) {
        const bytes = fs.readFileSync(name);
        fs.writeSync(file, header(name.slice(1), bytes.length));
        for (let at = 0; at < bytes.length; ) at += fs.writeSync(file, bytes, at);
        fs.writeSync(file, new Uint8Array(-bytes.length & (BLOCK - 1)));
      }
      fs.writeSync(file, new Uint8Array(2 * BLOCK));
    } finally {
      fs.closeSync(file);
    }
    return true;
  } catch (error) {
    say('alert', `-dA: cannot write '${path}': ${(error as Error).message}`);
    return false;
  }
}

/** Where the fields of a header stand, and how long they are. */
const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  magic: [257, 8],
  prefix: [345, 155],
} as const;

function header(path: string, size: number): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const put = (field: keyof typeof FIELDS, text: string) => block.write(text, FIELDS[field][0], FIELDS[field][1]);
  const octal = (field: keyof typeof FIELDS, n: number) =>
    put(field, `${n.toString(8).padStart(FIELDS[field][1] - 1, '0')}\0`);
  // A long name stands in two parts, with a slash between them.
  const cut = path.length <= FIELDS.name[1] ? 0 : path.lastIndexOf('/', FIELDS.prefix[1]);
  put('prefix', path.slice(0, cut));
  put('name', path.slice(cut === 0 ? 0 : cut + 1));
  octal('mode', 0o755);
  for (const field of ['uid', 'gid', 'mtime'] as const) octal(field, 0);
  octal('size', size);
  put('type', '0');
  put('magic', 'ustar\x0000');
  put('checksum', ' '.repeat(8));
  const sum = block.reduce((a, b) => a + b, 0);
  put('checksum', `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}
