/** What an authority is asked about a certificate, and where (RFC 6960 4.1, A.1). */
import { X509Certificate } from 'node:crypto';

/** Where the certificate says that its issuer answers (Authority Information Access); null = it does not, or not over HTTP. */
export function responderOf(leaf: Uint8Array): URL | null {
  const text = /^OCSP - URI:(\S+)$/m.exec(new X509Certificate(leaf).infoAccess ?? '')?.[1];
  const url = text === undefined ? null : URL.parse(text);
  return url?.protocol === 'http:' ? url : null;
}

/**
 * The question about one certificate, by its CertID in hexadecimal.
 *
 *   30 l { tbs 30 l { list 30 l { request 30 l { certId } } } }
 */
export function ocspRequest(id: string): Uint8Array {
  let bytes = Buffer.from(id, 'hex');
  for (let depth = 0; depth < 4; depth++) bytes = Buffer.concat([sequence(bytes.length), bytes]);
  return bytes;
}

/** The tag and the length of a sequence. */
function sequence(length: number): Uint8Array {
  return length < 128 ? Uint8Array.of(0x30, length) : Uint8Array.of(0x30, 0x82, length >> 8, length & 0xff);
}

/** Longer ones are posted. */
const IN_URL_BYTES_MAX = 255;

/** The HTTP request. `whole`: the target is a whole URL, for a proxy. */
export function httpRequest(url: URL, request: Uint8Array, whole: boolean): Uint8Array {
  const base64 = Buffer.from(request).toString('base64');
  const path = `${whole ? url.origin : ''}${url.pathname}${url.search}`;
  const inUrl = base64.length <= IN_URL_BYTES_MAX;
  const line = inUrl ? `GET ${path.replace(/\/?$/, '/')}${encodeURIComponent(base64)}` : `POST ${path}`;
  const fields = [`Host: ${url.host}`, 'Accept: application/ocsp-response', 'Connection: close'];
  if (!inUrl) fields.push('Content-Type: application/ocsp-request', `Content-Length: ${request.length}`);
  const head = Buffer.from(`${line} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`, 'latin1');
  return inUrl ? head : Buffer.concat([head, request]);
}
