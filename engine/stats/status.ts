/** How servers, frontends, listeners and backends are doing: the `status` column's texts, and the page's colours. */
import { CHECK_STATUSES } from '../health/statuses.ts';
import {
  ADMIN_DRAIN,
  ADMIN_INHERITED_MAINT,
  ADMIN_MAINT,
  ADMIN_RESOLUTION_MAINT,
  CHECK_CONFIGURED,
  CHECK_ENABLED,
  CHECK_RUNNING,
  LISTENER,
  OPER_STARTING,
  OPER_STOPPED,
  OPER_STOPPING,
  PROXY,
  RAMP_FULL,
  SERVER,
} from '../shm/words.ts';
import type { Subject, View } from './view.ts';

/** Names the colour of a server's row: `active_` or `backup_` goes before it, but for `maintain`. */
type Colour = 'up' | 'going_down' | 'going_up' | 'down' | 'nolb' | 'draining' | 'no_check' | 'maintain';

export interface Status {
  /** The column's text; a position on the health scale may follow it. */
  readonly text: string;
  readonly colour: Colour;
  /** The position that follows: of the falls still to come, or of the rises made. */
  readonly scale: 'fall' | 'rise' | null;
}

const MAINT: Status = { text: 'MAINT', colour: 'maintain', scale: null };
const MAINT_RESOLUTION: Status = { text: 'MAINT (resolution)', colour: 'maintain', scale: null };
const DOWN: Status = { text: 'DOWN', colour: 'down', scale: null };
const GOING_UP: Status = { text: 'DOWN', colour: 'going_up', scale: 'rise' };
const UP: Status = { text: 'UP', colour: 'up', scale: null };
const UP_FAILING: Status = { text: 'UP', colour: 'going_down', scale: 'fall' };
const NOLB: Status = { text: 'NOLB', colour: 'nolb', scale: null };
const NOLB_FAILING: Status = { text: 'NOLB', colour: 'nolb', scale: 'fall' };
const DRAIN: Status = { text: 'DRAIN', colour: 'draining', scale: null };
const DRAIN_FAILING: Status = { text: 'DRAIN', colour: 'draining', scale: 'fall' };
const DOWN_AGENT: Status = { text: 'DOWN (agent)', colour: 'down', scale: null };
const DRAIN_AGENT: Status = { text: 'DRAIN (agent)', colour: 'draining', scale: null };
const NO_CHECK: Status = { text: 'no check', colour: 'no_check', scale: null };

const w = SERVER.at;

/** True when the server takes no traffic: checks say so, or someone did. */
export function isDown(view: View, s: Subject): boolean {
  return view.word(s, w.oper) === OPER_STOPPED || isMaint(view, s);
}

export function isMaint(view: View, s: Subject): boolean {
  return (view.word(s, w.admin) & ADMIN_MAINT) !== 0;
}

const BOTH = CHECK_CONFIGURED | CHECK_ENABLED;

/** True when the server has checks that were not disabled; maintenance may suspend them. */
export function hasChecks(view: View, s: Subject): boolean {
  return (view.word(s, w.check_on) & BOTH) === BOTH;
}

/** True when the server's own checks run: maintenance suspends them. */
export function isChecked(view: View, s: Subject): boolean {
  return (view.word(s, w.check_on) & BOTH) === BOTH && !isMaint(view, s);
}

/** True when an agent is asked for the server's state. */
export function hasAgent(view: View, s: Subject): boolean {
  return (view.word(s, w.agent_on) & BOTH) === BOTH;
}

/** The server that it tracks, with its backend; null = none. */
export function trackedName(view: View, s: Subject): string | null {
  const { track } = s.server!;
  if (track === null) return null;
  const { name, servers } = view.model.proxies[track.proxy]!;
  return `${name}/${servers[track.server]!.name}`;
}

