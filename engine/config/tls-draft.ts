/** TLS settings while a configuration is read: null = not said, so that what the global section says can take its place. */
import type { Expression } from '../sample/expression.ts';
import type { Place } from './model.ts';
import type { BindSettings, IgnoredErrors, TlsSettings, TlsVersion, Verify } from './tls-model.ts';

/** Mozilla's "intermediate" profile: all have forward secrecy and authenticate what they encrypt. */
const CIPHERS = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'DHE-RSA-AES128-GCM-SHA256',
  'DHE-RSA-AES256-GCM-SHA384',
  'DHE-RSA-CHACHA20-POLY1305',
];

const CIPHERSUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

/** As HAProxy without any keyword: TLS 1.2 at least. Null = OpenSSL's own, which servers are reached with. */
export const DEFAULT_SETTINGS: TlsSettings = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: null,
  ciphersuites: null,
  curves: null,
  sigalgs: null,
  clientSigalgs: null,
  verify: 'none',
  caFile: null,
  crlFile: null,
  alpn: [],
  tickets: true,
  securityLevel: null,
};

export const DEFAULT_BIND_SETTINGS: BindSettings = {
  ...DEFAULT_SETTINGS,
  ciphers: CIPHERS.join(':'),
  ciphersuites: CIPHERSUITES.join(':'),
  caVerifyFile: null,
  caNames: true,
  caIgnore: [],
  crtIgnore: [],
  preferClientCiphers: false,
  early: false,
};

export interface TlsDraft {
  minVersion: TlsVersion | null;
  maxVersion: TlsVersion | null;
  /** `no-tlsv12` and its kin. */
  noVersions: TlsVersion[];
  ciphers: string | null;
  ciphersuites: string | null;
  curves: string | null;
  sigalgs: string | null;
  clientSigalgs: string | null;
  verify: Verify | null;
  caFile: string | null;
  crlFile: string | null;
  alpn: string[] | null;
  tickets: boolean | null;
}

/** `generate-dummy` and the key it makes; null = not said. */
export interface Dummy {
  generate: boolean | null;
  keyType: 'RSA' | 'ECDSA' | null;
  bits: number | null;
  curves: string | null;
}

/** How a certificate is loaded (`crt-store`, crt-lists, `ssl-f-use`). Null = not said. */
export interface LoadDraft {
  crt: string | null;
  alias: string | null;
  key: string | null;
  ocsp: string | null;
  issuer: string | null;
  sctl: string | null;
  ocspUpdate: boolean | null;
  dummy: Dummy;
}

export function newLoad(): LoadDraft {
  const dummy = { generate: null, keyType: null, bits: null, curves: null };
  return { crt: null, alias: null, key: null, ocsp: null, issuer: null, sctl: null, ocspUpdate: null, dummy };
}

export interface BindTlsDraft extends TlsDraft {
  ssl: boolean;
  /** `crt`, `crt-list`, `default-crt`, in their order. */
  crt: { readonly keyword: 'crt' | 'crt-list' | 'default-crt'; readonly file: string }[];
  strictSni: boolean | null;
  caVerifyFile: string | null;
  caNames: boolean | null;
  caIgnore: IgnoredErrors | null;
  crtIgnore: IgnoredErrors | null;
  preferClientCiphers: boolean | null;
  early: boolean | null;
  /** `ecdhe`: as `curves`, which goes before it. */
  ecdhe: string | null;
  ticketKeysFile: string | null;
  /** `generate-certificates`, and who signs them. */
  generate: boolean;
  signFile: string | null;
  signPassword: string | null;
  /** In a crt-list: how its certificate is loaded; null = it does not say. */
  load: LoadDraft | null;
}

export interface ServerTlsDraft extends TlsDraft {
  ssl: boolean;
  crt: string | null;
  verifyHost: string | null;
  sni: Expression | null;
  reuse: boolean | null;
  early: boolean;
  renegotiate: boolean | null;
  /** Null = as the server's own connections, where checks go to the same place. */
  checkSsl: boolean | null;
  checkSni: string | null;
  /** Where no name is said, that of the Host header is sent: of the request, of the check's request. */
  sniAuto: boolean;
  checkSniAuto: boolean;
  checkAlpn: string[] | null;
}

