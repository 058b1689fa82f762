/** Fetches of TLS connections (manual 7.3.4): `ssl_fc_...` of the client's, `ssl_bc_...` of the server's, `ssl_c_...` of its certificate. */
import type { TlsConnection } from '../tls/connection.ts';
import { errorLine } from '../tls/errors.ts';
import { clientRandom, curve, masterKey, sentName, serverRandom, sessionId, uniqueId } from '../tls/facts.ts';
import type { Fetch, SampleContext } from './context.ts';
import type { Source } from './points.ts';
import { type FetchRow, plain } from './row.ts';
import type { Sample, TypeName } from './sample.ts';
import { back, bin, type ConnOf, front, text, tlsOf } from './tls-ends.ts';

/** [end of the name, type, doc, what it reads]: the same for both sides. */
const BOTH: readonly (readonly [string, TypeName, string, (tls: TlsConnection, out: Sample) => boolean])[] = [
  ['alpn', 'str', 'The protocol agreed on by ALPN.', (tls, out) => text(out, tls.protocol())],
  ['cipher', 'str', 'The cipher.', (tls, out) => text(out, tls.cipher())],
  ['protocol', 'str', 'The TLS version.', (tls, out) => text(out, tls.version())],
  ['alg_keysize', 'sint', "Bits of the cipher's key.", (tls, out) => keyBits(tls, 'all', out)],
  ['use_keysize', 'sint', "Bits of the cipher's key that are in use.", (tls, out) => keyBits(tls, 'used', out)],
  ['client_random', 'bin', "The client's random.", (tls, out) => bin(out, clientRandom(tls))],
  ['server_random', 'bin', "The server's random.", (tls, out) => bin(out, serverRandom(tls))],
  ['session_id', 'bin', 'The session id.', (tls, out) => bin(out, sessionId(tls))],
  ['session_key', 'bin', 'The master secret.', (tls, out) => bin(out, masterKey(tls))],
  ['unique_id', 'bin', 'The first Finished message (RFC 5929).', (tls, out) => bin(out, uniqueId(tls))],
  ['curve', 'str', 'The group of the key exchange.', (tls, out) => text(out, curve(tls))],
  ['npn', 'str', 'The protocol agreed on by NPN: nobody speaks it any more.', () => false],
];

function keyBits(tls: TlsConnection, which: 'all' | 'used', out: Sample): boolean {
  const bits = tls.keyBits();
  return bits !== null && out.setInt(bits[which]);
}

/** `tune.ssl.keylog`: the end of the name is the label of an SSLKEYLOGFILE. */
const SECRETS = [
  'client_early_traffic_secret',
  'client_handshake_traffic_secret',
  'client_traffic_secret_0',
  'server_handshake_traffic_secret',
  'server_traffic_secret_0',
  'early_exporter_secret',
  'exporter_secret',
] as const;

function secrets(prefix: string, of: ConnOf, from: Source, whose: string): FetchRow[] {
  return SECRETS.map(end => {
    const label = end.toUpperCase();
    return plain(`${prefix}_${end}`, 'str', from, `The secret ${label} (${whose}).`, (ctx, out) => {
      return text(out, of(ctx)?.tls?.secrets.get(label) ?? '');
    });
  });
}

function side(prefix: 'ssl_fc' | 'ssl_bc', of: ConnOf, from: Source, whose: string): FetchRow[] {
  const reads = BOTH.map(([end, type, doc, read]) =>
    plain(`${prefix}_${end}`, type, from, `${doc.slice(0, -1)} (${whose}).`, (ctx, out) => {
      const tls = tlsOf(of(ctx));
      return tls !== null && read(tls, out);
    }),
  );
  return [
    plain(prefix, 'bool', from, `The ${whose} connection has TLS.`, (ctx, out) => out.setBool(of(ctx) !== null)),
    ...reads,
    ...secrets(prefix, of, from, whose),
    plain(`${prefix}_is_resumed`, 'bool', from, `The session was resumed (${whose}).`, (ctx, out) => {
      return out.setBool(of(ctx)?.tls?.resumed() ?? false);
    }),
    plain(`${prefix}_err`, 'sint', from, `OpenSSL's number of what went wrong (${whose}).`, (ctx, out) => {
      const conn = of(ctx);
      return conn !== null && out.setInt(conn.error?.code ?? 0);
    }),
    plain(`${prefix}_err_str`, 'str', from, `The same in words (${whose}).`, (ctx, out) => {
      const error = of(ctx)?.error ?? null;
      return error !== null && text(out, errorLine(error));
    }),
  ];
}

