/** Whether a cache between us and the client might keep a response: for `option checkcache` and `cookie ... nocache`. */
import { latin1, textOf } from '../http/chars.ts';
import type { Head } from '../http/head.ts';
import { H_CACHE_CONTROL, H_ETAG, H_EXPIRES, H_PRAGMA, H_SET_COOKIE, METHOD_GET, METHOD_HEAD } from '../http/names.ts';

/** Statuses that a cache may keep by default (RFC 9110 15.1). */
const KEPT: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501]);

/** Directives of the response by which nobody but the client may keep it. */
const FORBIDS = /^(?:private|no-cache|no-store|max-age=0|s-maxage=0)$/;
/** Directives that allow it whatever the method. */
const ALLOWS = /^(?:public|s-maxage=\d+)$/;
/** Directives that say for how long; without one, or a validator, there is nothing to keep it by. */
const LASTS = /^(?:max-age|s-maxage)=\d+$/;
const LAST_MODIFIED = latin1('last-modified');

/** The response may be kept, its cookies may not. */
const WITHOUT_COOKIES = /^no-cache="set-cookie/;

/** True when a cache may keep the response to `request`. */
export function isCacheable(request: Head, response: Head): boolean {
  const directives = directivesOf(response);
  if (!KEPT.has(response.status) || directives.some(d => FORBIDS.test(d))) return false;
  const pragma = response.find(H_PRAGMA);
  if (pragma >= 0 && valueOf(response, pragma) === 'no-cache') return false;
  const safe = request.methodId === METHOD_GET || request.methodId === METHOD_HEAD;
  if (!safe && !directives.some(d => ALLOWS.test(d))) return false;
  const validated = response.find(H_ETAG) >= 0 || response.findLast(LAST_MODIFIED) >= 0;
  return validated || response.find(H_EXPIRES) >= 0 || directives.some(d => LASTS.test(d));
}

/** True when a cache may keep the response with a cookie in it: another client would get that cookie. */
export function leaksCookie(request: Head, response: Head): boolean {
  if (response.find(H_SET_COOKIE) < 0 || !isCacheable(request, response)) return false;
  return !directivesOf(response).some(d => WITHOUT_COOKIES.test(d));
}

/** The directives of all Cache-Control headers, in lower case. A comma in quotes cuts one in two, as in HAProxy. */
function directivesOf(head: Head): string[] {
  const directives: string[] = [];
  for (let i = head.find(H_CACHE_CONTROL); i >= 0; i = head.find(H_CACHE_CONTROL, i + 1)) {
    directives.push(
      ...valueOf(head, i)
        .split(',')
        .map(d => d.trim()),
    );
  }
  return directives;
}

function valueOf(head: Head, i: number): string {
  return textOf(head.bytesOf(i), head.valueStart[i]!, head.valueEnd[i]!).toLowerCase();
}
