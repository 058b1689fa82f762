/**
 * What a check can find: one row per status. `SERVER.check_status` holds the index; the order is HAProxy's, because the
 * state file and `show servers state` write the number.
 */

/** What a status means for the server. `condpass`: answers, but asks for no new traffic (`http-check disable-on-404`). */
export type CheckResult = 'unknown' | 'neutral' | 'failed' | 'passed' | 'condpass';

/** HAProxy's numbers for `srv_check_result`. */
export const RESULT_NUMBERS: Readonly<Record<CheckResult, number>> = {
  unknown: 0,
  neutral: 1,
  failed: 2,
  passed: 3,
  condpass: 4,
};

interface CheckStatus {
  /** The `check_status` column; '' = never shown. */
  readonly name: string;
  /** The `check_desc` column and the reason in logs. */
  readonly text: string;
  readonly result: CheckResult;
}

function row(name: string, result: CheckResult, text: string): CheckStatus {
  return { name, result, text };
}

export const CHECK_STATUSES: readonly CheckStatus[] = [
  row('UNK', 'unknown', 'Unknown'),
  row('INI', 'unknown', 'Initializing'),
  row('', 'unknown', ''), // started, nothing found yet
  row('CHECKED', 'neutral', 'No status change'), // from here on the check has ended
  row('HANA', 'failed', 'Health analyze'),
  row('SOCKERR', 'failed', 'Socket error'),
  row('L4OK', 'passed', 'Layer4 check passed'),
  row('L4TOUT', 'failed', 'Layer4 timeout'),
  row('L4CON', 'failed', 'Layer4 connection problem'),
  row('L6OK', 'passed', 'Layer6 check passed'),
  row('L6TOUT', 'failed', 'Layer6 timeout'),
  row('L6RSP', 'failed', 'Layer6 invalid response'),
  row('L7TOUT', 'failed', 'Layer7 timeout'),
  row('L7RSP', 'failed', 'Layer7 invalid response'),
  row('', 'unknown', ''), // from here on there is a status code
  row('L7OK', 'passed', 'Layer7 check passed'),
  row('L7OKC', 'condpass', 'Layer7 check conditionally passed'),
  row('L7STS', 'failed', 'Layer7 wrong status'),
  row('PROCERR', 'failed', 'External check error'),
  row('PROCTOUT', 'failed', 'External check timeout'),
  row('PROCOK', 'passed', 'External check passed'),
];

/** The index of a status by its name. */
export function statusNamed(name: string): number {
  const at = CHECK_STATUSES.findIndex(s => s.name === name);
  if (at < 0) throw new Error(`health: no check status ${name}`);
  return at;
}

export const UNK = statusNamed('UNK');
export const INI = statusNamed('INI');
export const CHECKED = statusNamed('CHECKED');
export const HANA = statusNamed('HANA');
export const SOCKERR = statusNamed('SOCKERR');
export const L4OK = statusNamed('L4OK');
export const L4TOUT = statusNamed('L4TOUT');
export const L4CON = statusNamed('L4CON');
export const L6OK = statusNamed('L6OK');
export const L6TOUT = statusNamed('L6TOUT');
export const L6RSP = statusNamed('L6RSP');
export const L7TOUT = statusNamed('L7TOUT');
export const L7RSP = statusNamed('L7RSP');
export const L7OK = statusNamed('L7OK');
export const L7OKC = statusNamed('L7OKC');
export const L7STS = statusNamed('L7STS');
export const PROCERR = statusNamed('PROCERR');
export const PROCTOUT = statusNamed('PROCTOUT');
export const PROCOK = statusNamed('PROCOK');

/** True for a status that comes with the code of a layer 5-7 protocol. */
export function hasCode(status: number): boolean {
  return status >= L7OK;
}

/** One finished check. */
export interface Verdict {
  /** Index in CHECK_STATUSES. */
  readonly status: number;
  /** The protocol's status code; -1 = none. */
  readonly code: number;
  /** What the check says beside its status, one character per byte; '' = nothing. */
  readonly info: string;
  /** What only the line of `option log-health-checks` tells, as with HAProxy; absent = `info`. */
  readonly told?: string;
}

export function verdict(status: number, info = '', code = -1): Verdict {
  return { status, code, info };
}

/** `, reason: Layer7 wrong status, code: 503, info: "Sorry", check duration: 2ms`, as logs have it. */
export function reason(v: Verdict, durationMs: number): string {
  let text = `, reason: ${CHECK_STATUSES[v.status]!.text}`;
  if (hasCode(v.status)) text += `, code: ${v.code}`;
  if (v.info !== '') text += `, info: "${escapeInfo(v.info)}"`;
  if (durationMs >= 0) text += `, check duration: ${durationMs}ms`;
  return text;
}

/** Bytes that could end the quotes or the line are written <hex>, as HAProxy does. */
function escapeInfo(info: string): string {
  return info.replace(/[^ !#-;=?-~]/g, c => `<${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}>`);
}
