/** Loads a configuration that stands in a test: no files, no environment, no resolver but what is given. */
import { Diagnostics } from '../../engine/config/diagnostics.ts';
import { loadModel } from '../../engine/config/load.ts';
import type { Model } from '../../engine/config/model.ts';
import { readFileLines } from '../../engine/config/read.ts';
import type { Address } from '../../engine/io/contract.ts';

interface Given {
  /** Name of the configuration in messages. */
  readonly file?: string;
  /** What `errorfile` and its kin may read. */
  readonly files?: Readonly<Record<string, string>>;
  /** What is in folders. */
  readonly folders?: Readonly<Record<string, readonly string[]>>;
  readonly hosts?: Readonly<Record<string, Address>>;
  /** Users and groups of the system; absent = all are there. */
  readonly accounts?: readonly string[];
}

export function load(text: string, given: Given = {}): { model: Model | null; diagnostics: Diagnostics } {
  const { file = 'test.cfg', files = {}, folders = {}, hosts = {}, accounts } = given;
  const diagnostics = new Diagnostics();
  const lines = [...readFileLines(file, text, {}, diagnostics)];
  const model = loadModel(lines, diagnostics, {
    env: {},
    // A name and a family have an address of their own.
    resolve: (host, family) => hosts[`${host} ${family}`] ?? hosts[host] ?? null,
    readFolder: path => folders[path] ?? null,
    account: (_, name) => (accounts === undefined || accounts.includes(name) ? 1 : null),
    readFile: path => (files[path] === undefined ? null : new TextEncoder().encode(files[path])),
  });
  return { model, diagnostics };
}
