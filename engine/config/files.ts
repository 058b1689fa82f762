/**
 * Configuration files: what `-f` and `--` name, in HAProxy's order, and their text. File names stay as given, relative
 * to the working directory (`-C`); `default-path` concerns what the files name, not the files themselves.
 */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { getSystemErrorMessage } from 'node:util';
import { CONFIG_FILE_BYTES_MAX } from '../limits.ts';
import type { Diagnostics } from './diagnostics.ts';

/**
 * The files to read: each path in turn, a folder standing for the `*.cfg` files in it (those whose name does not
 * begin with a dot) in the order of their bytes. What cannot be opened is reported and left out.
 */
export function listFiles(paths: readonly string[], diagnostics: Diagnostics): string[] {
  const files: string[] = [];
  for (const path of paths) {
    try {
      if (statSync(path).isDirectory()) files.push(...filesIn(path));
      else files.push(path);
    } catch (error) {
      report(diagnostics, `Cannot open configuration file/directory ${path} : ${reason(error)}`);
    }
  }
  return files;
}

/** The text of a file, or null after reporting why not. UTF-8; a file that is not is taken for Latin-1. */
export function readText(path: string, diagnostics: Diagnostics): string | null {
  let bytes: Uint8Array;
  try {
    bytes = readBounded(path);
  } catch (error) {
    report(diagnostics, `Could not open configuration file ${path} : ${reason(error)}`);
    return null;
  }
  if (bytes.length > CONFIG_FILE_BYTES_MAX) {
    report(diagnostics, `Configuration file ${path} is larger than ${CONFIG_FILE_BYTES_MAX} bytes`);
    return null;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  }
}

function filesIn(folder: string): string[] {
  const names = readdirSync(folder).filter(name => name.endsWith('.cfg') && !name.startsWith('.'));
  names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const base = folder.endsWith('/') ? folder : `${folder}/`;
  return names.map(name => base + name).filter(path => statSync(path).isFile());
}

/** Reads a file or pipe to its end, or just beyond the limit. */
function readBounded(path: string): Uint8Array {
  const fd = openSync(path, 'r');
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    while (length <= CONFIG_FILE_BYTES_MAX) {
      const chunk = new Uint8Array(65_536);
      const n = readSync(fd, chunk);
      if (n === 0) break;
      chunks.push(chunk.subarray(0, n));
      length += n;
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(fd);
  }
}

/** The system's words for an error, as strerror(3) begins them: `No such file or directory`. */
export function reason(error: unknown): string {
  const { errno } = error as NodeJS.ErrnoException;
  if (typeof errno !== 'number') return String(error);
  const text = getSystemErrorMessage(errno);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function report(diagnostics: Diagnostics, message: string): void {
  diagnostics.add({ severity: 'alert', place: null, column: 0, width: 0, source: null, message, hint: null });
}
