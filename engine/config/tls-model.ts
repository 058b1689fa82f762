/**
 * TLS in the model: what a context of OpenSSL is made of, as plain data. Files were read once, when the configuration was;
 * they are known by their names, as on the command line of the runtime API.
 */
import type { Expression } from '../sample/expression.ts';
import type { Place } from './model.ts';

/** All files that TLS settings name, and what holds for all of them. */
export interface TlsFiles {
  readonly certificates: readonly Certificate[];
  /** `ca-file`, `ca-verify-file`: DER certificates. */
  readonly authorities: readonly DerFile[];
  /** `crl-file`: DER revocation lists. */
  readonly revocations: readonly DerFile[];
  /** `tls-ticket-keys`: names and keys of tickets, 48 or 80 bytes each. */
  readonly ticketKeys: readonly DerFile[];
  /** `crt-list` files, and folders that `crt` names. */
  readonly lists: readonly CrtList[];
  /** Names, secrets and keys of session tickets while no `tls-ticket-keys` says otherwise: 80 bytes, made at the start. */
  readonly ticketKey: Uint8Array;
  /** Sessions of clients without tickets, in memory that all threads share, made at the start; null = each thread has its own. */
  readonly sessions: SharedArrayBuffer | null;
  /** `tune.ssl.keylog`: secrets of connections are kept for fetches. */
  readonly keylog: boolean;
}

/** A certificate with its key and what stands beside it. */
export interface Certificate {
  /** The file it was read from. */
  readonly name: string;
  /** DER. */
  readonly leaf: Uint8Array;
  readonly chain: readonly Uint8Array[];
  /** PKCS #8, DER. Only `dump ssl cert` shows it, to an admin. */
  readonly key: Uint8Array;
  readonly keyType: 'rsa' | 'ecdsa' | 'other';
  /** Names it is for, in lower case: alternative names, then the common name. */
  readonly names: readonly string[];
  /** The response to be stapled (`.ocsp`), DER; null = none. */
  readonly ocsp: Uint8Array | null;
  /** Certificate of the issuer (`.issuer`), DER; null = none. */
  readonly issuer: Uint8Array | null;
  /** Signed timestamps for clients that ask for them (`.sctl`, RFC 6962); null = none. */
  readonly sctl: Uint8Array | null;
  /** The response is fetched from the issuer and kept fresh (`ocsp-update`). */
  readonly ocspUpdate: boolean;
  /** Diffie-Hellman parameters in the file, PEM; null = none. */
  readonly dh: Uint8Array | null;
}

export interface CrtList {
  readonly name: string;
  /** It is a folder, which has each of its files once. */
  readonly folder: boolean;
  readonly lines: readonly CrtListLine[];
}

export interface CrtListLine {
  /** 1-based. */
  readonly number: number;
  /** Names of certificates: more than one for a pair of `.rsa` and `.ecdsa`. */
  readonly certificates: readonly string[];
  /** What stands between the brackets; '' = nothing. */
  readonly settings: string;
  readonly filters: readonly string[];
  /** Null = it was there at the start: bind lines have it. */
  readonly added: Partial<BindSettings> | null;
}

export interface DerFile {
  readonly name: string;
  readonly entries: readonly Uint8Array[];
}

/** What the global section says for all TLS connections. */
export interface GlobalTls {
  /** `maxsslconn`, `maxsslrate`; 0 = none. */
  readonly maxConn: number;
  readonly maxRate: number;
  /** Room for sessions of clients without tickets, in blocks of 256 bytes: most sessions need one. */
  readonly cacheSize: number;
  /** `tune.ssl.force-private-cache`: each thread has its own. */
  readonly privateCache: boolean;
  readonly lifetimeSeconds: number;
  /** Certificates made for names that clients asked for, kept per bind line. */
  readonly madeMax: number;
  /** Plaintext of a record at most; 0 = as much as TLS has room for. */
  readonly maxRecordBytes: number;
  /** Key updates of a client per second at most; 0 = any number. */
  readonly keyUpdatesMax: number;
  /** PEM; null = OpenSSL's own. */
  readonly dhParams: Uint8Array | null;
  /** Bits of the group for them where no file has any; 0 = as the certificate's key is. */
  readonly dhBits: number;
  /** `ocsp-update.mindelay`, `ocsp-update.maxdelay`: between two updates of a response. Seconds. */
  readonly ocspMinSeconds: number;
  readonly ocspMaxSeconds: number;
  /** `ocsp-update.httpproxy`: who is asked instead of the issuers; null = they are. `host:port`. */
  readonly ocspProxy: string | null;
  /** `tune.ssl.capture-buffer-size`: bytes of lists that fetches show of a client's hello; 0 = none is kept. */
  readonly captureBytes: number;
  /** Where relative names of files are, for those named at run time; null = where the process was started. */
  readonly crtBase: string | null;
  readonly caBase: string | null;
  /** Words of the global lines that servers are read with: those that come at run time, too. */
  readonly serverLines: readonly (readonly string[])[];
}

