/**
 * Cookie persistence (manual 4.2, `cookie`): the request's cookie names a server, the response's cookie tells the client
 * which one it got.
 *
 *   mode      request                                    response
 *   rewrite   value = server                             the server's own Set-Cookie gets the value
 *   insert    value = server; `indirect` hides it        a Set-Cookie is added unless the client has the right one
 *   prefix    `server~rest`: the prefix is cut off        the server's own Set-Cookie gets the prefix
 */
import type { Cookie } from '../config/model.ts';
import { isExactly, latin1 } from '../http/chars.ts';
import {
  CookieAt,
  cutPrefix,
  findCookie,
  findSetCookie,
  prefixValue,
  removeCookie,
  replaceValue,
} from '../http/cookie.ts';
import type { Head } from '../http/head.ts';
import { METHOD_POST } from '../http/names.ts';
import { isCacheable } from './cacheable.ts';
import type { Backend, Server } from './nouns.ts';
import type { Stream } from './stream.ts';
import { isDown } from './usable.ts';

const TILDE = 126;

/** A backend's cookie, ready to be compared and sent. */
export class CookiePersistence {
  readonly config: Cookie;
  readonly name: Uint8Array;
  /** By server index: the cookie value that names it; empty = none does. */
  readonly values: readonly Uint8Array[];
  readonly prefixes: readonly Uint8Array[];
  readonly setCookies: readonly string[];
  /** The header that makes a client forget its cookie. */
  readonly expired: string;

  constructor(config: Cookie, servers: readonly Server[]) {
    this.config = config;
    this.name = latin1(config.name);
    this.values = servers.map(s => latin1(s.config.cookie ?? ''));
    this.prefixes = servers.map(s => latin1(`${s.config.cookie ?? ''}~`));
    const attributes = [
      '; path=/',
      ...config.domains.map(d => `; domain=${d}`),
      config.httponly ? '; HttpOnly' : '',
      config.secure ? '; Secure' : '',
      ...config.attrs.map(a => `; ${a}`),
    ].join('');
    this.setCookies = servers.map(s => `${config.name}=${s.config.cookie ?? ''}${attributes}`);
    this.expired = `${config.name}=; Expires=Thu, 01-Jan-1970 00:00:01 GMT${attributes}`;
  }
}

const at = new CookieAt();

/** The usable server that the request's cookie names; null = none. Edits the cookie out of the request as the mode wants. */
export function persistedServer(stream: Stream): Server | null {
  const backend = stream.backend!;
  const { cookie } = backend;
  if (cookie === null || !stream.http || !findCookie(stream.requestHead, cookie.name, at)) return null;
  const { config } = cookie;
  stream.cookie = 'invalid';
  const server = namedServer(cookie, backend, stream.requestHead, at, config.mode === 'prefix');
  if (config.mode === 'prefix' && server !== null) {
    const length = cookie.prefixes[server.config.index]!.length;
    if (at.valueEnd - at.valueStart >= length) cutPrefix(stream.requestHead, at, length);
  } else if (config.mode === 'insert' && config.indirect) {
    for (let found = true; found; found = findCookie(stream.requestHead, cookie.name, at)) {
      removeCookie(stream.requestHead, at);
    }
  }
  if (server === null) return null;
  if (stream.ignoresPersistence) return null;
  const usable = !isDown(server) || backend.proxy.options.persist || stream.forcesPersistence;
  stream.cookie = usable ? 'valid' : 'down';
  return usable ? server : null;
}

function namedServer(
  cookie: CookiePersistence,
  backend: Backend,
  head: Head,
  where: CookieAt,
  prefix: boolean,
): Server | null {
  const bytes = head.bytesOf(where.slot);
  for (const server of backend.servers) {
    if (server.config.cookie === null) continue;
    const value = cookie.values[server.config.index]!;
    const cut = where.valueStart + value.length;
    const end = prefix && cut < where.valueEnd && bytes[cut] === TILDE ? cut : where.valueEnd;
    if (isExactly(bytes, where.valueStart, end, value)) return server;
  }
  return null;
}

/** Tells the client its server, as the mode wants. */
export function setPersistence(stream: Stream): void {
  const { backend, server } = stream;
  const cookie = backend?.cookie ?? null;
  if (cookie === null || server === null || server.config.cookie === null) return;
  const { config } = cookie;
  const head = stream.responseHead;
  const index = server.config.index;
  const set = findSetCookie(head, cookie.name, at);
  if (config.mode === 'rewrite') {
    if (set && replaceValue(head, at, cookie.values[index]!)) stream.cookieSet = 'R';
  } else if (config.mode === 'prefix') {
    if (set && prefixValue(head, at, cookie.prefixes[index]!)) stream.cookieSet = 'R';
  } else if (set && config.preserve) stream.cookieSet = 'P';
  else {
    if (set) removeSetCookies(stream, cookie.name);
    if (mustInsert(stream, config)) insert(stream, config, cookie.setCookies[index]!);
  }
}

/** In insert mode the cookie is ours: what the server sets by its name would be in the way. */
function removeSetCookies(stream: Stream, name: Uint8Array): void {
  const head = stream.responseHead;
  stream.cookieSet = 'D';
  for (let found = true; found; found = findSetCookie(head, name, at)) head.remove(at.slot);
}

function insert(stream: Stream, config: Cookie, setCookie: string): void {
  const head = stream.responseHead;
  stream.cookieSet = 'I';
  head.add('set-cookie', setCookie);
  if (config.nocache && isCacheable(stream.requestHead, head)) head.add('cache-control', 'private');
}

function mustInsert(stream: Stream, config: Cookie): boolean {
  if (stream.cookie === 'valid') return false;
  return !config.postonly || stream.requestHead.methodId === METHOD_POST;
}
