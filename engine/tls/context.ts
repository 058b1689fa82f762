/** OpenSSL contexts out of settings: what all connections of one certificate, or to one server, have in common. */
import { createHash } from 'node:crypto';
import type { BindSettings, Certificate, ServerTls, TlsSettings } from '../config/tls-model.ts';
import { TLS_EARLY_BYTES } from '../limits.ts';
import { selectProtocol, wireProtocols } from './alpn.ts';
import { reason, takeError } from './errors.ts';
import { Handle } from './handle.ts';
import { keepSecrets } from './keylog.ts';
import { certificateOf, dhGroup, dhOf, keyBits, keyOf } from './objects.ts';
import {
  addressOf,
  CTRL,
  MODE_NO_AUTO_CHAIN,
  MODE_RELEASE_BUFFERS,
  OPTION,
  openssl,
  pointerTo,
  SESSION_CACHE,
  VERIFY,
  VERSION,
} from './openssl.ts';
import { keepSessions } from './resumption.ts';
import type { SessionCache } from './session-cache.ts';
import type { TlsStore } from './store.ts';
import type { TicketRing } from './tickets.ts';
import { verifyCallback } from './verify.ts';

/** Settings that OpenSSL refuses: which, and why, in words that follow "unable to ". */
export class TlsProblem extends Error {}

/** Plaintext of a record at most (RFC 8446 5.1). */
const RECORD_BYTES_MAX = 16_384;

export class TlsContext {
  /** Shown to the peer; null = none. */
  readonly certificate: Certificate | null;
  /** Where sessions of clients without tickets are; null = nowhere. */
  readonly sessions: SessionCache | null;
  /** Clients may send early data. */
  early = false;
  /** Key updates that a peer may send in a second; 0 = as many as it likes. */
  keyUpdatesMax = 0;
  readonly #handle: Handle;

  constructor(certificate: Certificate | null, sessions: SessionCache | null) {
    this.certificate = certificate;
    this.sessions = sessions;
    this.#handle = new Handle('context', openssl.SSL_CTX_new(openssl.TLS_method()), openssl.SSL_CTX_free);
  }

  get pointer(): bigint {
    return this.#handle.pointer;
  }

  /** Connections made from it go on. */
  free(): void {
    this.#handle.free();
  }
}

/** What a context of a bind line is made of, beside the settings. */
export interface ServerSide {
  /** Tells sessions of one from those of another: none is resumed where it was not made. */
  readonly identity: string;
  readonly tickets: TicketRing | null;
  readonly dhParams: Uint8Array | null;
  /** `tune.ssl.default-dh-param`: no more bits than that, nor than the certificate's key has; 0 = no DHE. */
  readonly dhBits: number;
  /** Where sessions of clients without tickets are; null = nowhere. */
  readonly sessions: SessionCache | null;
  /** `tune.ssl.lifetime` (seconds), `tune.ssl.hard-maxrecord` (0 = none). */
  readonly lifetimeSeconds: number;
  readonly maxRecordBytes: number;
  /** `tune.ssl.keyupdate-rate-limit`; 0 = none. */
  readonly keyUpdatesMax: number;
}

