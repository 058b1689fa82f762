/** Responses that Sluice makes itself, as bytes. They are made at load or for rare events, so plain strings serve. */
import { latin1 } from './chars.ts';

const REASONS: Readonly<Record<number, string>> = {
  100: 'Continue',
  200: 'OK',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  407: 'Unauthorized',
  408: 'Request Time-out',
  410: 'Gone',
  413: 'Payload Too Large',
  414: 'URI Too Long',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  425: 'Too Early',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Time-out',
};

/** HAProxy's reason phrase of a status; '' when it has none. */
export function reasonOf(status: number): string {
  return REASONS[status] ?? '';
}

export type Field = readonly [name: string, value: string];

/** The header to put in a reply for what happens to the connection after it; null = none (a client of HTTP/1.1 stays). */
export type ReplyConnection = 'close' | 'keep-alive' | null;

/**
 * A whole response: `content-length` first unless `fields` places it, then `fields` in their order (names in lower
 * case, Latin-1), then the body. For HEAD, send only `headLength` bytes of it.
 */
export function reply(
  status: number,
  fields: readonly Field[],
  body: Uint8Array | string,
  reason = reasonOf(status),
): Uint8Array {
  const payload = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const placed = fields.some(([name]) => name === 'content-length');
  const length: Field = ['content-length', String(payload.length)];
  const all = placed ? fields : [length, ...fields];
  // A 204 has no payload, nor a length of it (RFC 9110 8.6).
  const lines = (status === 204 ? all.filter(([name]) => name !== 'content-length') : all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  return join(latin1(`HTTP/1.1 ${status} ${reason}\r\n${lines}\r\n`), payload);
}

/** The head alone of a response whose payload is made later; `fields` say how it is framed. */
export function headOnly(status: number, fields: readonly Field[]): Uint8Array {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return latin1(`HTTP/1.1 ${status} ${reasonOf(status)}\r\n${lines}\r\n`);
}

/** Redirects that a cache must not answer the next request with. */
const NOT_CACHED = [302, 303, 307];

/** A redirect as HAProxy's `http-request redirect` makes it. `location` is put in as it is: no CR or LF may be in it. */
export function redirect(status: number, location: string, fields: readonly Field[] = []): Uint8Array {
  const cache: readonly Field[] = NOT_CACHED.includes(status) ? [['cache-control', 'no-cache']] : [];
  return reply(status, [['content-length', '0'], ['location', location], ...cache, ...fields], '');
}

/** `response` (a whole one, made by `reply`) with a Connection header at the end of its head. */
export function withConnection(response: Uint8Array, connection: ReplyConnection): Uint8Array {
  if (connection === null) return response;
  const end = headLength(response) - 2;
  const line = latin1(`connection: ${connection}\r\n`);
  return join(join(response.subarray(0, end), line), response.subarray(end));
}

/** Bytes of the head of a whole response, its empty line included. */
export function headLength(response: Uint8Array): number {
  for (let i = 0; i + 3 < response.length; i++) {
    if (response[i] === 13 && response[i + 1] === 10 && response[i + 2] === 13 && response[i + 3] === 10) return i + 4;
  }
  return response.length;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
