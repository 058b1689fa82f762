/** The TLS connections of a stream as fetches see them, and the certificates shown there. */
import type { Certificate } from '../config/tls-model.ts';
import { errorOfErrno, handshakeError, numberOf } from '../proxy/connection-errors.ts';
import { TlsConn } from '../tls/conn.ts';
import type { TlsConnection } from '../tls/connection.ts';
import { readX509, type X509 } from '../tls/x509.ts';
import type { SampleContext } from './context.ts';
import { bytesOf, type Sample } from './sample.ts';

export type ConnOf = (ctx: SampleContext) => TlsConn | null;

/** The client's connection; null without TLS. */
export const front: ConnOf = ({ session: { conn } }) => (conn instanceof TlsConn ? conn : null);

/** The server's connection. */
export const back: ConnOf = ({ stream }) => {
  const conn = stream?.serverSide?.conn ?? stream?.serverTls ?? null;
  return conn instanceof TlsConn ? conn : null;
};

/** What went wrong with the server's connection: a number of CONNECTION_ERRORS, 0 = nothing. */
export function serverError(ctx: SampleContext): number {
  const conn = back(ctx);
  if (conn === null || (conn.error === null && conn.failure !== 'failed')) return errorOfErrno(ctx.stream?.errno ?? 0);
  if (conn.failure === 'none') return numberOf('SSL_FATAL');
  return handshakeError(conn.tls);
}

/** What OpenSSL knows of it; null when it knows nothing yet, or no more. */
export function tlsOf(conn: TlsConn | null): TlsConnection | null {
  return conn === null || conn.tls === null || conn.tls.freed ? null : conn.tls;
}

export function text(out: Sample, value: string): boolean {
  if (value === '') return false;
  const bytes = bytesOf(value);
  return out.setStr(bytes, 0, bytes.length);
}

export function str(out: Sample, bytes: Uint8Array | null): boolean {
  return bytes !== null && bytes.length > 0 && out.setStr(bytes, 0, bytes.length);
}

export function bin(out: Sample, bytes: Uint8Array | null): boolean {
  return bytes !== null && bytes.length > 0 && out.setBin(bytes, 0, bytes.length);
}

const shown = new WeakMap<TlsConnection, X509 | null>();
const own = new WeakMap<Certificate, X509 | null>();

/** The certificate that the other end has shown; null = none. It is read once per connection. */
export function peerX509(conn: TlsConn | null): X509 | null {
  const tls = conn?.tls ?? null;
  if (tls === null) return null;
  let x509 = shown.get(tls);
  if (x509 === undefined) {
    const der = tls.peerCertificate();
    x509 = der === null ? null : readX509(der);
    if (!tls.freed) shown.set(tls, x509);
  }
  return x509;
}

/** The certificate that we have shown. */
export function ownX509(conn: TlsConn | null): X509 | null {
  const certificate = conn?.tls?.context.certificate ?? null;
  if (certificate === null) return null;
  let x509 = own.get(certificate);
  if (x509 === undefined) {
    x509 = readX509(certificate.leaf);
    own.set(certificate, x509);
  }
  return x509;
}