/** How a server is doing. */
export function serverStatus(view: View, s: Subject): Status {
  const admin = view.word(s, w.admin);
  if (admin & ADMIN_INHERITED_MAINT) return { ...MAINT, text: `MAINT (via ${trackedName(view, s)})` };
  if (admin & ADMIN_MAINT) return admin & ADMIN_RESOLUTION_MAINT ? MAINT_RESOLUTION : MAINT;
  const checked = (view.checkedWord(s, w.check_on) & BOTH) === BOTH;
  const agent = (view.checkedWord(s, w.agent_on) & BOTH) === BOTH;
  const health = view.checkedWord(s, w.check_health);
  const failing = checked && health < view.checkedWord(s, w.check_rise) + view.checkedWord(s, w.check_fall) - 1;
  switch (view.word(s, w.oper)) {
    case OPER_STOPPED:
      if (agent && view.checkedWord(s, w.agent_health) === 0) return DOWN_AGENT;
      if (checked && health === 0) return DOWN;
      return checked || agent ? GOING_UP : DOWN;
    case OPER_STOPPING:
      return failing ? NOLB_FAILING : NOLB;
    default:
      if (admin & ADMIN_DRAIN && agent) return DRAIN_AGENT;
      if (admin & ADMIN_DRAIN) return failing ? DRAIN_FAILING : DRAIN;
      if (!checked) return NO_CHECK;
      return failing ? UP_FAILING : UP;
  }
}

/** The `status` column of a server: `UP`, `UP 2/3`, `DOWN 1/2`, `no check` ... */
export function serverStatusText(view: View, s: Subject): string {
  const { text, scale } = serverStatus(view, s);
  if (scale === null) return text;
  const health = view.checkedWord(s, w.check_health);
  const rise = view.checkedWord(s, w.check_rise);
  if (scale === 'rise') return `${text} ${health}/${rise}`;
  return `${text} ${health - rise + 1}/${view.checkedWord(s, w.check_fall)}`;
}

export function frontendStatus(view: View, s: Subject): string {
  return view.word(s, PROXY.at.fe_stopped) ? 'STOP' : 'OPEN';
}

/** A listener is WAITING when a limit of its frontend or of the process keeps it from accepting. */
export function listenerStatus(view: View, s: Subject): string {
  const limit = view.word(s, LISTENER.at.maxconn);
  if (limit > 0 && view.word(s, LISTENER.at.conns) >= limit) return 'FULL';
  const words = view.memory.words;
  const waiting = Atomics.load(words, view.memory.proxy(s.proxy.index) + PROXY.at.fe_waiting);
  return waiting > 0 || view.process('waiting') > 0 ? 'WAITING' : 'OPEN';
}

/** A backend is UP when a server can take traffic, or when it never had any. */
export function backendStatus(view: View, s: Subject): string {
  const usable = view.word(s, PROXY.at.act) + view.word(s, PROXY.at.bck);
  return usable > 0 || s.proxy.servers.length === 0 ? 'UP' : 'DOWN';
}

/** Percent of its weight that a server coming up slowly has; null when it is none, or takes no traffic. */
export function throttle(view: View, s: Subject): number | null {
  const draining = (view.word(s, w.admin) & ADMIN_DRAIN) !== 0 || view.word(s, w.uweight) === 0;
  if (view.word(s, w.oper) !== OPER_STARTING || draining) return null;
  return Math.floor((100 * (view.word(s, w.ramp) || RAMP_FULL)) / RAMP_FULL);
}

/** The short name of the last check's result, `* ` before it while the next one runs. */
export function checkStatus(view: View, s: Subject, kind: 'check' | 'agent'): string {
  const name = CHECK_STATUSES[view.word(s, w[`${kind}_status`])]?.name ?? '';
  return view.word(s, w[`${kind}_on`]) & CHECK_RUNNING ? `* ${name}` : name;
}

/** The same in words. */
export function checkDescription(view: View, s: Subject, kind: 'check' | 'agent'): string {
  return CHECK_STATUSES[view.word(s, w[`${kind}_status`])]?.text ?? '';
}
