/**
 * One TLS connection without I/O: records come in by `wire.feed`, plaintext and records come out. Which end it is and
 * whom it shows is said by the context it is made from.
 *
 *   handshake() until 'open' ──► read(), write() ──► close()
 */
import type { TlsContext } from './context.ts';
import { type TlsError, takeError } from './errors.ts';
import { Handle } from './handle.ts';
import { NO_SECRETS, type Secrets, takeSecrets } from './keylog.ts';
import { derOf } from './objects.ts';
import { EARLY, EARLY_REJECTED, ERROR, openssl, pointerTo, textAt, view, X509_OK } from './openssl.ts';
import { forgetSession } from './resumption.ts';
import { ALL_GOOD, takeVerified, type Verified } from './verify.ts';
import * as wire from './wire.ts';

/** `read` and `handshake`: more records are needed, the peer closed its side, or the connection is of no use any more. */
export const MORE = 0;
export const CLOSED = -1;
export const FAILED = -2;
/** `handshake`: done. */
export const OPEN = 1;

/** `readEarly`: there is no early data any more, the handshake goes on. */
export const OVER = -3;

/** The name of no cipher. */
export const NO_CIPHER = '(NONE)';

/** `SSL_set_shutdown`. */
const SENT_AND_RECEIVED = 3;

const EARLY_EOF: TlsError = { code: 0, text: 'unexpected end' };

/** Results of calls that write through pointers: an address, and its length. */
const results = new BigUint64Array(2);
const resultsAt = pointerTo(results.buffer);
const lengthAt = resultsAt + 8n;
const lengths = new Uint32Array(results.buffer);

export class TlsConnection {
  readonly context: TlsContext;
  readonly #handle: Handle;
  /** Why it failed. */
  error: TlsError | null = null;
  /** What was wrong with the certificates of the peer, tolerated or not. */
  verified: Verified = ALL_GOOD;
  /** By label; with `tune.ssl.keylog on`. */
  secrets: Secrets = NO_SECRETS;
  /** Early data may come (RFC 8446 2.3): `readEarly` comes before `handshake`. */
  awaitsEarly: boolean;
  /** How much early data the session that is resumed has room for; 0 = none is sent. Bytes. */
  earlyRoom = 0;
  /** What is written goes out before the handshake is complete. */
  #unfinished = false;

  /** `client`: we speak first. */
  constructor(context: TlsContext, client: boolean) {
    this.context = context;
    this.awaitsEarly = context.early && !client;
    const ssl = openssl.SSL_new(context.pointer);
    this.#handle = new Handle('connection', ssl, openssl.SSL_free);
    wire.attach(ssl);
    if (client) openssl.SSL_set_connect_state(ssl);
    else openssl.SSL_set_accept_state(ssl);
  }

  /** For settings before the handshake, and for what the handshake has found out. */
  get pointer(): bigint {
    return this.#handle.pointer;
  }

  get freed(): boolean {
    return this.#handle.freed;
  }

  /** Goes on with the handshake: OPEN, MORE or FAILED. There may be records to send afterwards. */
  handshake(): number {
    const ssl = this.#handle.pointer;
    const result = openssl.SSL_do_handshake(ssl);
    this.#takeFindings();
    if (result !== 1) return this.#judge(ssl, result);
    this.#unfinished = false;
    // Looking at certificates may leave errors behind that are none.
    openssl.ERR_clear_error();
    return OPEN;
  }

  /** Goes on with the handshake as far as early data leads: how many bytes came to `address`, or OVER, MORE, FAILED. */
  readEarly(address: bigint, bytes: number): number {
    const ssl = this.#handle.pointer;
    lengths[2] = 0;
    const result = openssl.SSL_read_early_data(ssl, address, bytes, lengthAt);
    const came = lengths[2]!;
    this.#takeFindings();
    if (result === EARLY.error) return this.#judge(ssl, 0);
    openssl.ERR_clear_error();
    this.awaitsEarly = result !== EARLY.finish;
    if (came > 0) this.#unfinished = true;
    return this.awaitsEarly ? came : OVER;
  }

  /** Makes the hello and the records of `bytes`, `earlyRoom` at most, before `handshake`: false = it has failed. */
  sendEarly(bytes: Uint8Array): boolean {
    const ssl = this.#handle.pointer;
    const result = openssl.SSL_write_early_data(
      ssl,
      wire.locate(bytes, undefined, 0, bytes.length),
      bytes.length,
      lengthAt,
    );
    return result === 1 || this.#judge(ssl, result) !== FAILED;
  }

  /** The handshake is complete, and the server has not read the early data. */
  get earlyRejected(): boolean {
    return this.earlyRoom > 0 && openssl.SSL_get_early_data_status(this.pointer) === EARLY_REJECTED;
  }

