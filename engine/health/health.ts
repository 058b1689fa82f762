/**
 * The scale that check results move a server on, HAProxy's:
 *
 *   0 ... rise-1 │ rise ... rise+fall-1
 *      DOWN      │         UP
 *
 * A success moves up by one, and to the very top once UP is reached; a failure moves down by one, and to zero once DOWN
 * is reached. So it takes `rise` successes in a row to come up and `fall` failures in a row to go down.
 */
import { OPER_STOPPING } from '../shm/words.ts';
import { LOG_INFO, LOG_NOTICE } from './log.ts';
import { isVetoed, setRunning, setStopped, setStopping } from './state.ts';
import { CHECK_STATUSES, type CheckResult, L7STS, reason, type Verdict } from './statuses.ts';
import { type StateEnv, serverWord, setServerWord, type Target } from './target.ts';
import { cutCheckText, writeCheckText } from './text.ts';

/** Where `health` goes after a success or a failure. */
export function step(health: number, passed: boolean, rise: number, fall: number): number {
  const next = passed ? health + 1 : health - 1;
  if (passed) return next >= rise ? rise + fall - 1 : next;
  return next < rise ? 0 : next;
}

/** The two checks that a server may have. */
export type CheckKind = 'check' | 'agent';

/** The words of each. */
export const FIELDS = {
  check: { ...names('check'), title: 'Health' },
  agent: { ...names('agent'), title: 'Agent' },
} as const;

function names<K extends CheckKind>(kind: K) {
  return {
    ...({ on: `${kind}_on`, status: `${kind}_status`, code: `${kind}_code`, duration: `${kind}_duration` } as const),
    ...({ rise: `${kind}_rise`, fall: `${kind}_fall`, health: `${kind}_health` } as const),
  };
}

/** Takes the result of one check: the words of the last check, the scale, the server's state, the log. */
export function conclude(env: StateEnv, t: Target, kind: CheckKind, found: Verdict, durationMs: number): void {
  const { memory } = env;
  const v: Verdict = { ...found, info: cutCheckText(found.info) };
  const field = FIELDS[kind];
  const rise = serverWord(memory, t, field.rise);
  const fall = serverWord(memory, t, field.fall);
  const health = serverWord(memory, t, field.health);
  const result = meaning(kind, v);
  const passed = result === 'passed' || result === 'condpass';
  // An agent that says nothing of the server's health is no news for the log.
  const report = CHECK_STATUSES[v.status]!.result !== 'neutral' && serverWord(memory, t, field.status) !== v.status;

  setServerWord(memory, t, field.status, v.status);
  setServerWord(memory, t, field.code, v.code);
  setServerWord(memory, t, field.duration, durationMs);
  writeCheckText(memory, t.number, kind, v.info);
  const next = result === 'neutral' ? health : step(health, passed, rise, fall);
  setServerWord(memory, t, field.health, next);
  if (result === 'failed' && health > 0 && kind === 'check') {
    setServerWord(memory, t, 'check_fails', serverWord(memory, t, 'check_fails') + 1);
  }
  // A good check forgives what was observed.
  if (passed) setServerWord(memory, t, 'errors', 0);

  const verbose = t.proxy.options.logHealthChecks;
  if (verbose && (report || next !== health)) {
    env.log(
      LOG_NOTICE,
      t.proxy.index,
      checkText(env, t, kind, { ...v, info: v.told ?? v.info }, durationMs, next),
      LOG_INFO,
    );
  }
  // With a log line for the check itself, the one for the state need not give the reason again.
  const cause = verbose ? '' : reason(v, durationMs);
  if (result === 'failed' && next === 0) setStopped(env, t, cause);
  else if (result === 'condpass' && next >= rise && agrees(env, t)) setStopping(env, t, cause);
  else if (result === 'passed' && agrees(env, t)) cameUp(env, t, kind, cause);
}

/** An agent that cannot be asked says nothing of the server: only its own words (L7STS) take it down. */
function meaning(kind: CheckKind, v: Verdict): CheckResult {
  const { result } = CHECK_STATUSES[v.status]!;
  return kind === 'agent' && result === 'failed' && v.status !== L7STS ? 'neutral' : result;
}

/** Neither of the server's checks has it down. */
function agrees(env: StateEnv, t: Target): boolean {
  return !isVetoed(env, t, 'check') && !isVetoed(env, t, 'agent');
}

/** An agent's `up` is no word against the 404 of a server that is leaving. */
function cameUp(env: StateEnv, t: Target, kind: CheckKind, cause: string): void {
  if (kind === 'agent' && serverWord(env.memory, t, 'oper') === OPER_STOPPING) return;
  setRunning(env, t, cause);
}

/** `option log-health-checks`. */
function checkText(env: StateEnv, t: Target, kind: CheckKind, v: Verdict, durationMs: number, health: number): string {
  const { title, rise: riseField, fall: fallField } = FIELDS[kind];
  const rise = serverWord(env.memory, t, riseField);
  const fall = serverWord(env.memory, t, fallField);
  const { result } = CHECK_STATUSES[v.status]!;
  const outcome = result === 'condpass' ? 'conditionally succeeded' : result === 'passed' ? 'succeeded' : 'failed';
  const up = health >= rise;
  const state = up ? (serverWord(env.memory, t, 'uweight') > 0 ? 'UP' : 'DRAIN') : 'DOWN';
  const name = `${t.server.backup ? 'backup ' : ''}server ${t.proxy.name}/${t.server.name}`;
  const scale = up ? `${health - rise + 1}/${fall}` : `${health}/${rise}`;
  return `${title} check for ${name} ${outcome}${reason(v, durationMs)}, status: ${scale} ${state}.`;
}
