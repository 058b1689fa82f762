/**
 * What a request for the statistics page is answered with. Options stand behind the page's address, each after a
 * semicolon: `;csv ;json ;typed ;up ;no-maint ;norefresh ;st=DONE`, and `scope=TEXT` after `?` or `&`.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isBackend } from '../config/model.ts';
import type { Proxy, StatsPage } from '../config/proxy-model.ts';
import type { Server } from '../config/server-model.ts';
import { ACTIONS, type Action, dumpPage, OLD_ACTIONS, OUTCOMES, type Outcome } from './html.ts';
import type { Dump } from './out.ts';
import { dumpSchema } from './schema.ts';
import { dumpStat, type StatFilter } from './stat.ts';
import type { View } from './view.ts';

export interface StatsRequest {
  readonly method: string;
  readonly uri: string;
  /** The body of a POST, `application/x-www-form-urlencoded`; null when it is longer than a buffer. */
  readonly form: string | null;
}

export interface StatsReply {
  readonly status: 200 | 303;
  /** Lower-case names. There is no length: the body's is only known at its end. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** null = no body: the answer to HEAD, and a redirect. */
  readonly body: Dump | null;
}

/** Does an action to servers of a proxy. Returns how many of them it changed. */
export type Admin = (proxy: Proxy, action: Action, servers: readonly Server[]) => number;

/** Characters of a scope that are looked at. */
const SCOPE_MAX = 20;

/**
 * The reply to a request that came in through `proxy`, whose page is `page`; null when the request is not for the page.
 * `now` is milliseconds of the shared clock.
 */
export function statsReply(
  view: View,
  page: StatsPage,
  proxy: Proxy,
  request: StatsRequest,
  now: number,
  admin: Admin,
): StatsReply | null {
  if (!request.uri.startsWith(page.uri)) return null;
  if (request.method !== 'GET' && request.method !== 'HEAD' && request.method !== 'POST') return null;
  const options = request.uri.slice(page.uri.length);
  if (request.method === 'POST') return redirect(page, options, act(view, page, request.form, admin));
  return show(view, page, proxy, request, options, now);
}

// --- who may ---

const sha256 = (text: string) => createHash('sha256').update(text).digest();

/**
 * `stats auth`: whether the Authorization header's value (null = there is none) is right. Compares digests, of every pair, so
 * that the time taken tells nothing of what is right.
 */
export function isAllowed({ auth }: StatsPage, authorization: string | null): boolean {
  if (auth.length === 0) return true;
  const basic = /^basic +([a-z0-9+/=_-]+) *$/i.exec(authorization ?? '');
  if (basic === null) return false;
  const given = sha256(Buffer.from(basic[1]!, 'base64').toString());
  let found = false;
  for (const pair of auth) found = timingSafeEqual(sha256(pair), given) || found;
  return found;
}

// --- what is shown ---

/** What stands behind the semicolon for each form that is not the page, and what that is. */
const FORMS = {
  csv: 'text/plain',
  typed: 'text/plain',
  json: 'application/json',
  'json-schema': 'application/json',
} as const;

type Form = keyof typeof FORMS;

function show(
  view: View,
  page: StatsPage,
  proxy: Proxy,
  request: StatsRequest,
  options: string,
  now: number,
): StatsReply {
  const words = wordsOf(options);
  const form = (Object.keys(FORMS) as Form[]).find(name => words.has(name)) ?? null;
  const norefresh = words.has('norefresh');
  const headers: [string, string][] = [
    ['cache-control', 'no-cache'],
    ['content-type', form === null ? 'text/html' : FORMS[form]],
  ];
  if (page.refreshSeconds > 0 && !norefresh) headers.push(['refresh', String(page.refreshSeconds)]);
  if (request.method === 'HEAD') return { status: 200, headers, body: null };
  const scope = scopeOf(options);
  const filter = { up: words.has('up'), noMaint: words.has('no-maint'), shows: showing(page, proxy, scope) };
  const asked = { page, filter, up: filter.up, norefresh, scope, outcome: outcomeOf(options) };
  return {
    status: 200,
    headers,
    body: form === null ? dumpPage(view, asked, now) : dumpForm(view, form, page, filter, now),
  };
}

