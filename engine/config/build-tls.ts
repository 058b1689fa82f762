/** From TLS drafts to the model: the files they name are read here, each once, and what is wrong with one is said here. */
import { type Expression, parseExpression } from '../sample/expression.ts';
import { readSigner } from '../tls/signer.ts';
import { based, CertificateFiles } from './certificate-files.ts';
import { type CrtListLine as ReadLine, readCrtList } from './crt-list.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Resources } from './draft.ts';
import type { CrtStoreDraft } from './keywords-crt-store.ts';
import type { Place } from './model.ts';
import {
  type BindTlsDraft,
  DEFAULT_BIND_SETTINGS,
  DEFAULT_SETTINGS,
  type GlobalTlsDraft,
  type LoadDraft,
  type ServerTlsDraft,
  type TlsDraft,
} from './tls-draft.ts';
import type {
  BindCertificate,
  BindSettings,
  BindTls,
  CrtList,
  CrtListLine,
  GlobalTls,
  ServerTls,
  Signer,
  TlsFiles,
  TlsSettings,
  TlsVersion,
} from './tls-model.ts';
import { versionsOf } from './tls-versions.ts';
import { VerifyingFiles } from './verifying-files.ts';

const LINE_FEED = 0x0a;
/** HAProxy's own minimum is for clients only. */
const OLDEST_OF_SERVERS: TlsVersion = 'SSLv3';
type Verifying = Pick<BindTlsDraft, 'caFile' | 'caVerifyFile' | 'crlFile'>;

/** Certificates for all bind lines of a proxy (`ssl-f-use`): a crt-list of that name. */
export interface CertificateUses {
  readonly name: string;
  readonly lines: readonly (ReadLine & { readonly at: Place })[];
}

/** Reads the files of TLS settings, and knows what it has read. */
export class TlsBuilder {
  readonly #global: GlobalTlsDraft;
  readonly #resources: Resources;
  readonly #diagnostics: Diagnostics;
  readonly #certificates: CertificateFiles;
  readonly #verifying: VerifyingFiles;
  readonly #lists = new Map<string, CrtList>();

  constructor(
    global: GlobalTlsDraft,
    stores: readonly CrtStoreDraft[],
    resources: Resources,
    diagnostics: Diagnostics,
  ) {
    this.#global = global;
    this.#resources = resources;
    this.#diagnostics = diagnostics;
    this.#certificates = new CertificateFiles(global, resources, diagnostics);
    this.#verifying = new VerifyingFiles(global, resources, diagnostics);
    for (const store of stores) {
      resources.enter?.(store.file);
      this.#certificates.loadStore(store);
    }
  }