/** What the client's hello asked for. */
const serverName = (ctx: SampleContext): string => front(ctx)?.hello?.serverName ?? '';

/** A number of the client's certificate; absent without TLS. */
function ofCertificate(name: string, doc: string, read: (tls: TlsConnection) => number): FetchRow {
  return plain(name, 'sint', 'clientSession', doc, (ctx, out) => {
    const conn = front(ctx);
    return conn !== null && out.setInt(conn.tls === null ? 0 : read(conn.tls));
  });
}

/** Nothing where the handshake has failed: what was wrong is told by `ssl_c_err` and `ssl_c_ca_err`. */
const verified: Fetch = (ctx, out) => {
  const conn = front(ctx);
  return conn !== null && conn.failure === 'none' && out.setInt(conn.tls?.verifyResult() ?? 0);
};

const hasCertificate: Fetch = (ctx, out) => {
  const conn = front(ctx);
  return conn !== null && out.setBool(conn.tls?.hasPeerCertificate() ?? false);
};

/** Not one that a resumed session remembers; nothing where there was no handshake. */
const hasShown: Fetch = (ctx, out) => {
  const conn = front(ctx);
  const tls = tlsOf(conn);
  if (tls === null || !(conn!.open || conn!.early)) return false;
  return out.setBool(tls.hasPeerCertificate() && !tls.resumed());
};

const hasEarly: Fetch = (ctx, out) => front(ctx) !== null && out.setBool(front(ctx)!.early);
const earlyReceived: Fetch = (ctx, out) => front(ctx) !== null && out.setBool(front(ctx)!.earlyReceived);

export const TLS_FETCHES: readonly FetchRow[] = [
  ...side('ssl_fc', front, 'clientSession', "client's"),
  ...side('ssl_bc', back, 'serverSession', "server's"),
  plain('ssl_fc_sni', 'str', 'clientSession', 'The server name that the client asked for.', (ctx, out) => {
    return text(out, serverName(ctx));
  }),
  plain('ssl_fc_has_sni', 'bool', 'clientSession', 'The client asked for a server name.', (ctx, out) => {
    return out.setBool(serverName(ctx) !== '');
  }),
  plain('ssl_fc_has_crt', 'bool', 'clientSession', 'The client showed a certificate.', hasShown),
  plain('ssl_c_used', 'bool', 'clientSession', 'The client has a certificate.', hasCertificate),
  plain('ssl_fc_has_early', 'bool', 'clientSession', 'Early data came, and the handshake is not complete.', hasEarly),
  plain('ssl_fc_early_rcvd', 'bool', 'clientSession', 'Early data came.', earlyReceived),
  plain('ssl_fc_crtname', 'str', 'clientSession', 'The name of the certificate that was shown.', (ctx, out) => {
    return text(out, front(ctx)?.tls?.context.certificate?.name ?? '');
  }),
  plain('ssl_bc_sni', 'str', 'serverSession', 'The server name that the server was asked for.', (ctx, out) => {
    const tls = tlsOf(back(ctx));
    return tls !== null && text(out, sentName(tls));
  }),
  plain('ssl_c_verify', 'sint', 'clientSession', 'What verifying its certificate gave; 0 = good.', verified),
  ofCertificate('ssl_c_err', "The first error of the client's own certificate; 0 = none.", tls => tls.verified.own),
  ofCertificate('ssl_c_ca_err', 'The first error of its authorities; 0 = none.', tls => tls.verified.authority),
  ofCertificate('ssl_c_ca_err_depth', 'How far up in the chain that was.', tls => tls.verified.depth),
];