  /** What callbacks have left of a step of the handshake. */
  #takeFindings(): void {
    const verified = takeVerified();
    if (verified !== ALL_GOOD) this.verified = verified;
    const secrets = takeSecrets();
    if (secrets !== null) this.secrets = new Map([...this.secrets, ...secrets]);
  }

  /** Plaintext into `bytes` bytes at `address`: how many came, or MORE, CLOSED, FAILED. */
  read(address: bigint, bytes: number): number {
    const ssl = this.#handle.pointer;
    const n = openssl.SSL_read(ssl, address, bytes);
    if (n > 0) return n;
    // A server may have had another handshake.
    this.#takeFindings();
    return this.#judge(ssl, n);
  }

  /**
   * Makes records of `bytes` bytes at `address`, to `into` with its room: their length. It has failed where `error` is set; 0 = another
   * handshake goes on, and nothing was written.
   */
  write(address: bigint, bytes: number, into: bigint, room: number): number {
    const ssl = this.#handle.pointer;
    wire.aim(into, room);
    const result = this.#unfinished
      ? openssl.SSL_write_early_data(ssl, address, bytes, lengthAt)
      : openssl.SSL_write(ssl, address, bytes);
    const length = wire.aimed();
    if (result <= 0 && this.#judge(ssl, result) === CLOSED) this.error = EARLY_EOF;
    return length;
  }

  /** Makes the record that says that nothing more will come (close_notify). */
  close(): void {
    if (this.error !== null) return;
    openssl.SSL_shutdown(this.#handle.pointer);
    openssl.ERR_clear_error();
  }

  #judge(ssl: bigint, result: number): number {
    const why = openssl.SSL_get_error(ssl, result);
    if (why === ERROR.wantRead || why === ERROR.wantWrite) return MORE;
    if (why === ERROR.closed) return CLOSED;
    this.error = takeError() ?? EARLY_EOF;
    return FAILED;
  }

  /** Idempotent; nothing else may be called afterwards. */
  free(): void {
    if (this.#handle.freed) return;
    // OpenSSL takes a session for broken whose connection ended without close_notify: over HTTP that is usual.
    if (this.error === null) openssl.SSL_set_shutdown(this.#handle.pointer, SENT_AND_RECEIVED);
    else if (this.context.sessions !== null) forgetSession(this.context.sessions, this.#handle.pointer);
    this.#handle.free();
  }

  // --- what the handshake has found out ---

  /** `TLSv1.3`. */
  version(): string {
    return this.freed ? '' : textAt(openssl.SSL_get_version(this.pointer));
  }

  /** OpenSSL's name of the cipher; NO_CIPHER before the handshake. */
  cipher(): string {
    if (this.freed) return '';
    const cipher = openssl.SSL_get_current_cipher(this.pointer);
    return cipher === 0n ? NO_CIPHER : textAt(openssl.SSL_CIPHER_get_name(cipher));
  }

  /** Bits of the cipher's key: those in use, and those it has. */
  keyBits(): { readonly used: number; readonly all: number } | null {
    if (this.freed) return null;
    const cipher = openssl.SSL_get_current_cipher(this.pointer);
    if (cipher === 0n) return null;
    const used = openssl.SSL_CIPHER_get_bits(cipher, lengthAt);
    return { used, all: lengths[2]! };
  }

  /** The protocol that was agreed on; '' = none. */
  protocol(): string {
    if (this.freed) return '';
    lengths[2] = 0;
    openssl.SSL_get0_alpn_selected(this.pointer, resultsAt, lengthAt);
    const length = lengths[2]!;
    return length === 0 ? '' : Buffer.from(view(results[0]!, length)).toString('latin1');
  }

  resumed(): boolean {
    return !this.freed && openssl.SSL_session_reused(this.pointer) === 1;
  }

  /** X509_V_...; 0 = the peer's certificate is good, or there is none. */
  verifyResult(): number {
    return this.freed ? X509_OK : openssl.SSL_get_verify_result(this.pointer);
  }

  hasPeerCertificate(): boolean {
    if (this.freed) return false;
    return openssl.SSL_get0_peer_certificate(this.pointer) !== 0n || this.verified.refused !== null;
  }

  /** The peer's certificate, DER, also one that was refused; null = it showed none. */
  peerCertificate(): Uint8Array | null {
    if (this.freed) return null;
    const x509 = openssl.SSL_get1_peer_certificate(this.pointer);
    if (x509 === 0n) return this.verified.refused;
    const der = derOf(x509);
    openssl.X509_free(x509);
    return der;
  }

  /** The chain as the peer sent it, DER; a server's begins with its own certificate, a client's does not have it. */
  peerChain(): Uint8Array[] {
    // One that was refused is there, without its first certificate being the peer's.
    if (this.freed || openssl.SSL_get0_peer_certificate(this.pointer) === 0n) return [];
    const chain = openssl.SSL_get_peer_cert_chain(this.pointer);
    if (chain === 0n) return [];
    const n = openssl.OPENSSL_sk_num(chain);
    return Array.from({ length: Math.max(n, 0) }, (_, i) => derOf(openssl.OPENSSL_sk_value(chain, i)));
  }
}

/** The certificate that all trust in the peer's comes from, DER; null = it was not verified in this handshake. */
export function verifiedRoot({ pointer }: TlsConnection): Uint8Array | null {
  const chain = openssl.SSL_get0_verified_chain(pointer);
  const n = chain === 0n ? 0 : openssl.OPENSSL_sk_num(chain);
  return n <= 0 ? null : derOf(openssl.OPENSSL_sk_value(chain, n - 1));
}