  /** What was read. The key of tickets is made when the process starts. */
  files(): TlsFiles {
    return {
      certificates: this.#certificates.all,
      ...this.#verifying.all(),
      lists: [...this.#lists.values()],
      ticketKey: new Uint8Array(0),
      sessions: null,
      keylog: this.#global.keylog,
    };
  }

  global(place: Place): GlobalTls {
    const { maxConn, maxRate, cacheSize, lifetimeSeconds, maxRecordBytes, keyUpdatesMax, dhParamFile } = this.#global;
    const { captureBytes, madeMax, crtBase, caBase, serverLines, privateCache, dhBits } = this.#global;
    const { ocspMinSeconds, ocspMaxSeconds, ocspProxy, issuersFolder } = this.#global;
    this.#resources.enter?.(place.file);
    if (ocspMinSeconds > ocspMaxSeconds) {
      this.#complain(place, "'ocsp-update.mindelay' must be lower than 'ocsp-update.maxdelay'.");
    }
    if (issuersFolder !== null && this.#resources.readFolder(issuersFolder) === null) {
      this.#complain(place, `'issuers-chain-path': '${issuersFolder}' is no folder, or not readable.`);
    }
    const dhParams = dhParamFile === null ? null : this.#resources.readFile(dhParamFile);
    if (dhParamFile !== null && dhParams === null) {
      this.#complain(place, `'ssl-dh-param-file': unable to load DH parameters from file <${dhParamFile}>.`);
    }
    const numbers = {
      maxConn,
      maxRate,
      cacheSize,
      lifetimeSeconds,
      maxRecordBytes,
      keyUpdatesMax,
      captureBytes,
      madeMax,
    };
    return {
      ...numbers,
      dhParams,
      crtBase,
      caBase,
      serverLines,
      privateCache,
      dhBits,
      ocspMinSeconds,
      ocspMaxSeconds,
      ocspProxy,
    };
  }

  /** Null without `ssl`. `subject` begins the messages: `'bind *:443'`. */
  bind(draft: BindTlsDraft, place: Place, subject: string, uses: CertificateUses | null = null): BindTls | null {
    this.#resources.enter?.(place.file);
    const { caFile, caVerifyFile, crlFile, ticketKeysFile } = draft;
    this.#open({ caFile, caVerifyFile, crlFile }, place, subject);
    const ticketKeys = ticketKeysFile === null ? null : this.#verifying.tickets(ticketKeysFile, place, subject);
    if (!draft.ssl) {
      for (const { keyword, file } of draft.crt) {
        if (keyword !== 'crt-list') this.#certificates.paths(based(file, this.#global.crtBase), place, subject);
      }
      if (draft.crt.length > 0) {
        const message = `${subject}: a certificate was specified but SSL was not enabled (use 'ssl').`;
        this.#diagnostics.report('warning', place, message);
      }
      return null;
    }
    const settings = this.#bindSettings(draft, place, subject);
    this.#advise(versionsOf(draft, this.#global.bind, DEFAULT_SETTINGS.minVersion).advice, place, subject);
    // Its versions are decided: a line of a list can only take from them.
    const { minVersion, maxVersion } = settings;
    const forLines = { ...draft, minVersion, maxVersion, noVersions: [] };
    const lists = new Set<string>();
    const named = draft.crt.flatMap(({ keyword, file }) => {
      // `crt-base` is for certificates, also for those that a list names, not for the list.
      if (keyword === 'crt-list') {
        lists.add(file);
        return this.#list(file, forLines, place, subject);
      }
      const path = based(file, this.#global.crtBase);
      const isDefault = keyword === 'default-crt';
      const found = this.#certificates.paths(path, place, subject);
      const isFolder = this.#resources.readFolder(path) !== null;
      if (isFolder) {
        lists.add(path);
        this.#noteList(path, true, found.map(plainLine));
      }
      return found.map((certificate, i) => {
        const from = isFolder ? { list: path, line: i + 1 } : null;
        return { certificate, filters: [], settings: null, isDefault, from };
      });
    });
    const used = uses === null ? [] : this.#entries(uses.name, uses.lines, forLines, subject);
    if (uses !== null) lists.add(uses.name);
    const certificates = [...named, ...used];
    const strictSni = draft.strictSni ?? this.#global.bind.strictSni ?? false;
    if (certificates.length === 0 && !this.#diagnostics.fatal) this.#noCertificate(strictSni, place, subject);
    return {
      ...settings,
      ...{ file: place.file, line: place.line },
      strictSni,
      certificates,
      signer: draft.generate ? this.#signer(draft, place, subject) : null,
      lists: [...lists],
      ticketKeys,
    };
  }

  /** With `strict-sni` they may come at run time. */
  #noCertificate(strictSni: boolean, place: Place, subject: string): void {
    const message = `${subject}: no SSL certificate specified`;
    if (!strictSni) this.#complain(place, `${message} (use 'crt').`);
    else this.#diagnostics.report('warning', place, `${message}, ssl connections will fail (use 'crt').`);
  }

  /** `check`: what its checks speak. */
  server(draft: ServerTlsDraft, check: boolean, place: Place, subject: string): ServerTls {
    this.#resources.enter?.(place.file);
    const { verifyHost, sni, reuse, crt } = draft;
    const settings = this.#settings(draft, this.#global.server, OLDEST_OF_SERVERS, place, subject);
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
      certificate: path !== null && this.#certificates.take(path, place, subject) ? path : null,
      reuse: reuse ?? true,
      early: draft.early && !check,
      renegotiate: draft.renegotiate ?? this.#global.server.renegotiate ?? true,
      sni: check ? null : (sni ?? (draft.sniAuto ? hostOf(this.#resources) : null)),
      sniIsHost: sni === null,
      sniName: check ? draft.checkSni : null,
      alpn: withoutH2((check ? draft.checkAlpn : null) ?? settings.alpn),
    };
  }

  /** What a server line names is looked at, and said of, whether it speaks TLS or not. */
  look(draft: ServerTlsDraft, place: Place, subject: string): void {
    this.#resources.enter?.(place.file);
    const { caFile, crlFile, crt } = draft;
    this.#open({ caFile, caVerifyFile: null, crlFile }, place, subject);
    if (crt !== null) this.#certificates.take(based(crt, this.#global.crtBase), place, subject);
    if (!draft.ssl) return;
    this.#advise(versionsOf(draft, this.#global.server, OLDEST_OF_SERVERS).advice, place, subject);
  }

  /** Of those to whom no stream leads, peers and log servers; null without `ssl`. */
  streamless(draft: ServerTlsDraft, place: Place, subject: string): ServerTls | null {
    this.look(draft, place, subject);
    if (!draft.ssl) return null;
    const sniName = draft.sni === null ? null : constantText(draft.sni);
    if (draft.sni !== null && sniName === null) {
      this.#complain(place, `${subject}: 'sni' has no stream to look at here. Write 'sni str(<name>)'.`);
    }
    return { ...this.server(draft, false, place, subject), sni: null, sniName };
  }

  #bindSettings(draft: BindTlsDraft, place: Place, subject: string): BindSettings {
    const { bind } = this.#global;
    const settings = this.#settings(draft, bind, DEFAULT_SETTINGS.minVersion, place, subject);
    const { caVerifyFile, ecdhe } = draft;
    if (settings.alpn.includes('h2')) {
      this.#diagnostics.report('diag', place, `${subject}: 'h2' is not offered yet: only HTTP/1 is spoken.`);
    }
    if (settings.verify !== 'none' && settings.caFile === null && caVerifyFile === null) {
      this.#complain(place, `${subject}: verify is enabled but no CA file specified (use 'ca-file').`);
    }
    return {
      ...settings,
      ciphers: settings.ciphers ?? DEFAULT_BIND_SETTINGS.ciphers,
      ciphersuites: settings.ciphersuites ?? DEFAULT_BIND_SETTINGS.ciphersuites,
      curves: settings.curves ?? ecdhe,
      alpn: withoutH2(settings.alpn),
      caVerifyFile: caVerifyFile === null ? null : this.#verifying.authorities(caVerifyFile, place, subject),
      caNames: draft.caNames ?? bind.caNames ?? true,
      caIgnore: draft.caIgnore ?? [],
      crtIgnore: draft.crtIgnore ?? [],
      preferClientCiphers: draft.preferClientCiphers ?? bind.preferClientCiphers ?? false,
      early: draft.early ?? false,
    };
  }

  #settings(draft: TlsDraft, above: TlsDraft, usual: TlsVersion, place: Place, subject: string): TlsSettings {
    const said = <K extends keyof TlsDraft>(field: K): TlsDraft[K] => draft[field] ?? above[field];
    const { caFile, crlFile } = draft;
    const { oldest, newest } = versionsOf(draft, above, usual);
    if (oldest === null) this.#complain(place, `${subject}: all SSL/TLS versions are disabled.`);
    return {
      minVersion: oldest ?? DEFAULT_SETTINGS.minVersion,
      maxVersion: newest ?? DEFAULT_SETTINGS.maxVersion,
      ciphers: said('ciphers'),
      ciphersuites: said('ciphersuites'),
      curves: said('curves'),
      sigalgs: said('sigalgs'),
      clientSigalgs: said('clientSigalgs'),
      verify: draft.verify ?? 'none',
      caFile: caFile === null ? null : this.#verifying.authorities(caFile, place, subject),
      crlFile: crlFile === null ? null : this.#verifying.revocations(crlFile, place, subject),
      alpn: draft.alpn ?? [],
      tickets: draft.tickets ?? above.tickets ?? true,
      securityLevel: this.#global.securityLevel,
    };
  }

  #advise(advice: readonly string[], place: Place, subject: string): void {
    for (const text of advice) this.#diagnostics.report('warning', place, `${subject}: ${text}.`);
  }

  #open({ caFile, caVerifyFile, crlFile }: Verifying, place: Place, subject: string): void {
    for (const file of [caFile, caVerifyFile]) if (file !== null) this.#verifying.authorities(file, place, subject);
    if (crlFile !== null) this.#verifying.revocations(crlFile, place, subject);
  }

