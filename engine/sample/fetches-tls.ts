/** Fetches of TLS connections (manual 7.3.4): `ssl_fc_...` of the client's, `ssl_bc_...` of the server's, `ssl_c_...` of its certificate. */
import { TlsConn } from '../tls/conn.ts';
import type { TlsConnection } from '../tls/connection.ts';
import type { Fetch, SampleContext } from './context.ts';
import type { Source } from './points.ts';
import { type FetchRow, plain } from './row.ts';
import { bytesOf, type Sample, type TypeName } from './sample.ts';

type ConnOf = (ctx: SampleContext) => TlsConn | null;

const front: ConnOf = ({ session: { conn } }) => (conn instanceof TlsConn ? conn : null);
const back: ConnOf = ({ stream }) => {
  const conn = stream?.serverSide?.conn ?? null;
  return conn instanceof TlsConn ? conn : null;
};

function text(out: Sample, value: string): boolean {
  if (value === '') return false;
  const bytes = bytesOf(value);
  return out.setStr(bytes, 0, bytes.length);
}

/** [end of the name, type, doc, what it reads]: the same for both sides. */
const BOTH: readonly (readonly [
  string,
  TypeName,
  string,
  (conn: TlsConn, tls: TlsConnection, out: Sample) => boolean,
])[] = [
  ['alpn', 'str', 'The protocol agreed on by ALPN.', (_, tls, out) => text(out, tls.protocol())],
  ['cipher', 'str', 'The cipher.', (_, tls, out) => text(out, tls.cipher())],
  ['protocol', 'str', 'The TLS version.', (conn, tls, out) => conn.open && text(out, tls.version())],
  ['alg_keysize', 'sint', "Bits of the cipher's key.", (_, tls, out) => keyBits(tls, 'all', out)],
  ['use_keysize', 'sint', "Bits of the cipher's key that are in use.", (_, tls, out) => keyBits(tls, 'used', out)],
  ['is_resumed', 'bool', 'The session was resumed.', (_, tls, out) => out.setBool(tls.resumed())],
];

function keyBits(tls: TlsConnection, which: 'all' | 'used', out: Sample): boolean {
  const bits = tls.keyBits();
  return bits !== null && out.setInt(bits[which]);
}

function side(prefix: 'ssl_fc' | 'ssl_bc', of: ConnOf, from: Source, whose: string): FetchRow[] {
  const reads = BOTH.map(([end, type, doc, read]) =>
    plain(`${prefix}_${end}`, type, from, `${doc.slice(0, -1)} (${whose}).`, (ctx, out) => {
      const conn = of(ctx);
      return conn !== null && conn.tls !== null && !conn.tls.freed && read(conn, conn.tls, out);
    }),
  );
  return [
    plain(prefix, 'bool', from, `The ${whose} connection has TLS.`, (ctx, out) => out.setBool(of(ctx) !== null)),
    ...reads,
    plain(`${prefix}_err`, 'sint', from, `OpenSSL's number of what went wrong (${whose}).`, (ctx, out) => {
      return out.setInt(of(ctx)?.error?.code ?? 0);
    }),
    plain(`${prefix}_err_str`, 'str', from, `The same in words (${whose}).`, (ctx, out) => {
      return text(out, of(ctx)?.error?.text ?? '');
    }),
  ];
}

/** What the client's hello asked for. */
const serverName = (ctx: SampleContext): string => front(ctx)?.hello?.serverName ?? '';

/** A number of the client's certificate; absent without TLS. */
function ofCertificate(name: string, doc: string, read: (tls: TlsConnection) => number): FetchRow {
  return plain(name, 'sint', 'clientSession', doc, (ctx, out) => {
    const tls = front(ctx)?.tls ?? null;
    return tls !== null && out.setInt(read(tls));
  });
}

const hasCertificate: Fetch = (ctx, out) => {
  const tls = front(ctx)?.tls ?? null;
  return tls !== null && out.setBool(tls.hasPeerCertificate());
};

export const TLS_FETCHES: readonly FetchRow[] = [
  ...side('ssl_fc', front, 'clientSession', "client's"),
  ...side('ssl_bc', back, 'serverSession', "server's"),
  plain('ssl_fc_sni', 'str', 'clientSession', 'The server name that the client asked for.', (ctx, out) => {
    return text(out, serverName(ctx));
  }),
  plain('ssl_fc_has_sni', 'bool', 'clientSession', 'The client asked for a server name.', (ctx, out) => {
    return out.setBool(serverName(ctx) !== '');
  }),
  plain('ssl_fc_has_crt', 'bool', 'clientSession', 'The client showed a certificate.', hasCertificate),
  plain('ssl_c_used', 'bool', 'clientSession', 'The client showed a certificate.', hasCertificate),
  ofCertificate('ssl_c_verify', 'What verifying its certificate gave; 0 = good.', tls => tls.verifyResult()),
  ofCertificate('ssl_c_err', "The first error of the client's own certificate; 0 = none.", tls => tls.verified.own),
  ofCertificate('ssl_c_ca_err', 'The first error of its authorities; 0 = none.', tls => tls.verified.authority),
  ofCertificate('ssl_c_ca_err_depth', 'How far up in the chain that was.', tls => tls.verified.depth),
];
