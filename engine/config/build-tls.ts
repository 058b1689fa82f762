/** From TLS drafts to the model: the files they name are read here, each once, and what is wrong with one is said here. */
import type { Expression } from '../sample/expression.ts';
import { bundleOf, type Problem, readAuthorities, readRevocations } from '../tls/bundle.ts';
import { withChain, withoutRoot } from '../tls/issuers.ts';
import { readResponse } from '../tls/ocsp.ts';
import { readSigner } from '../tls/signer.ts';
import { readTicketKeys } from '../tls/ticket-file.ts';
import { readCrtList } from './crt-list.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Resources } from './draft.ts';
import { VERSIONS } from './keywords-tls.ts';
import type { Place } from './model.ts';
import {
  type BindTlsDraft,
  DEFAULT_SETTINGS,
  type GlobalTlsDraft,
  type ServerTlsDraft,
  type TlsDraft,
} from './tls-draft.ts';
import type {
  BindCertificate,
  BindSettings,
  BindTls,
  Certificate,
  CrtList,
  CrtListLine,
  DerFile,
  GlobalTls,
  ServerTls,
  Signer,
  TlsFiles,
  TlsSettings,
  TlsVersion,
} from './tls-model.ts';

/** Where systems keep the authorities they trust (`@system-ca`). */
export const SYSTEM_AUTHORITIES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** Files that stand beside a certificate in a folder. */
const BESIDE = /\.(key|ocsp|issuer|sctl)$/;
/** `crt site` finds one file per kind of key. */
const BUNDLE = ['.rsa', '.ecdsa', '.dsa'];

/** Reads the files of TLS settings, and knows what it has read. */
export class TlsBuilder {
  readonly #global: GlobalTlsDraft;
  readonly #resources: Resources;
  readonly #diagnostics: Diagnostics;
  /** Null = not good, which was said. */
  readonly #certificates = new Map<string, Certificate | null>();
  readonly #authorities = new Map<string, DerFile | null>();
  readonly #revocations = new Map<string, DerFile | null>();
  readonly #ticketKeys = new Map<string, DerFile | null>();
  /** Null = not read yet. */
  #issuers: readonly (readonly Uint8Array[])[] | null = null;
  readonly #lists = new Map<string, CrtList>();

  constructor(global: GlobalTlsDraft, resources: Resources, diagnostics: Diagnostics) {
    this.#global = global;
    this.#resources = resources;
    this.#diagnostics = diagnostics;
  }

