/** Certificates with their keys and what stands beside them: each is read once, and what is wrong with it is said once. */
import { bundleOf, type Problem, readAuthorities } from '../tls/bundle.ts';
import { dummyOf } from '../tls/dummy.ts';
import { withChain, withoutRoot } from '../tls/issuers.ts';
import { readResponse } from '../tls/ocsp.ts';
import { type Answer, keyOpener, NO_PASSPHRASE, type OpenKey } from '../tls/passphrases.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Resources } from './draft.ts';
import type { CrtStoreDraft } from './keywords-crt-store.ts';
import type { Place } from './model.ts';
import type { GlobalTlsDraft, LoadDraft } from './tls-draft.ts';
import type { Certificate } from './tls-model.ts';

/** What of a certificate may be in files of its own. */
const PARTS = ['key', 'ocsp', 'issuer', 'sctl'] as const;
type Part = (typeof PARTS)[number];
/** Files that stand beside a certificate in a folder. */
const BESIDE = /\.(key|ocsp|issuer|sctl)$/;
/** `crt site` finds one file per kind of key. */
const BUNDLE = ['.rsa', '.ecdsa', '.dsa'];

export class CertificateFiles {
  readonly #global: GlobalTlsDraft;
  readonly #resources: Resources;
  readonly #diagnostics: Diagnostics;
  readonly #open: OpenKey;
  /** Null = not good, which was said. */
  readonly #read = new Map<string, Certificate | null>();
  /** How they were loaded, where that was said: all who say it must say the same. */
  readonly #loads = new Map<string, string>();
  /** Null = not read yet. */
  #issuers: readonly (readonly Uint8Array[])[] | null = null;

  constructor(global: GlobalTlsDraft, resources: Resources, diagnostics: Diagnostics) {
    this.#global = global;
    this.#resources = resources;
    this.#diagnostics = diagnostics;
    const [command, ...args] = global.passphraseCommand;
    this.#open = command === undefined ? NO_PASSPHRASE : keyOpener(path => askFor(path, command, args, resources));
  }