  #list(path: string, bind: BindTlsDraft, place: Place, subject: string): BindCertificate[] {
    const bytes = this.#resources.readFile(path);
    if (bytes === null) {
      this.#complain(place, `${subject}: 'crt-list' : unable to load '${path}': cannot be opened.`);
      return [];
    }
    if (bytes.length > 0 && bytes.at(-1) !== LINE_FEED) {
      this.#complain(
        place,
        `${subject}: 'crt-list' : '${path}': missing LF on last line, file might have been truncated.`,
      );
    }
    const lines = readCrtList(path, bytes, this.#diagnostics, this.#resources);
    return this.#entries(
      path,
      lines.map(line => ({ ...line, at: { file: path, line: line.line } })),
      bind,
      subject,
    );
  }

  /** What the lines of a list show. */
  #entries(name: string, read: CertificateUses['lines'], bind: BindTlsDraft, subject: string): BindCertificate[] {
    const lines: CrtListLine[] = [];
    const entries = read.flatMap(({ file, filters, draft, line, settings: text, at }) => {
      const settings = draft === null ? null : this.#bindSettings(over(draft, bind), at, subject);
      const found = this.#found(based(file, this.#global.crtBase), draft?.load ?? null, at, subject);
      lines.push({ number: line, certificates: found, settings: text, filters, added: null });
      const from = { list: name, line };
      return found.map(certificate => ({ certificate, filters, settings, isDefault: filters.includes('*'), from }));
    });
    this.#noteList(name, false, lines);
    return entries;
  }

  #found(path: string, load: LoadDraft | null, at: Place, subject: string): string[] {
    if (load === null) return this.#certificates.paths(path, at, subject);
    return this.#certificates.takeLoaded(path, load, at, subject) ? [path] : [];
  }

  #noteList(name: string, folder: boolean, lines: readonly CrtListLine[]): void {
    if (!this.#lists.has(name)) this.#lists.set(name, { name, folder, lines });
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

  #complain(place: Place, message: string): void {
    this.#diagnostics.report('alert', place, message);
  }
}

function plainLine(certificate: string, i: number): CrtListLine {
  return { number: i + 1, certificates: [certificate], settings: '', filters: [], added: null };
}

/** Only HTTP/1 is spoken: offering more would be answered with what we cannot read. */
function withoutH2(names: readonly string[]): string[] {
  return names.filter(name => name !== 'h2');
}

/** `sni-auto`: the host that the request is for. */
function hostOf(resources: Resources): Expression | null {
  const parsed = parseExpression('req.hdr(host),field(1,:)', 0, resources);
  return 'message' in parsed ? null : parsed.expression;
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