  /** What was read. The key of tickets is made when the process starts. */
  files(): TlsFiles {
    const good = <T>(map: Map<string, T | null>): T[] => [...map.values()].filter(file => file !== null);
    return {
      certificates: good(this.#certificates),
      authorities: good(this.#authorities),
      revocations: good(this.#revocations),
      ticketKeys: good(this.#ticketKeys),
      lists: [...this.#lists.values()],
      ticketKey: new Uint8Array(0),
      sessions: null,
      keylog: this.#global.keylog,
    };
  }

  global(place: Place): GlobalTls {
    const { maxConn, maxRate, cacheSize, lifetimeSeconds, maxRecordBytes, dhParamFile } = this.#global;
    const { captureBytes, madeMax, crtBase, caBase, serverLines, privateCache, dhBits } = this.#global;
    this.#resources.enter?.(place.file);
    const dhParams = dhParamFile === null ? null : this.#resources.readFile(dhParamFile);
    if (dhParamFile !== null && dhParams === null) {
      this.#complain(place, `'ssl-dh-param-file': unable to load DH parameters from file <${dhParamFile}>.`);
    }
    const numbers = { maxConn, maxRate, cacheSize, lifetimeSeconds, maxRecordBytes, captureBytes, madeMax };
    return { ...numbers, dhParams, crtBase, caBase, serverLines, privateCache, dhBits };
  }

  /** Null without `ssl`. `subject` begins the messages: `'bind *:443'`. */
  bind(draft: BindTlsDraft, place: Place, subject: string): BindTls | null {
    this.#resources.enter?.(place.file);
    if (!draft.ssl) {
      if (draft.crt.length > 0) {
        const message = `${subject}: a certificate was specified but SSL was not enabled (use 'ssl').`;
        this.#diagnostics.report('warning', place, message);
      }
      return null;
    }
    const settings = this.#bindSettings(draft, place, subject);
    const certificates = draft.crt.flatMap(({ keyword, file }) => {
      const path = based(file, this.#global.crtBase);
      if (keyword === 'crt-list') return this.#list(path, draft, settings, place, subject);
      const isDefault = keyword === 'default-crt';
      const found = this.#paths(path, place, subject);
      const isFolder = this.#resources.readFolder(path) !== null;
      if (isFolder) this.#noteList(path, found.map(plainLine));
      return found.map((certificate, i) => {
        const from = isFolder ? { list: path, line: i + 1 } : null;
        return { certificate, filters: [], settings: null, isDefault, from };
      });
    });
    if (certificates.length === 0 && !this.#diagnostics.fatal) {
      this.#complain(place, `${subject}: no SSL certificate specified (use 'crt').`);
    }
    return {
      ...settings,
      ...{ file: place.file, line: place.line },
      strictSni: draft.strictSni ?? this.#global.bind.strictSni ?? false,
      certificates,
      signer: draft.generate ? this.#signer(draft, place, subject) : null,
      lists: [...new Set(certificates.flatMap(({ from }) => from?.list ?? []))],
      ticketKeys: draft.ticketKeysFile === null ? null : this.#ticketFile(draft.ticketKeysFile, place, subject),
    };
  }

  /** `check`: what its checks speak. */
  server(draft: ServerTlsDraft, check: boolean, place: Place, subject: string): ServerTls {
    this.#resources.enter?.(place.file);
    const { verifyHost, sni, reuse, crt } = draft;
    const settings = this.#settings(draft, this.#global.server, place, subject);
    const verify = draft.verify ?? this.#global.serverVerify;
    if (verify === 'required' && settings.caFile === null) {
      const why = draft.verify === null ? 'by default ' : '';
      const advice = "Name one with 'ca-file', or write 'verify none' where the network can be trusted.";
      this.#complain(place, `${subject}: verify is enabled ${why}but no CA file specified. ${advice}`);
    }
    const path = crt === null ? null : based(crt, this.#global.crtBase);
    return {
      ...settings,
      ...{ file: place.file, line: place.line, verify, verifyHost },
      certificate: path !== null && this.#certificate(path, place, subject) ? path : null,
      reuse: reuse ?? true,
      early: draft.early && !check,
      sni: check ? null : sni,
      sniName: check ? draft.checkSni : null,
      alpn: withoutH2((check ? draft.checkAlpn : null) ?? settings.alpn),
    };
  }

  /** Of those to whom no stream leads, peers and log servers; null without `ssl`. */
  streamless(draft: ServerTlsDraft, place: Place, subject: string): ServerTls | null {
    if (!draft.ssl) return null;
    const sniName = draft.sni === null ? null : constantText(draft.sni);
    if (draft.sni !== null && sniName === null) {
      this.#complain(place, `${subject}: 'sni' has no stream to look at here. Write 'sni str(<name>)'.`);
    }
    return { ...this.server(draft, false, place, subject), sni: null, sniName };
  }

  #bindSettings(draft: BindTlsDraft, place: Place, subject: string): BindSettings {
    const { bind } = this.#global;
    const settings = this.#settings(draft, bind, place, subject);
    const { caVerifyFile, ecdhe } = draft;
    if (settings.alpn.includes('h2')) {
      this.#diagnostics.report('diag', place, `${subject}: 'h2' is not offered yet: only HTTP/1 is spoken.`);
    }
    return {
      ...settings,
      curves: settings.curves ?? ecdhe,
      alpn: withoutH2(settings.alpn),
      caVerifyFile: caVerifyFile === null ? null : this.#authorityFile(caVerifyFile, place, subject),
      caNames: draft.caNames ?? bind.caNames ?? true,
      caIgnore: draft.caIgnore ?? [],
      crtIgnore: draft.crtIgnore ?? [],
      preferClientCiphers: draft.preferClientCiphers ?? bind.preferClientCiphers ?? false,
      early: draft.early ?? false,
    };
  }

  #settings(draft: TlsDraft, above: TlsDraft, place: Place, subject: string): TlsSettings {
    const said = <K extends keyof TlsDraft>(field: K): TlsDraft[K] => draft[field] ?? above[field];
    const { caFile, crlFile } = draft;
    return {
      ...this.#versions(draft, above, place, subject),
      ciphers: said('ciphers'),
      ciphersuites: said('ciphersuites'),
      curves: said('curves'),
      sigalgs: said('sigalgs'),
      clientSigalgs: said('clientSigalgs'),
      verify: draft.verify ?? 'none',
      caFile: caFile === null ? null : this.#authorityFile(caFile, place, subject),
      crlFile: crlFile === null ? null : this.#revocationFile(crlFile, place, subject),
      alpn: draft.alpn ?? [],
      tickets: draft.tickets ?? above.tickets ?? true,
      securityLevel: this.#global.securityLevel,
    };
  }

  /** The oldest and the newest version that are left. */
  #versions(draft: TlsDraft, above: TlsDraft, place: Place, subject: string) {
    const oldest = VERSIONS.indexOf(draft.minVersion ?? above.minVersion ?? DEFAULT_SETTINGS.minVersion);
    const newest = VERSIONS.indexOf(draft.maxVersion ?? above.maxVersion ?? DEFAULT_SETTINGS.maxVersion);
    const no = [...draft.noVersions, ...above.noVersions];
    const left = VERSIONS.filter((version, i) => i >= oldest && i <= newest && !no.includes(version));
    if (left.length === 0) this.#complain(place, `${subject}: all SSL/TLS versions are disabled.`);
    return {
      minVersion: left[0] ?? ('TLSv1.2' as TlsVersion),
      maxVersion: left.at(-1) ?? ('TLSv1.3' as TlsVersion),
    };
  }

  #list(path: string, bind: BindTlsDraft, settings: BindSettings, place: Place, subject: string): BindCertificate[] {
    const bytes = this.#resources.readFile(path);
    if (bytes === null) {
      this.#complain(place, `${subject}: 'crt-list' : unable to load '${path}': cannot be opened.`);
      return [];
    }
    const lines: CrtListLine[] = [];
    const entries = readCrtList(path, bytes, this.#diagnostics, this.#resources)
      .flatMap(({ file, filters, draft, line, settings: text }) => {
        const at = { file: path, line };
        const own = draft === null ? null : this.#bindSettings(over(draft, bind), at, subject);
        const found = this.#paths(based(file, this.#global.crtBase), at, subject);
        lines.push({ number: line, certificates: found, settings: text, filters, added: null });
        const from = { list: path, line };
        return found.map(certificate => {
          // A list may name the same settings as the line: then they are the line's.
          return { certificate, filters, settings: own ?? null, isDefault: filters.includes('*'), from };
        });
      })
      .map(entry => (entry.settings === settings ? { ...entry, settings: null } : entry));
    this.#noteList(path, lines);
    return entries;
  }

  #noteList(name: string, lines: readonly CrtListLine[]): void {
    if (!this.#lists.has(name)) this.#lists.set(name, { name, lines });
  }

  /** The good certificates that a `crt` names: a file, those of a folder, or one per kind of key. */
  #paths(path: string, place: Place, subject: string): string[] {
    const folder = this.#resources.readFolder(path);
    if (folder !== null) {
      const files = folder.filter(name => !name.startsWith('.') && !BESIDE.test(name));
      return files
        .map(name => `${path.replace(/\/+$/, '')}/${name}`)
        .filter(file => this.#certificate(file, place, subject));
    }
    if (this.#global.extraFiles.includes('bundle') && this.#resources.readFile(path) === null) {
      const bundle = BUNDLE.map(end => path + end).filter(file => this.#resources.readFile(file) !== null);
      if (bundle.length > 0) return bundle.filter(file => this.#certificate(file, place, subject));
    }
    return this.#certificate(path, place, subject) ? [path] : [];
  }

  #certificate(path: string, place: Place, subject: string): boolean {
    return this.#read(this.#certificates, path, place, subject, bytes => {
      const read = bundleOf(path, bytes, beside => this.#beside(beside));
      if ('problem' in read) return read;
      const whole = withChain({ ...read, ocsp: this.#response(read, place, subject) }, this.#issuerChains());
      return this.#global.skipSelfIssued ? withoutRoot(whole) : whole;
    });
  }

  /** The response beside a certificate, if it can be stapled. */
  #response({ name, ocsp }: Certificate, place: Place, subject: string): Uint8Array | null {
    const response = ocsp === null ? null : readResponse(ocsp);
    if (response === null || !('problem' in response)) return ocsp;
    const message = `${subject}: '${name}.ocsp' is ignored: ${response.problem}.`;
    this.#diagnostics.report('warning', place, message);
    return null;
  }

  /** What stands beside a certificate, as far as such files are wanted: `site.crt.key`, or `site.key`. */
  #beside(path: string): Uint8Array | null {
    const { keyBase, extraFiles, removeExtension } = this.#global;
    const kind = extraFiles.find(end => path.endsWith(`.${end}`));
    if (kind === undefined) return null;
    const found = removeExtension ? path.replace(/\.crt(\.\w+)$/, '$1') : path;
    // `key-base`: private keys are there.
    const moved = keyBase !== null && kind === 'key' ? based(found.slice(found.lastIndexOf('/') + 1), keyBase) : found;
    return this.#resources.readFile(moved);
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

  #signer({ signFile, signPassword }: BindTlsDraft, place: Place, subject: string): Signer | null {
    const path = signFile === null ? null : based(signFile, this.#global.caBase);
    const bytes = path === null ? null : this.#resources.readFile(path);
    const signer =
      path === null
        ? { problem: "cannot enable certificate generation, no CA certificate file configured ('ca-sign-file')" }
        : bytes === null
          ? { problem: `'ca-sign-file' : unable to open '${path}'` }
          : readSigner(path, bytes, signPassword);
    if (!('problem' in signer)) return signer;
    this.#complain(place, `${subject}: ${signer.problem}.`);
    return null;
  }

  #authorityFile(file: string, place: Place, subject: string): string {
    const path = file === '@system-ca' ? file : based(file, this.#global.caBase);
    this.#read(this.#authorities, path, place, subject, bytes => readAuthorities(path, bytes));
    return path;
  }

  #revocationFile(file: string, place: Place, subject: string): string {
    const path = based(file, this.#global.caBase);
    this.#read(this.#revocations, path, place, subject, bytes => readRevocations(path, bytes));
    return path;
  }

  #read<T extends object>(
    known: Map<string, T | null>,
    path: string,
    place: Place,
    subject: string,
    parse: (bytes: Uint8Array) => T | Problem,
  ): boolean {
    const before = known.get(path);
    if (before !== undefined) return before !== null;
    const bytes = this.#bytesOf(path);
    const result =
      bytes === null ? { problem: `unable to open '${path}': no such file, or not readable` } : parse(bytes);
    const bad = 'problem' in result;
    if (bad) this.#complain(place, `${subject}: ${result.problem}.`);
    known.set(path, bad ? null : result);
    return !bad;
  }

  #bytesOf(path: string): Uint8Array | null {
    const paths = path === '@system-ca' ? SYSTEM_AUTHORITIES : [path];
    for (const name of paths) {
      const bytes = this.#resources.readFile(name);
      if (bytes !== null) return bytes;
    }
    const files = this.#resources.readFolder(path) ?? [];
    const parts = files.map(name => this.#resources.readFile(`${path}/${name}`)).filter(bytes => bytes !== null);
    return parts.length === 0 ? null : Buffer.concat(parts);
  }

  #ticketFile(path: string, place: Place, subject: string): string {
    this.#read(this.#ticketKeys, path, place, subject, bytes => readTicketKeys(path, bytes));
    return path;
  }

  #complain(place: Place, message: string): void {
    this.#diagnostics.report('alert', place, message);
  }
}

function plainLine(certificate: string, i: number): CrtListLine {
  return { number: i + 1, certificates: [certificate], settings: '', filters: [], added: null };
}

export function based(file: string, base: string | null): string {
  return base === null || file.startsWith('/') || file.startsWith('@') ? file : `${base}/${file}`;
}

/** Only HTTP/1 is spoken: offering more would be answered with what we cannot read. */
function withoutH2(names: readonly string[]): string[] {
  return names.filter(name => name !== 'h2');
}

/** The text that `str(<text>)` is; null for other expressions. */
function constantText({ fetch, converters }: Expression): string | null {
  const [text] = fetch.args;
  return fetch.name === 'str' && converters.length === 0 && typeof text === 'string' ? text : null;
}

/** Settings of a crt-list line over those of the bind line. */
function over(own: BindTlsDraft, bind: BindTlsDraft): BindTlsDraft {
  const said = Object.entries(own).filter(([, value]) => value !== null);
  return { ...bind, ...Object.fromEntries(said), noVersions: [...bind.noVersions, ...own.noVersions] };
}

/** What a line that is added to a list at run time sets over its bind line. Files must be known already. */
export function ownSettings(draft: BindTlsDraft | null): Partial<BindSettings> {
  if (draft === null) return {};
  const { minVersion, maxVersion, ciphers, ciphersuites, sigalgs, clientSigalgs, verify, caFile, crlFile } = draft;
  const { tickets, caVerifyFile, caNames, caIgnore, crtIgnore, preferClientCiphers, early } = draft;
  const all = {
    ...{ minVersion, maxVersion, ciphers, ciphersuites, sigalgs, clientSigalgs, verify, caFile, crlFile },
    ...{ tickets, caVerifyFile, caNames, caIgnore, crtIgnore, preferClientCiphers, early },
    curves: draft.curves ?? draft.ecdhe,
    alpn: draft.alpn === null ? null : withoutH2(draft.alpn),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}
