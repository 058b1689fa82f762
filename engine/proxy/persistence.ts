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
  findNextCookie,
  findSetCookie,
  prefixValue,
  removeCookie,
  removeSetCookie,
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

/**
 * The usable server that the request's cookie names, the first of several that does; null = none. Edits the cookies out of the
 * request as the mode wants.
 */
export function persistedServer(stream: Stream): Server | null {
  const { cookie } = stream.backend!;
  if (cookie === null || !stream.http) return null;
  const head = stream.requestHead;
  let server: Server | null = null;
  for (let found = findCookie(head, cookie.name, at); found; ) {
    server ??= meetCookie(stream, cookie);
    const endBytes = head.valueEnd[at.slot]! - at.pairEnd;
    if (cookie.config.mode === 'prefix') cutServerName(head);
    found = findNextCookie(head, cookie.name, at, endBytes);
  }
  if (cookie.config.mode === 'insert' && cookie.config.indirect) {
    while (findCookie(head, cookie.name, at)) removeCookie(head, at);
  }
  return server;
}

/** The usable server that the cookie at `at` names; null = none, and what the logs show of it. */
function meetCookie(stream: Stream, cookie: CookiePersistence): Server | null {
  const backend = stream.backend!;
  const nameEnd = nameEndOf(stream, cookie.config);
  const verdict =
    stream.cookieDates === null ? 'valid' : judgeDates(cookie.config, stream.cookieDates, wallMs() / 1000);
  const server = namedServer(cookie, backend, stream.requestHead, nameEnd);
  if (verdict !== 'valid') stream.cookie = verdict;
  else if (stream.ignoresPersistence || stream.ruledServer !== null) stream.cookie = 'unused';
  else if (server !== null) {
    stream.cookie = isDown(server) ? 'down' : 'valid';
    return stream.cookie === 'valid' || backend.proxy.options.persist || stream.forcesPersistence ? server : null;
  } else if (stream.cookie === 'none') stream.cookie = 'invalid';
  return null;
}

/** Prefix mode: the server sees what follows the first `~`, whoever is named before it. */
function cutServerName(head: Head): void {
  const tilde = head.bytesOf(at.slot).indexOf(TILDE, at.valueStart);
  if (tilde >= 0 && tilde < at.valueEnd) cutPrefix(head, at, tilde + 1 - at.valueStart);
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
  if (cookie === null || server === null || stream.ignoresPersistence) return;
  const own = cookie.servers.of(server);
  const head = stream.responseHead;
  let found = findSetCookie(head, cookie.name, at);
  for (; found; found = findSetCookie(head, cookie.name, at, at.slot + 1)) meetSetCookie(stream, cookie.config, own);
  if (cookie.config.mode === 'insert' && stream.cookieSet !== 'P') insert(stream, cookie, own);
}

/** The server sets the cookie itself, at `at`. In insert mode, and where a client of `indirect` has it, that would be in the way. */
function meetSetCookie(stream: Stream, { mode, indirect, preserve }: Cookie, own: ServerCookie | null): void {
  const head = stream.responseHead;
  if (preserve) stream.cookieSet = 'P';
  else if (mode === 'insert' || (indirect && !stream.balanced)) {
    stream.cookieSet = 'D';
    removeSetCookie(head, at);
  } else if (own === null || mode === 'passive') stream.cookieSet = 'P';
  else if (mode === 'rewrite' ? replaceValue(head, at, own.value) : prefixValue(head, at, own.prefix)) {
    stream.cookieSet = 'R';
  }
}

const NO_DATES = { last: 0, first: 0 };

/** A client that is bound to its server, mostly by the right cookie, gets it again only when its dates say so. */
function insert(stream: Stream, cookie: CookiePersistence, own: ServerCookie | null): void {
  const { config, attributes, expired } = cookie;
  const now = wallMs() / 1000;
  const dates = stream.cookieDates ?? NO_DATES;
  const bound = !stream.balanced;
  if (bound && !needsRefresh(config, dates, now)) return;
  if (config.postonly && stream.requestHead.methodId !== METHOD_POST) return;
  const head = stream.responseHead;
  stream.cookieSet = bound ? 'U' : 'I';
  if (own === null) head.add('set-cookie', expired);
  else {
    const written = writeDates(config, bound ? dates.first : 0, now);
    head.add('set-cookie', `${config.name}=${own.text}${written}${attributes}`);
  }
  if (config.nocache && isCacheable(stream.requestHead, head)) head.add('cache-control', 'private');
}
