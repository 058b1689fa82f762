/** Files that hold neither certificates of ours nor lists of them: authorities, revocations, keys of tickets. Each is read once. */
import { type Problem, readAuthorities, readRevocations } from '../tls/bundle.ts';
import { readTicketKeys } from '../tls/ticket-file.ts';
import { based } from './certificate-files.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Resources } from './draft.ts';
import type { Place } from './model.ts';
import type { GlobalTlsDraft } from './tls-draft.ts';
import type { DerFile, TlsFiles } from './tls-model.ts';

/** Where systems keep the authorities they trust (`@system-ca`). */
export const SYSTEM_AUTHORITIES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** What `ca-file` takes from a folder. */
const OF_AUTHORITIES = /^[^.].*\.(pem|crt|cer|crl)$/;

export class VerifyingFiles {
  readonly #global: GlobalTlsDraft;
  readonly #resources: Resources;
  readonly #diagnostics: Diagnostics;
  /** Null = not good, which was said. */
  readonly #authorities = new Map<string, DerFile | null>();
  readonly #revocations = new Map<string, DerFile | null>();
  readonly #ticketKeys = new Map<string, DerFile | null>();

  constructor(global: GlobalTlsDraft, resources: Resources, diagnostics: Diagnostics) {
    this.#global = global;
    this.#resources = resources;
    this.#diagnostics = diagnostics;
  }

  /** What was read. */
  all(): Pick<TlsFiles, 'authorities' | 'revocations' | 'ticketKeys'> {
    const good = (map: Map<string, DerFile | null>): DerFile[] => [...map.values()].filter(file => file !== null);
    return {
      authorities: good(this.#authorities),
      revocations: good(this.#revocations),
      ticketKeys: good(this.#ticketKeys),
    };
  }

  /** `ca-file`, also a folder of them, and `@system-ca`; gives the name under which they are known. */
  authorities(file: string, place: Place, subject: string): string {
    const path = file === '@system-ca' ? file : based(file, this.#global.caBase);
    if (this.#authorities.has(path)) return path;
    const folder = this.#resources.readFolder(path);
    if (folder === null) this.#read(this.#authorities, path, place, subject, bytes => readAuthorities(path, bytes));
    else this.#authorities.set(path, this.#authoritiesIn(path, folder, place, subject));
    return path;
  }

  /** Those of all files of a folder that have any. */
  #authoritiesIn(path: string, folder: readonly string[], place: Place, subject: string): DerFile {
    const warn = (text: string) => this.#diagnostics.report('warning', place, `${subject}: ${text}.`);
    const entries = folder
      .filter(name => OF_AUTHORITIES.test(name))
      .flatMap(name => {
        const file = `${path.replace(/\/+$/, '')}/${name}`;
        const read = readAuthorities(file, this.#resources.readFile(file) ?? new Uint8Array(0));
        if (!('problem' in read)) return read.entries;
        warn(read.problem);
        return [];
      });
    if (entries.length === 0) warn(`no authority was found in '${path}'`);
    return { name: path, entries };
  }

  /** `crl-file`. */
  revocations(file: string, place: Place, subject: string): string {
    const path = based(file, this.#global.caBase);
    this.#read(this.#revocations, path, place, subject, bytes => readRevocations(path, bytes));
    return path;
  }

  /** `tls-ticket-keys`. */
  tickets(path: string, place: Place, subject: string): string {
    this.#read(this.#ticketKeys, path, place, subject, bytes => readTicketKeys(path, bytes));
    return path;
  }

  #read(
    known: Map<string, DerFile | null>,
    path: string,
    place: Place,
    subject: string,
    parse: (bytes: Uint8Array) => DerFile | Problem,
  ): void {
    if (known.has(path)) return;
    const bytes = this.#bytesOf(path);
    const result =
      bytes === null ? { problem: `unable to open '${path}': no such file, or not readable` } : parse(bytes);
    const bad = 'problem' in result;
    if (bad) this.#diagnostics.report('alert', place, `${subject}: ${result.problem}.`);
    known.set(path, bad ? null : result);
  }

  #bytesOf(path: string): Uint8Array | null {
    const paths = path === '@system-ca' ? SYSTEM_AUTHORITIES : [path];
    for (const name of paths) {
      const bytes = this.#resources.readFile(name);
      if (bytes !== null) return bytes;
    }
    return null;
  }
}