/** Throws TlsProblem. */
export function serverContext(
  store: TlsStore,
  settings: BindSettings,
  side: ServerSide,
  certificate: Certificate | null,
): TlsContext {
  const context = built(certificate, side.sessions, ctx => {
    common(ctx, settings, certificate);
    if (store.keylog) keepSecrets(ctx);
    let options = OPTION.noRenegotiation | OPTION.noCompression | OPTION.noResumptionOnRenegotiation;
    if (!settings.preferClientCiphers) options |= OPTION.serverPreference | OPTION.prioritizeChacha;
    if (!settings.tickets) options |= OPTION.noTicket;
    if (!settings.caNames) options |= OPTION.noCaNames;
    // As with HAProxy: who allows early data decides by rules what may be replayed.
    if (settings.early) options |= OPTION.noAntiReplay;
    openssl.SSL_CTX_set_options(ctx, options);
    verifyClients(ctx, store, settings);
    resume(ctx, settings, side, certificate);
    if (settings.alpn.length > 0) openssl.SSL_CTX_set_alpn_select_cb(ctx, selectProtocol(settings.alpn), 0n);
    if (certificate?.ocsp) openssl.SSL_CTX_callback_ctrl(ctx, CTRL.statusCallback, addressOf('SSL_is_dtls'));
    if (certificate?.sctl) showTimestamps(ctx, certificate.sctl);
    if (side.maxRecordBytes > 0)
      openssl.SSL_CTX_ctrl(ctx, CTRL.maxSendFragment, BigInt(Math.min(side.maxRecordBytes, RECORD_BYTES_MAX)), 0n);
    const dh = certificate?.dh ?? side.dhParams;
    const bits = certificate === null ? side.dhBits : Math.min(side.dhBits, keyBits(certificate.key));
    const params = dh !== null ? dhOf(dh) : bits > 0 ? dhGroup(bits) : null;
    if (params !== null) must(openssl.SSL_CTX_set0_tmp_dh_pkey(ctx, params), 'use the Diffie-Hellman parameters');
    if (settings.early) openssl.SSL_CTX_set_max_early_data(ctx, TLS_EARLY_BYTES);
  });
  context.early = settings.early;
  context.keyUpdatesMax = side.keyUpdatesMax;
  return context;
}

/** SSL_SERVERINFOV2, and where the extension may stand: SSL_EXT_CLIENT_HELLO, _TLS1_2_SERVER_HELLO, _TLS1_3_CERTIFICATE. */
const SERVER_INFO = 2;
const IN_HELLO_AND_CERTIFICATE = 0x80 | 0x100 | 0x1000;
/** signed_certificate_timestamp (RFC 6962 3.3). */
const TIMESTAMPS = 18;

/** For clients that ask for them. The certificate is there already. */
function showTimestamps(ctx: bigint, list: Uint8Array): void {
  const info = Buffer.alloc(8 + list.length);
  info.writeUInt32BE(IN_HELLO_AND_CERTIFICATE, 0);
  info.writeUInt16BE(TIMESTAMPS, 4);
  info.writeUInt16BE(list.length, 6);
  info.set(list, 8);
  must(openssl.SSL_CTX_use_serverinfo_ex(ctx, SERVER_INFO, pointerTo(info), info.length), 'use the signed timestamps');
}

/** Throws TlsProblem. */
export function clientContext(store: TlsStore, settings: ServerTls): TlsContext {
  const certificate = settings.certificate === null ? null : store.certificate(settings.certificate);
  return built(certificate, null, ctx => {
    common(ctx, settings, certificate);
    if (store.keylog) keepSecrets(ctx);
    let options = OPTION.noCompression;
    if (!settings.renegotiate) options |= OPTION.noRenegotiation;
    if (!settings.tickets) options |= OPTION.noTicket;
    openssl.SSL_CTX_set_options(ctx, options);
    openssl.SSL_CTX_ctrl(ctx, CTRL.sessionCacheMode, SESSION_CACHE.off, 0n);
    if (settings.verify !== 'none' && settings.caFile !== null) {
      openssl.SSL_CTX_set1_cert_store(ctx, store.verifier([settings.caFile], settings.crlFile).pointer);
      openssl.SSL_CTX_set_verify(ctx, VERIFY.peer, 0n);
    }
    if (settings.alpn.length > 0) {
      const protocols = wireProtocols(settings.alpn);
      // 0 is success here.
      must(openssl.SSL_CTX_set_alpn_protos(ctx, protocols, protocols.length) === 0 ? 1 : 0, 'set the ALPN protocols');
    }
  });
}

function built(
  certificate: Certificate | null,
  sessions: SessionCache | null,
  fill: (ctx: bigint) => void,
): TlsContext {
  takeError();
  const context = new TlsContext(certificate, sessions);
  try {
    fill(context.pointer);
  } catch (error) {
    context.free();
    throw error;
  }
  takeError();
  return context;
}