export type TlsVersion = 'SSLv3' | 'TLSv1.0' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export type Verify = 'none' | 'optional' | 'required';

/** What both ends have. null = OpenSSL's own choice. */
export interface TlsSettings {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  readonly ciphers: string | null;
  readonly ciphersuites: string | null;
  readonly curves: string | null;
  readonly sigalgs: string | null;
  readonly clientSigalgs: string | null;
  readonly verify: Verify;
  readonly caFile: string | null;
  readonly crlFile: string | null;
  /** Protocols offered or accepted, best first. */
  readonly alpn: readonly string[];
  readonly tickets: boolean;
  /** `ssl-security-level`, 0 to 5. */
  readonly securityLevel: number | null;
}

/** Errors of certificates that are tolerated: X509_V_ERR numbers, or all. */
export type IgnoredErrors = 'all' | readonly number[];

export interface BindSettings extends TlsSettings {
  /** Authorities whose names clients are not told. */
  readonly caVerifyFile: string | null;
  readonly caNames: boolean;
  readonly caIgnore: IgnoredErrors;
  readonly crtIgnore: IgnoredErrors;
  readonly preferClientCiphers: boolean;
  /** `allow-0rtt`: early data of TLS 1.3 is taken, which an attacker may send again. */
  readonly early: boolean;
}

/** An authority that signs certificates made for names that clients ask for (`generate-certificates`). */
export interface Signer {
  /** DER. */
  readonly certificate: Uint8Array;
  /** PKCS #8, DER. Never shown. */
  readonly key: Uint8Array;
}

export interface BindTls extends BindSettings, Place {
  readonly strictSni: boolean;
  /** In HAProxy's order: what is earlier wins among equals; the first one is the default without a `default-crt`. */
  readonly certificates: readonly BindCertificate[];
  /** Null = no certificates are made. */
  readonly signer: Signer | null;
  /** Names of its lists: what is added to one at run time comes after `certificates`. */
  readonly lists: readonly string[];
  /** Name of a `tls-ticket-keys` file; null = `TlsFiles.ticketKey`. */
  readonly ticketKeys: string | null;
}

/** A certificate of a bind line. */
export interface BindCertificate {
  /** Name of a `Certificate`. */
  readonly certificate: string;
  /** Names it is shown for, `*.` and `!` as in a crt-list; [] = those in the certificate. */
  readonly filters: readonly string[];
  /** Settings of its own (crt-list); null = those of the bind line. */
  readonly settings: BindSettings | null;
  readonly isDefault: boolean;
  /** The list and its line that it comes from; null = the bind line names it. */
  readonly from: { readonly list: string; readonly line: number } | null;
}

export interface ServerTls extends TlsSettings, Place {
  /** Shown to the server; null = none. */
  readonly certificate: string | null;
  /** Name that its certificate must be for; null = the one that is sent, if any. */
  readonly verifyHost: string | null;
  /** Gives the name that is sent; null = none is. A check sends `sniName`. */
  readonly sni: Expression | null;
  /** It is the host of the request (`sni-auto`), which may be an address: that is no name to send (RFC 6066 3). */
  readonly sniIsHost: boolean;
  readonly sniName: string | null;
  /** Sessions are resumed. */
  readonly reuse: boolean;
  /** It may ask for another handshake (`renegotiate`), up to TLS 1.2. */
  readonly renegotiate: boolean;
  /** `allow-0rtt`: requests may go as early data, which an attacker may send again. */
  readonly early: boolean;
}
