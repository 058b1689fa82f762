/** How the values of columns are read: small readers, each made once, when the table of columns is. */
import type { Mode } from '../config/proxy-model.ts';
import { rampedUnits, rampedWeight } from '../health/weights.ts';
import { boundAddress } from '../io/bind.ts';
import { COUNTERS, type CounterName } from '../shm/counters.ts';
import { LISTENER, PROXY, RAMP_FULL, SERVER } from '../shm/words.ts';
import type { Value } from './fields.ts';
import {
  backendStatus,
  frontendStatus,
  hasAgent,
  hasChecks,
  isChecked,
  isDown,
  listenerStatus,
  serverStatusText,
  trackedName,
} from './status.ts';
import { B, F, L, S, type Subject, type View } from './view.ts';

export type Read = (view: View, s: Subject) => Value;

export const fixed =
  (value: Value): Read =>
  () =>
    value;

/** A counter, summed over the workers. */
export function sum(name: CounterName): Read {
  const field = COUNTERS.at[name];
  return (view, s) => view.sum(s, field);
}

export function longest(name: CounterName): Read {
  const field = COUNTERS.at[name];
  return (view, s) => Math.round(view.max(s, field));
}

export function average(name: CounterName): Read {
  const field = COUNTERS.at[name];
  return (view, s) => view.average(s, field);
}

export function rate(name: CounterName): Read {
  const field = COUNTERS.at[name];
  return (view, s) => view.rate(s, field);
}

export function rateMax(name: CounterName): Read {
  const field = COUNTERS.at[name];
  return (view, s) => view.rateMax(s, field);
}

/** The `nth` percentile of a timer; empty when the window has no times. */
export function percentile(timer: number, nth: number): Read {
  return (view, s) => {
    const us = view.percentile(s, timer, nth);
    return us < 0 ? null : us;
  };
}

export function word(field: number): Read {
  return (view, s) => view.word(s, field);
}

/** A word where 0 means "none": then the column is empty. */
export function limit(field: number): Read {
  return (view, s) => view.word(s, field) || null;
}

/** A word of the last check where -1 means "none". */
export function found(field: number): Read {
  return (view, s) => {
    const value = view.word(s, field);
    return value < 0 ? null : value;
  };
}

/** A different reader for each kind of row. */
export function byKind(f: Read | null, l: Read | null, b: Read | null, server: Read | null): Read {
  const none = fixed(null);
  const reads: Readonly<Record<number, Read>> = { [F]: f ?? none, [L]: l ?? none, [B]: b ?? none, [S]: server ?? none };
  return (view, s) => reads[s.scope]!(view, s);
}

export const http =
  (read: Read): Read =>
  (view, s) =>
    s.proxy.mode === 'http' ? read(view, s) : null;
/** Counted in one mode only, 0 in the other. */
export const inMode =
  (mode: Mode, read: Read): Read =>
  (view, s) =>
    s.proxy.mode === mode ? read(view, s) : 0;
/** Only while the server's checks run. */
export const checked =
  (read: Read): Read =>
  (view, s) =>
    isChecked(view, s) ? read(view, s) : null;
/** Only for a server with an agent. */
export const withAgent =
  (read: Read): Read =>
  (view, s) =>
    hasAgent(view, s) ? read(view, s) : null;
/** Only for a server that has checks, suspended or not; a backend has it when it has servers. */
export const watched =
  (read: Read): Read =>
  (view, s) =>
    (s.server === null ? s.proxy.servers.length > 0 : hasChecks(view, s)) ? read(view, s) : null;
/** Only where details may be shown. */
export const legend =
  (read: Read): Read =>
  (view, s) =>
    s.legends ? read(view, s) : null;

const p = PROXY.at;
const l = LISTENER.at;
const w = SERVER.at;

