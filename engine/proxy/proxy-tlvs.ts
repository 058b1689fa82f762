/** What a PROXY header of version 2 tells a server beside addresses (`proxy-v2-options`). */
import type { ProxyOption } from '../config/proxy-model.ts';
import { ownX509, peerX509 } from '../sample/tls-ends.ts';
import { TlsConn } from '../tls/conn.ts';
import type { TlsConnection } from '../tls/connection.ts';
import { entryOf, keyText, shortName } from '../tls/names.ts';
import { uniqueId } from './notes.ts';
import { CRC_BYTES, field, known, SSL_BYTES, TLV } from './proxy-fields.ts';
import type { Stream } from './stream.ts';

/** In the `client` byte: there is TLS; a certificate was shown over this connection; in this session. */
const CLIENT_SSL = 1;
const CLIENT_CERT_CONN = 2;
const CLIENT_CERT_SESS = 4;

/** The fields for a server, `own` ones last; the checksum, if there is one, comes first and is still zero: see `seal`. */
export function fieldsFor(stream: Stream, options: readonly ProxyOption[], own: readonly Uint8Array[]): Uint8Array {
  const { conn } = stream.session;
  const secure = conn instanceof TlsConn ? conn : null;
  const wants = (option: ProxyOption): boolean => options.includes(option);
  return Buffer.concat([
    ...(wants('crc32c') ? field(TLV.CRC32, new Uint8Array(CRC_BYTES)) : []),
    ...known(TLV.ALPN, secure?.tls?.protocol() ?? ''),
    ...(wants('authority') ? known(TLV.AUTHORITY, secure?.hello?.serverName ?? '') : []),
    ...(wants('unique-id') ? known(TLV.UNIQUE_ID, uniqueId(stream)) : []),
    ...(wants('ssl') ? field(TLV.SSL, sslOf(secure, options)) : []),
    ...known(TLV.NETNS, stream.session.namespace),
    ...own,
  ]);
}

function sslOf(conn: TlsConn | null, options: readonly ProxyOption[]): Uint8Array {
  const head = new Uint8Array(SSL_BYTES);
  const tls = conn?.tls ?? null;
  if (conn === null || tls === null) return head;
  head[0] = CLIENT_SSL | certificateBits(tls);
  new DataView(head.buffer).setUint32(1, tls.verifyResult());
  const wants = (option: ProxyOption): boolean => options.includes(option);
  const peer = wants('cert-cn') ? peerX509(conn) : null;
  const own = ownX509(conn);
  return Buffer.concat([
    head,
    ...known(TLV.SSL_VERSION, tls.version()),
    ...(peer === null ? [] : known(TLV.SSL_CN, entryOf(peer.subject, 'CN', 1))),
    ...(wants('cert-key') && own !== null ? known(TLV.SSL_KEY_ALG, keyText(own.der)) : []),
    ...(wants('cert-sig') && own !== null ? known(TLV.SSL_SIG_ALG, shortName(own.signature)) : []),
    ...(wants('ssl-cipher') ? known(TLV.SSL_CIPHER, tls.cipher()) : []),
  ]);
}

function certificateBits(tls: TlsConnection): number {
  if (!tls.hasPeerCertificate()) return 0;
  return tls.resumed() ? CLIENT_CERT_SESS : CLIENT_CERT_CONN | CLIENT_CERT_SESS;
}