function dumpForm(view: View, form: Form, page: StatsPage, filter: StatFilter, now: number): Dump {
  if (form === 'json-schema') return dumpSchema();
  return dumpStat(view, { ...filter, format: form, legends: page.showLegends }, now);
}

/** What stands behind the semicolons. */
function wordsOf(options: string): ReadonlySet<string> {
  return new Set([...options.matchAll(/;([^;?&]*)/g)].map(found => found[1]!));
}

function scopeOf(options: string): string {
  const found = /[?&;]scope=([^;&]*)/.exec(options);
  if (found === null) return '';
  const raw = found[1]!.replaceAll('+', ' ');
  try {
    return decodeURIComponent(raw).slice(0, SCOPE_MAX);
  } catch {
    return raw.slice(0, SCOPE_MAX);
  }
}

/** Which proxies are shown: those of `stats scope` (`.` = the one that serves the page), with `scope` in their name. */
function showing(page: StatsPage, here: Proxy, scope: string): (proxy: Proxy) => boolean {
  const names = new Set(page.scope.map(name => (name === '.' ? here.name : name)));
  return proxy => (names.size === 0 || names.has(proxy.name)) && proxy.name.includes(scope);
}

function outcomeOf(options: string): Outcome | null {
  const word = /;st=(\w{4})/.exec(options)?.[1] ?? '';
  return Object.hasOwn(OUTCOMES, word) ? (word as Outcome) : null;
}

// --- what is done ---

/** `s=NAME&s=NAME&action=ACTION&b=BACKEND`, where a backend is its name or `#` and its number. */
function act(view: View, page: StatsPage, form: string | null, admin: Admin): Outcome {
  if (!page.admin) return 'DENY';
  if (form === null) return 'EXCD';
  const fields = new URLSearchParams(form);
  const action = fields.get('action');
  const backend = fields.get('b');
  if (action === null || backend === null) return 'NONE';
  const proxy = backendOf(view, backend);
  if (proxy === undefined || !isAction(action)) return 'ERRP';
  const names = [...new Set(fields.getAll('s'))];
  const servers = proxy.servers.filter(server => names.includes(server.name) && !server.removed);
  if (names.length === 0) return 'NONE';
  if (servers.length === 0) return 'ERRP';
  const changed = admin(proxy, action, servers);
  if (changed === 0 && servers.length === names.length) return 'NONE';
  return changed === servers.length && servers.length === names.length ? 'DONE' : 'PART';
}

function isAction(text: string): text is Action {
  return Object.hasOwn(ACTIONS, text) || OLD_ACTIONS.some(action => action === text);
}

function backendOf(view: View, key: string): Proxy | undefined {
  const id = key.startsWith('#') ? Number(key.slice(1)) : -1;
  return view.model.proxies.find(proxy => isBackend(proxy) && (id >= 0 ? proxy.id === id : proxy.name === key));
}

/** Back to the page as it was shown, which says how it went, so that a reload does not repeat the action. */
function redirect(page: StatsPage, options: string, outcome: Outcome): StatsReply {
  const words = wordsOf(options);
  const kept = ['up', 'norefresh'].filter(word => words.has(word)).map(word => `;${word}`);
  const scope = scopeOf(options);
  if (/^[\w.:-]+$/.test(scope)) kept.push(`?scope=${scope}`);
  return {
    status: 303,
    headers: [
      ['cache-control', 'no-cache'],
      ['content-type', 'text/plain'],
      ['location', `${page.uri};st=${outcome}${kept.join('')}`],
    ],
    body: null,
  };
}