function common(ctx: bigint, settings: TlsSettings, certificate: Certificate | null): void {
  openssl.SSL_CTX_ctrl(ctx, CTRL.mode, MODE_RELEASE_BUFFERS | MODE_NO_AUTO_CHAIN, 0n);
  // Ciphers and certificates are judged by it.
  if (settings.securityLevel !== null) openssl.SSL_CTX_set_security_level(ctx, settings.securityLevel);
  const { minVersion, maxVersion, ciphers, ciphersuites } = settings;
  must(
    openssl.SSL_CTX_ctrl(ctx, CTRL.minVersion, BigInt(VERSION[minVersion]), 0n),
    `set the oldest version ${minVersion}`,
  );
  must(
    openssl.SSL_CTX_ctrl(ctx, CTRL.maxVersion, BigInt(VERSION[maxVersion]), 0n),
    `set the newest version ${maxVersion}`,
  );
  // Without a word of them they are OpenSSL's own.
  if (ciphers !== null) must(openssl.SSL_CTX_set_cipher_list(ctx, ciphers), `set SSL cipher list to '${ciphers}'`);
  if (ciphersuites !== null) {
    must(openssl.SSL_CTX_set_ciphersuites(ctx, ciphersuites), `set TLS 1.3 cipher suites to '${ciphersuites}'`);
  }
  setList(ctx, CTRL.groups, settings.curves, 'set SSL curves list to');
  setList(ctx, CTRL.signatures, settings.sigalgs, 'set the signature algorithms to');
  setList(ctx, CTRL.clientSignatures, settings.clientSigalgs, 'set the client signature algorithms to');
  if (certificate !== null) useCertificate(ctx, certificate);
}

function setList(ctx: bigint, control: number, list: string | null, what: string): void {
  if (list === null) return;
  const bytes = Buffer.from(`${list}\0`, 'latin1');
  must(openssl.SSL_CTX_ctrl(ctx, control, 0n, pointerTo(bytes)), `${what} '${list}'`);
}

/** Whether OpenSSL takes the certificate, with the settings that the context has. Throws TlsProblem. */
export function tryCertificate(context: TlsContext, certificate: Certificate): void {
  takeError();
  useCertificate(context.pointer, certificate);
}

function useCertificate(ctx: bigint, { name, leaf, chain, key }: Certificate): void {
  const own = certificateOf(leaf);
  const used = openssl.SSL_CTX_use_certificate(ctx, own);
  openssl.X509_free(own);
  must(used, `use the certificate of '${name}'`);
  const pkey = keyOf(key);
  const fits = openssl.SSL_CTX_use_PrivateKey(ctx, pkey);
  openssl.EVP_PKEY_free(pkey);
  must(fits, `use the private key of '${name}'`);
  for (const der of chain) {
    const x509 = certificateOf(der);
    must(openssl.SSL_CTX_ctrl(ctx, CTRL.chainCertificate, 1n, x509), `use the chain of '${name}'`);
    openssl.X509_free(x509);
  }
}

function verifyClients(ctx: bigint, store: TlsStore, settings: BindSettings): void {
  const { verify, caFile, caVerifyFile, crlFile } = settings;
  if (verify === 'none') return;
  const mode = VERIFY.peer | (verify === 'required' ? VERIFY.failIfNone : 0);
  openssl.SSL_CTX_set_verify(ctx, mode, verifyCallback(settings));
  const authorities = [caFile, caVerifyFile].filter(file => file !== null);
  openssl.SSL_CTX_set1_cert_store(ctx, store.verifier(authorities, crlFile).pointer);
  // Clients are told the names of `ca-file` only.
  for (const der of caFile === null ? [] : store.authorities(caFile)) {
    const x509 = certificateOf(der);
    openssl.SSL_CTX_add_client_CA(ctx, x509);
    openssl.X509_free(x509);
  }
}

/** Session id context, tickets, the cache for clients without tickets. */
function resume(ctx: bigint, settings: BindSettings, side: ServerSide, certificate: Certificate | null): void {
  const identity = createHash('sha256')
    .update(side.identity)
    .update(certificate?.leaf ?? '');
  openssl.SSL_CTX_set_session_id_context(ctx, identity.digest(), 32);
  keepSessions(ctx, side.sessions, settings.tickets);
  openssl.SSL_CTX_set_timeout(ctx, BigInt(side.lifetimeSeconds));
  side.tickets?.install(ctx);
}

function must(result: number | bigint, what: string): void {
  if (result <= 0) throw new TlsProblem(`${what}: ${reason('refused')}`);
}