  get all(): Certificate[] {
    return [...this.#read.values()].filter(certificate => certificate !== null);
  }

  /** Those of a `crt-store`: `@name/alias`, `@name/file`, or without both names the file. */
  loadStore({ name, crtBase, keyBase, loads }: CrtStoreDraft): void {
    for (const load of loads) {
      const file = based(load.crt!, crtBase ?? this.#global.crtBase);
      const known = name === '' && load.alias === null ? file : `@${name}/${load.alias ?? load.crt}`;
      const subject = `'load crt ${load.crt}'`;
      if (this.#read.has(known)) this.#complain(load, `${subject}: '${known}' is there already.`);
      else
        this.#load(
          known,
          file,
          over(load, crtBase ?? this.#global.crtBase, keyBase ?? this.#global.keyBase),
          load,
          subject,
        );
    }
  }

  /** The good certificates that a `crt` names: a file, those of a folder, or one per kind of key. */
  paths(path: string, place: Place, subject: string): string[] {
    if (this.#read.has(path)) return this.take(path, place, subject) ? [path] : [];
    const folder = this.#resources.readFolder(path);
    if (folder !== null) {
      const files = folder.filter(name => !name.startsWith('.') && !BESIDE.test(name));
      return files.map(name => `${path.replace(/\/+$/, '')}/${name}`).filter(file => this.take(file, place, subject));
    }
    if (this.#global.extraFiles.includes('bundle') && this.#resources.readFile(path) === null) {
      const bundle = BUNDLE.map(end => path + end).filter(file => this.#resources.readFile(file) !== null);
      if (bundle.length > 0) return bundle.filter(file => this.take(file, place, subject));
    }
    return this.take(path, place, subject) ? [path] : [];
  }

  /** Whether the certificate is good. */
  take(path: string, place: Place, subject: string): boolean {
    const known = this.#read.get(path);
    if (known !== undefined) return known !== null;
    return this.#load(path, path, null, place, subject);
  }

  /** The same of a line that says how it is loaded. */
  takeLoaded(path: string, load: LoadDraft, place: Place, subject: string): boolean {
    // `crt-base` and `key-base` are for `crt` and for stores: here only the certificate has a folder.
    const said = over(load, null, null);
    const known = this.#read.get(path);
    if (known === undefined) return this.#load(path, path, said, place, subject);
    if (this.#loads.get(path) !== JSON.stringify(said)) {
      this.#complain(place, `${subject}: '${path}' is loaded elsewhere with other parameters.`);
    }
    return known !== null;
  }

  #load(name: string, path: string, load: LoadDraft | null, place: Place, subject: string): boolean {
    const result = load?.dummy.generate ? dummyOf(name, load.dummy) : this.#fromFiles(name, path, load, place, subject);
    const bad = 'problem' in result;
    if (bad) this.#complain(place, `${subject}: ${result.problem}.`);
    this.#read.set(name, bad ? null : result);
    if (load !== null) this.#loads.set(name, JSON.stringify(load));
    return !bad;
  }

  #fromFiles(name: string, path: string, load: LoadDraft | null, place: Place, subject: string) {
    const bytes = this.#resources.readFile(path);
    const problem = `unable to open '${path}': no such file, or not readable`;
    return bytes === null ? { problem } : this.#whole(name, path, bytes, load, place, subject);
  }

  #whole(
    name: string,
    path: string,
    bytes: Uint8Array,
    load: LoadDraft | null,
    place: Place,
    subject: string,
  ): Certificate | Problem {
    const missing =
      load === null ? undefined : PARTS.find(part => load[part] !== null && this.#said(load, part) === null);
    if (missing !== undefined) return { problem: `unable to open '${load![missing]}': no such file, or not readable` };
    let keyPath = load?.key ?? path;
    const beside = (file: string) => {
      const part = PARTS.find(end => file.endsWith(`.${end}`))!;
      const said = load === null ? null : this.#said(load, part);
      if (said !== null) return said;
      const found = this.#placeBeside(file, part);
      if (part === 'key' && found !== null) keyPath = found;
      return found === null ? null : this.#resources.readFile(found);
    };
    const open: OpenKey = (_name, pem) => this.#open(keyPath, pem);
    const read = bundleOf(path, bytes, beside, load === null ? null : this.#said(load, 'key'), open);
    if ('problem' in read) return read;
    const { ocspMode, ocspDisabled } = this.#global;
    const ocspUpdate = !ocspDisabled && (load?.ocspUpdate ?? ocspMode);
    const whole = withChain(
      { ...read, name, ocspUpdate, ocsp: this.#response(read, place, subject) },
      this.#issuerChains(),
    );
    return this.#global.skipSelfIssued ? withoutRoot(whole) : whole;
  }

  /** The response beside a certificate, if it can be stapled. */
  #response({ name, ocsp }: Certificate, place: Place, subject: string): Uint8Array | null {
    const response = ocsp === null ? null : readResponse(ocsp);
    if (response === null || !('problem' in response)) return ocsp;
    const message = `${subject}: '${name}.ocsp' is ignored: ${response.problem}.`;
    this.#diagnostics.report('warning', place, message);
    return null;
  }

  /** The file that a line names. */
  #said(load: LoadDraft, part: Part): Uint8Array | null {
    const file = load[part];
    return file === null ? null : this.#resources.readFile(file);
  }

  /** Where what stands beside a certificate is, as far as such files are wanted: `site.crt.key`, or `site.key`. */
  #placeBeside(path: string, part: Part): string | null {
    const { extraFiles, removeExtension } = this.#global;
    if (!extraFiles.includes(part)) return null;
    return removeExtension ? path.replace(/\.crt(\.\w+)$/, '$1') : path;
  }

  /** The chains in the files of `issuers-chain-path`. */
  #issuerChains(): readonly (readonly Uint8Array[])[] {
    const { issuersFolder } = this.#global;
    if (issuersFolder === null) return [];
    this.#issuers ??= (this.#resources.readFolder(issuersFolder) ?? []).flatMap(name => {
      const bytes = this.#resources.readFile(`${issuersFolder}/${name}`);
      const chain = bytes === null ? null : readAuthorities(name, bytes);
      return chain === null || 'problem' in chain ? [] : [chain.entries];
    });
    return this.#issuers;
  }

  #complain(place: Place, message: string): void {
    this.#diagnostics.report('alert', place, message);
  }
}

/** What `ssl-passphrase-cmd` says of the key in a file: all that it writes, without the end of the line. */
function askFor(path: string, command: string, args: readonly string[], resources: Resources): Answer {
  const place = resources.locate?.(path) ?? path;
  const result = resources.output?.(command, [place, ...args]) ?? { problem: 'no programs are run here' };
  if ('problem' in result) return { problem: `it is encrypted, and 'ssl-passphrase-cmd': ${result.problem}` };
  return { passphrase: result.text.replace(/\r?\n$/, '') };
}

export function based(file: string, base: string | null): string {
  return base === null || file.startsWith('/') || file.startsWith('@') ? file : `${base}/${file}`;
}

/** What a line says of the parts, with the folders they are in. */
function over(
  { key, ocsp, issuer, sctl, ocspUpdate, dummy }: LoadDraft,
  crtBase: string | null,
  keyBase: string | null,
): LoadDraft {
  const at = (file: string | null, base: string | null): string | null => (file === null ? null : based(file, base));
  return {
    ...{ crt: null, alias: null, ocspUpdate, dummy, key: at(key, keyBase) },
    ...{ ocsp: at(ocsp, crtBase), issuer: at(issuer, crtBase), sctl: at(sctl, crtBase) },
  };
}
