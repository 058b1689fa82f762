/**
 * The scale that check results move a server on, HAProxy's:
 *
 *   0 ... rise-1 │ rise ... rise+fall-1
 *      DOWN      │         UP
 *
 * A success moves up by one, and to the very top once UP is reached; a failure moves down by one, and to zero once DOWN
 * is reached. So it takes `rise` successes in a row to come up and `fall` failures in a row to go down.
 */

import { LOG_NOTICE } from './log.ts';
import { type StateEnv, serverWord, setRunning, setServerWord, setStopped, setStopping, type Target } from './state.ts';
import { CHECK_STATUSES, reason, type Verdict } from './statuses.ts';
import { writeCheckText } from './text.ts';

/** Where `health` goes after a success or a failure. */
export function step(health: number, passed: boolean, rise: number, fall: number): number {
  const next = passed ? health + 1 : health - 1;
  if (passed) return next >= rise ? rise + fall - 1 : next;
  return next < rise ? 0 : next;
}

/** Takes the result of one check: the words of the last check, the scale, the server's state, the log. */
export function conclude(env: StateEnv, t: Target, v: Verdict, durationMs: number): void {
  const { memory } = env;
  const rise = serverWord(memory, t, 'check_rise');
  const fall = serverWord(memory, t, 'check_fall');
  const health = serverWord(memory, t, 'check_health');
  const { result } = CHECK_STATUSES[v.status]!;
  const passed = result === 'passed' || result === 'condpass';
  const report = serverWord(memory, t, 'check_status') !== v.status;

  setServerWord(memory, t, 'check_status', v.status);
  setServerWord(memory, t, 'check_code', v.code);
  setServerWord(memory, t, 'check_duration', durationMs);
  writeCheckText(memory, t.number, v.info);
  const next = step(health, passed, rise, fall);
  setServerWord(memory, t, 'check_health', next);
  if (!passed && health > 0) setServerWord(memory, t, 'check_fails', serverWord(memory, t, 'check_fails') + 1);

  const verbose = t.proxy.options.logHealthChecks;
  if (verbose && (report || next !== health))
    env.log(LOG_NOTICE, t.proxy.index, checkText(env, t, v, durationMs, next));
  // With a log line for the check itself, the one for the state need not give the reason again.
  const cause = verbose ? '' : reason(v, durationMs);
  if (!passed && next === 0) setStopped(env, t, cause);
  else if (result === 'condpass' && next >= rise) setStopping(env, t, cause);
  else if (result === 'passed' && next >= rise) setRunning(env, t, cause);
}

/** `option log-health-checks`. */
function checkText(env: StateEnv, t: Target, v: Verdict, durationMs: number, health: number): string {
  const rise = serverWord(env.memory, t, 'check_rise');
  const fall = serverWord(env.memory, t, 'check_fall');
  const { result } = CHECK_STATUSES[v.status]!;
  const outcome = result === 'failed' ? 'failed' : result === 'condpass' ? 'conditionally succeeded' : 'succeeded';
  const up = health >= rise;
  const state = up ? (serverWord(env.memory, t, 'uweight') > 0 ? 'UP' : 'DRAIN') : 'DOWN';
  const name = `${t.server.backup ? 'backup ' : ''}server ${t.proxy.name}/${t.server.name}`;
  const scale = up ? `${health - rise + 1}/${fall}` : `${health}/${rise}`;
  return `Health check for ${name} ${outcome}${reason(v, durationMs)}, status: ${scale} ${state}.`;
}
