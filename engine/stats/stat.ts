/** `show stat`: walks the proxies' rows in HAProxy's order and hands each to a format. */
import { isBackend, isFrontend, type Proxy } from '../config/model.ts';
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

export const STAT_FORMATS = { csv: CSV, typed: STAT_TYPED, 'typed-desc': STAT_TYPED_DESC, json: STAT_JSON };

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

export interface StatOptions extends StatFilter {
  readonly format: keyof typeof STAT_FORMATS;
  /** Show addresses, cookies and algorithms. */
  readonly legends: boolean;
}

/** `now` is milliseconds of the shared clock. */
export function dumpStat(view: View, options: StatOptions, now: number): Dump {
  return dumpRows(view, STAT_FORMATS[options.format], options, new Subject(now, options.legends));
}

/** A proxy's row in the walk: the frontend, its listeners, its servers, the backend. */
interface Step {
  readonly scope: number;
  readonly nth: number;
}

/** The same with any format: the page brings its own. */
export function dumpRows(view: View, format: StatFormat, filter: StatFilter, s: Subject): Dump {
  const proxies = view.model.proxies.filter(proxy => shown(proxy, filter));
  let at = -1;
  let steps: readonly Step[] = [];
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
    if (next === 0) {
      steps = stepsOf(proxy);
      format.beginProxy?.(out, view, s, proxy);
    }
    const step = steps[next++];
    if (step === undefined) {
      format.endProxy?.(out, view, s, proxy);
      at++;
      next = 0;
    } else if (moveTo(view, s, proxy, step, filter)) {
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

function stepsOf(proxy: Proxy): Step[] {
  const steps: Step[] = [];
  if (isFrontend(proxy)) {
    steps.push({ scope: F, nth: 0 });
    if (proxy.options.socketStats) for (let nth = 0; nth < proxy.binds.length; nth++) steps.push({ scope: L, nth });
  }
  if (isBackend(proxy)) {
    for (let nth = 0; nth < proxy.servers.length; nth++) steps.push({ scope: S, nth });
    steps.push({ scope: B, nth: 0 });
  }
  return steps;
}

/** Points the subject at a step. False when the filter leaves that row out. */
function moveTo(view: View, s: Subject, proxy: Proxy, step: Step, filter: StatFilter): boolean {
  const { type = -1, sid = -1 } = filter;
  if ((type & step.scope) === 0) return false;
  switch (step.scope) {
    case F:
      view.frontend(s, proxy);
      return true;
    case B:
      view.backend(s, proxy);
      return true;
    case L:
      view.listener(s, proxy, step.nth);
      return sid === -1 || s.bind!.id === sid;
    default:
      view.server(s, proxy, step.nth);
      if (sid !== -1 && s.server!.id !== sid) return false;
      if (filter.up === true && isDown(view, s)) return false;
      return !(filter.noMaint === true && isMaint(view, s));
  }
}
