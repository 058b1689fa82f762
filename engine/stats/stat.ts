/** `show stat`: walks the proxies' rows in HAProxy's order and hands each to a format. */
import { isBackend, isFrontend } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import { CSV } from './csv.ts';
import { STAT_JSON } from './json.ts';
import { type Dump, type Out, steppedDump } from './out.ts';
import { isDown, isMaint } from './status.ts';
import { STAT_TYPED, STAT_TYPED_DESC } from './typed.ts';
import { B, F, L, S, Subject, type View } from './view.ts';

/** What a format writes: rows, and around them what it wants to. */
export interface StatFormat {
  begin?(out: Out, view: View, s: Subject): void;
  beginProxy?(out: Out, view: View, s: Subject, proxy: Proxy): void;
  row(out: Out, view: View, s: Subject): void;
  endProxy?(out: Out, view: View, s: Subject, proxy: Proxy): void;
  end?(out: Out, view: View, s: Subject): void;
}

const STAT_FORMATS = { csv: CSV, typed: STAT_TYPED, 'typed-desc': STAT_TYPED_DESC, json: STAT_JSON };

/** Which rows a dump has. All optional: without any, every row. */
export interface StatFilter {
  /** Number of the one proxy to show; -1 = all. */
  readonly iid?: number;
  /** Sum of 1 = frontends, 2 = backends, 4 = servers, 8 = listeners; -1 = all. */
  readonly type?: number;
  /** Number of the one server or listener to show; -1 = all. */
  readonly sid?: number;
  /** Leave out servers that are down or in maintenance. */
  readonly up?: boolean;
  /** Leave out servers in maintenance. */
  readonly noMaint?: boolean;
  /** Leave out proxies for which this says false (`stats scope`). */
  readonly shows?: (proxy: Proxy) => boolean;
}

interface StatOptions extends StatFilter {
  readonly format: keyof typeof STAT_FORMATS;
  /** Show addresses, cookies and algorithms. */
  readonly legends: boolean;
}

/** `now` is milliseconds of the shared clock. */
export function dumpStat(view: View, options: StatOptions, now: number): Dump {
  return dumpRows(view, STAT_FORMATS[options.format], options, new Subject(now, options.legends));
}

/** The same with any format: the page brings its own. */
export function dumpRows(view: View, format: StatFormat, filter: StatFilter, s: Subject): Dump {
  const proxies = view.model.proxies.filter(proxy => shown(proxy, filter));
  let at = -1;
  let next = 0;
  return steppedDump(out => {
    if (at < 0) {
      format.begin?.(out, view, s);
      at = 0;
      return true;
    }
    const proxy = proxies[at];
    if (proxy === undefined) {
      format.end?.(out, view, s);
      return false;
    }
    if (next === 0) format.beginProxy?.(out, view, s, proxy);
    if (moveTo(view, s, proxy, next++, filter) === null) {
      format.endProxy?.(out, view, s, proxy);
      at++;
      next = 0;
    } else if (matches(view, s, filter)) {
      format.row(out, view, s);
    }
    return true;
  });
}

function shown(proxy: Proxy, filter: StatFilter): boolean {
  if (proxy.disabled) return false;
  if ((filter.iid ?? -1) !== -1 && proxy.id !== filter.iid) return false;
  return filter.shows === undefined || filter.shows(proxy);
}

/** Points the subject at the nth row of a proxy: frontend, listeners, servers, backend. null when there are no more. */
export function moveTo(view: View, s: Subject, proxy: Proxy, nth: number, { type = -1 }: StatFilter): Subject | null {
  let at = nth;
  if (type & F && isFrontend(proxy) && at-- === 0) return view.frontend(s, proxy);
  const listeners = type & L && isFrontend(proxy) && proxy.options.socketStats ? proxy.binds.length : 0;
  if (at < listeners) return view.listener(s, proxy, at);
  at -= listeners;
  const servers = type & S ? proxy.servers.length : 0;
  if (at < servers) return view.server(s, proxy, at);
  at -= servers;
  return type & B && isBackend(proxy) && at === 0 ? view.backend(s, proxy) : null;
}

/** Whether the filter leaves the row in. */
export function matches(view: View, s: Subject, filter: StatFilter): boolean {
  const sid = filter.sid ?? -1;
  const id = s.server?.id ?? s.bind?.id;
  if (sid !== -1 && id !== undefined && id !== sid) return false;
  if (s.server === null) return true;
  if (s.server.removed) return false;
  if (filter.up === true && isDown(view, s)) return false;
  return !(filter.noMaint === true && isMaint(view, s));
}
