/**
 * Cookie persistence (manual 4.2, `cookie`): the request's cookie names a server, the response's cookie tells the client
 * which one it got.
 *
 *   mode      request                                    response
 *   rewrite   value = server                             the server's own Set-Cookie gets the value
 *   insert    value = server; `indirect` hides it        a Set-Cookie is added unless the client has the right one;
 *                                                        it may carry dates (cookie-dates.ts)
 *   prefix    `server~rest`: the prefix is cut off        the server's own Set-Cookie gets the prefix
 */
import type { Cookie } from '../config/proxy-model.ts';
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
import { wallMs } from '../time.ts';
import { isCacheable } from './cacheable.ts';
import { judgeDates, needsRefresh, readDates, writeDates } from './cookie-dates.ts';
import type { Backend, Server } from './nouns.ts';
import type { ServerCookie, ServerCookies } from './server-cookie.ts';
import type { Stream } from './stream.ts';
import { isDown } from './usable.ts';

const TILDE = 126;

/** A backend's cookie, ready to be compared and sent. */
export class CookiePersistence {
  readonly config: Cookie;
  readonly name: Uint8Array;
  readonly servers: ServerCookies;
  /** What follows the value in a Set-Cookie. */
  readonly attributes: string;
  /** The header that makes a client forget its cookie. */
  readonly expired: string;

  constructor(config: Cookie, servers: ServerCookies) {
    this.config = config;
    this.name = latin1(config.name);
    this.servers = servers;
    this.attributes = [
      '; path=/',
      ...config.domains.map(d => `; domain=${d}`),
      config.httponly ? '; HttpOnly' : '',
      config.secure ? '; Secure' : '',
      ...config.attrs.map(a => `; ${a}`),
    ].join('');
    this.expired = `${config.name}=; Expires=Thu, 01-Jan-1970 00:00:01 GMT${this.attributes}`;
  }
}

const at = new CookieAt();

/** The usable server that the request's cookie names; null = none. Edits the cookie out of the request as the mode wants. */
export function persistedServer(stream: Stream): Server | null {
  const backend = stream.backend!;
  const { cookie } = backend;
  if (cookie === null || !stream.http || !findCookie(stream.requestHead, cookie.name, at)) return null;
  const { config } = cookie;
  const nameEnd = nameEndOf(stream, config);
  const verdict = stream.cookieDates === null ? 'valid' : judgeDates(config, stream.cookieDates, wallMs() / 1000);
  stream.cookie = 'invalid';
  const server = namedServer(cookie, backend, stream.requestHead, nameEnd);
  if (config.mode === 'prefix' && server !== null) {
    const { length } = cookie.servers.of(server)!.prefix;
    if (at.valueEnd - at.valueStart >= length) cutPrefix(stream.requestHead, at, length);
  } else if (config.mode === 'insert' && config.indirect) {
    for (let found = true; found; found = findCookie(stream.requestHead, cookie.name, at)) {
      removeCookie(stream.requestHead, at);
    }
  }
  if (verdict !== 'valid') {
    stream.cookie = verdict;
    return null;
  }
  if (server === null || stream.ignoresPersistence) return null;
  const usable = !isDown(server) || backend.proxy.options.persist || stream.forcesPersistence;
  stream.cookie = usable ? 'valid' : 'down';
  return usable ? server : null;
}

/** Where the server's name ends in the cookie at `at`, or may end: dates follow it, which are noted where we made them. */
function nameEndOf(stream: Stream, { mode }: Cookie): number {
  if (mode === 'prefix') return at.valueEnd;
  const dates = { last: 0, first: 0 };
  if (mode === 'insert') stream.cookieDates = dates;
  return readDates(stream.requestHead.bytesOf(at.slot), at.valueStart, at.valueEnd, dates);
}

/** The server that the cookie at `at` names; `nameEnd`: where the value ends. */
function namedServer(cookie: CookiePersistence, backend: Backend, head: Head, nameEnd: number): Server | null {
  const bytes = head.bytesOf(at.slot);
  const prefix = cookie.config.mode === 'prefix';
  for (const server of backend.servers) {
    const value = cookie.servers.of(server)?.value;
    if (value === undefined) continue;
    const cut = at.valueStart + value.length;
    const end = prefix && cut < nameEnd && bytes[cut] === TILDE ? cut : nameEnd;
    if (isExactly(bytes, at.valueStart, end, value)) return server;
  }
  return null;
}

/** Tells the client its server, as the mode wants. */
export function setPersistence(stream: Stream): void {
  const { backend, server } = stream;
  const cookie = backend?.cookie ?? null;
  const own = cookie === null || server === null ? null : cookie.servers.of(server);
  if (cookie === null || own === null) return;
  const head = stream.responseHead;
  let found = findSetCookie(head, cookie.name, at);
  for (; found; found = findSetCookie(head, cookie.name, at, at.slot + 1)) meetSetCookie(stream, cookie.config, own);
  if (cookie.config.mode === 'insert' && stream.cookieSet !== 'P') insert(stream, cookie, own);
}

/** The server sets the cookie itself, at `at`. In insert mode, and where a client of `indirect` has it, that would be in the way. */
function meetSetCookie(stream: Stream, { mode, indirect, preserve }: Cookie, own: ServerCookie): void {
  const head = stream.responseHead;
  if (preserve) stream.cookieSet = 'P';
  else if (mode === 'insert' || (indirect && stream.cookie === 'valid')) {
    stream.cookieSet = 'D';
    head.remove(at.slot);
  } else if (mode === 'rewrite' ? replaceValue(head, at, own.value) : prefixValue(head, at, own.prefix)) {
    stream.cookieSet = 'R';
  }
}

/** A client that has the right cookie gets it again only when its dates say so. */
function insert(stream: Stream, { config, attributes }: CookiePersistence, { text }: ServerCookie): void {
  const now = wallMs() / 1000;
  const dates = stream.cookieDates;
  const valid = stream.cookie === 'valid';
  if (valid && (dates === null || !needsRefresh(config, dates, now))) return;
  if (config.postonly && stream.requestHead.methodId !== METHOD_POST) return;
  const head = stream.responseHead;
  stream.cookieSet = valid ? 'U' : 'I';
  const written = writeDates(config, valid ? dates!.first : 0, now);
  head.add('set-cookie', `${config.name}=${text}${written}${attributes}`);
  if (config.nocache && isCacheable(stream.requestHead, head)) head.add('cache-control', 'private');
}