/** `bundle`: one file per kind of key. */
export const EXTRA_FILES = ['bundle', 'sctl', 'ocsp', 'issuer', 'key'] as const;
type ExtraFile = (typeof EXTRA_FILES)[number];

/** A provider of algorithms (`ssl-provider`) and where it is; null = where OpenSSL looks. */
export interface ProviderDraft extends Place {
  readonly name: string;
  readonly folder: string | null;
}

/** What the global section says of TLS. */
export interface GlobalTlsDraft {
  bind: BindTlsDraft;
  server: ServerTlsDraft;
  caBase: string | null;
  crtBase: string | null;
  keyBase: string | null;
  dhParamFile: string | null;
  serverVerify: Verify;
  maxConn: number;
  maxRate: number;
  cacheSize: number;
  privateCache: boolean;
  lifetimeSeconds: number;
  maxRecordBytes: number;
  keyUpdatesMax: number;
  dhBits: number;
  madeMax: number;
  securityLevel: number | null;
  /** Which files beside a certificate are looked for, and whether `.crt` makes room for their ends. */
  extraFiles: readonly ExtraFile[];
  removeExtension: boolean;
  /** Folder of chains for certificates that come without theirs. */
  issuersFolder: string | null;
  skipSelfIssued: boolean;
  captureBytes: number;
  keylog: boolean;
  /** `ocsp-update.*`. Delays in seconds. */
  ocspMode: boolean;
  ocspDisabled: boolean;
  ocspMinSeconds: number;
  ocspMaxSeconds: number;
  ocspProxy: string | null;
  /** In their order; `providerFolder` is that of those to come. */
  providers: ProviderDraft[];
  providerFolder: string | null;
  /** `ssl-propquery`; null = not said. */
  properties: (Place & { readonly text: string }) | null;
  /** `ssl-passphrase-cmd`: a program and its arguments; empty = none. */
  passphraseCommand: readonly string[];
  /** Words of the lines above that servers depend on. */
  serverLines: string[][];
}

function newTls(): TlsDraft {
  return {
    minVersion: null,
    maxVersion: null,
    noVersions: [],
    ciphers: null,
    ciphersuites: null,
    curves: null,
    sigalgs: null,
    clientSigalgs: null,
    verify: null,
    caFile: null,
    crlFile: null,
    alpn: null,
    tickets: null,
  };
}

export function newBindTls(): BindTlsDraft {
  return {
    ...newTls(),
    ssl: false,
    crt: [],
    strictSni: null,
    caVerifyFile: null,
    caNames: null,
    caIgnore: null,
    crtIgnore: null,
    preferClientCiphers: null,
    early: null,
    ecdhe: null,
    ticketKeysFile: null,
    generate: false,
    signFile: null,
    signPassword: null,
    load: null,
  };
}

export function newServerTls(): ServerTlsDraft {
  return {
    ...newTls(),
    ssl: false,
    crt: null,
    verifyHost: null,
    sni: null,
    reuse: null,
    early: false,
    renegotiate: null,
    checkSsl: null,
    checkSni: null,
    sniAuto: true,
    checkSniAuto: true,
    checkAlpn: null,
  };
}

export function newGlobalTls(): GlobalTlsDraft {
  return {
    bind: newBindTls(),
    server: newServerTls(),
    caBase: null,
    crtBase: null,
    keyBase: null,
    dhParamFile: null,
    serverVerify: 'required',
    maxConn: 0,
    maxRate: 0,
    cacheSize: 20_000,
    privateCache: false,
    lifetimeSeconds: 300,
    maxRecordBytes: 0,
    keyUpdatesMax: 100,
    dhBits: 0,
    madeMax: 1000,
    securityLevel: null,
    extraFiles: EXTRA_FILES,
    removeExtension: false,
    issuersFolder: null,
    skipSelfIssued: false,
    captureBytes: 0,
    keylog: false,
    ocspMode: false,
    ocspDisabled: false,
    ocspMinSeconds: 300,
    ocspMaxSeconds: 3600,
    ocspProxy: null,
    providers: [],
    providerFolder: null,
    properties: null,
    passphraseCommand: [],
    serverLines: [],
  };
}