export const NAMES: Read = byKind(
  fixed('FRONTEND'),
  (_, s) => s.bind!.name,
  fixed('BACKEND'),
  (_, s) => s.server!.name,
);
export const IDS: Read = byKind(
  fixed(0),
  (_, s) => s.bind!.id,
  fixed(0),
  (_, s) => s.server!.id,
);
export const STATUSES: Read = byKind(frontendStatus, listenerStatus, backendStatus, serverStatusText);
export const LAST_CHANGE: Read = byKind(
  null,
  null,
  (view, s) => view.since(s, view.word(s, p.last_change)),
  (view, s) => view.since(s, view.word(s, w.last_change)),
);
export const DOWN_TIME: Read = byKind(
  null,
  null,
  (view, s) =>
    view.word(s, p.down_time) + (backendStatus(view, s) === 'DOWN' ? view.since(s, view.word(s, p.last_change)) : 0),
  (view, s) => view.word(s, w.down_time) + (isDown(view, s) ? view.since(s, view.word(s, w.last_change)) : 0),
);
export const ADDRESSES: Read = byKind(
  null,
  (view, s) => {
    const address = boundAddress(s.bind!);
    return address === null ? s.bind!.text : view.address(address);
  },
  null,
  (view, s) => view.address(view.serverAddress(s)),
);
const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'unix_stream', 4: 'tcpv4', 6: 'tcpv6' };

export const LIMITS: Read = byKind(
  (view, s) => view.frontendLimit(s),
  word(l.maxconn),
  (view, s) => view.fullconn(s.proxy),
  limit(w.maxconn),
);
/** A server that is not usable keeps showing the weight it will have. */
export const WEIGHTS: Read = byKind(
  null,
  null,
  (view, { proxy }) => {
    const word = (nth: number, field: number): number => view.serverWord(proxy, nth, field);
    return Math.ceil(view.totalWeight(proxy, nth => rampedUnits(word(nth, w.uweight), word(nth, w.ramp))) / RAMP_FULL);
  },
  (view, s) => view.word(s, w.eweight) || rampedWeight(view.word(s, w.uweight), view.word(s, w.ramp)),
);
export const USER_WEIGHTS: Read = byKind(
  null,
  null,
  (view, { proxy }) => view.totalWeight(proxy, nth => view.serverWord(proxy, nth, w.uweight)),
  word(w.uweight),
);
export const ACTIVE: Read = byKind(null, null, word(p.act), (_, s) => (s.server!.backup ? 0 : 1));
export const BACKUP: Read = byKind(null, null, word(p.bck), (_, s) => (s.server!.backup ? 1 : 0));
export const SESSIONS: Read = byKind(word(p.fe_conns), word(l.conns), word(p.be_sess), word(w.served));
export const SESSIONS_MAX: Read = byKind(
  word(p.fe_conns_max),
  word(l.conns_max),
  word(p.be_sess_max),
  word(w.served_max),
);
export const LAST_SESSION: Read = (view, s) => {
  const last = view.max(s, COUNTERS.at.last_sess);
  return last === 0 ? -1 : view.since(s, last);
};
export const COOKIES: Read = (view, s) => {
  if (s.server === null) return s.proxy.cookie?.name ?? null;
  return s.server.cookie ?? view.dynamicCookies?.name(s.proxy.index, view.serverAddress(s)) ?? null;
};
export const IDLE_LIMIT: Read = (_, s) => (s.server!.poolMaxConn < 0 ? null : s.server!.poolMaxConn);
export const TYPES: Read = byKind(fixed(0), fixed(3), fixed(1), fixed(2));
/** A frontend counts requests in any mode, the others in HTTP only. */
export const REQUESTS: Read = byKind(sum('cum_req'), null, http(sum('cum_req')), http(sum('cum_req')));
export const PROTOCOL: Read = (_, s) => (s.bind!.address === null ? null : PROTOCOLS[s.bind!.address.family]!);
export const ALGORITHM: Read = (_, s) => s.proxy.balance.algorithm;
export const DOWNS: Read = byKind(null, null, word(p.down_trans), watched(word(w.down_trans)));
export const LAST_CHECK: Read = checked((view, s) => view.checkText(s, 'check'));
export const LAST_AGENT: Read = withAgent((view, s) => view.checkText(s, 'agent'));
export const TRACKED: Read = trackedName;
/** Where traffic is observed: at the server itself or at the one that it tracks. */
export const OBSERVED_FAILS: Read = (view, s) => (view.observes(s) ? view.checkedWord(s, w.observed_fails) : null);
