/**
 * What an HTTP check says and how its answer is judged, without a socket: `request` makes the bytes, `judge` looks at a
 * response and gives a verdict, or null as long as more bytes could change it.
 */
import type { CheckExpect, HttpCheck } from '../config/model.ts';
import type { CheckResponse } from './response.ts';
import { L7OK, L7OKC, L7RSP, L7STS, type Verdict, verdict } from './statuses.ts';

/** One `http-check expect` rule: true or false when it can be told, null when more of the body is needed. */
interface Expect {
  readonly rule: CheckExpect;
  readonly holds: (response: CheckResponse) => boolean;
}

export interface CheckPlan {
  readonly check: HttpCheck;
  readonly expects: readonly Expect[];
}

/** Builds what a proxy's checks need once. Throws SyntaxError on a bad regular expression or status list. */
export function planCheck(check: HttpCheck): CheckPlan {
  return { check, expects: check.expect.map(rule => ({ rule, holds: MATCHERS[rule.what](rule.pattern) })) };
}

const MATCHERS: Readonly<Record<CheckExpect['what'], (pattern: string) => Expect['holds']>> = {
  status: pattern => {
    const ranges = pattern.split(',').map(statusRange);
    return r => ranges.some(([from, to]) => r.code >= from && r.code <= to);
  },
  rstatus: pattern => {
    const regex = new RegExp(pattern);
    return r => regex.test(String(r.code));
  },
  string: pattern => {
    const bytes = Buffer.from(pattern).toString('latin1');
    return r => r.body().includes(bytes);
  },
  rstring: pattern => {
    const regex = new RegExp(Buffer.from(pattern).toString('latin1'));
    return r => regex.test(r.body());
  },
};

/** `200` or `200-399`. */
function statusRange(text: string): readonly [from: number, to: number] {
  const m = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(text.trim());
  if (!m) throw new SyntaxError(`http-check expect status: '${text}' is neither a status nor a range of them`);
  return [Number(m[1]), Number(m[2] ?? m[1])];
}

/**
 * The request's bytes, as HAProxy 2.6 writes them: header names in lower case, the state (when `http-check send-state`)
 * after the configured ones, then the length and, in HTTP/1.1, `connection: close`.
 */
export function request(check: HttpCheck, state: string): Uint8Array {
  let head = `${check.method} ${check.uri} ${check.version}\r\n`;
  for (const [name, value] of check.headers) {
    const lower = name.toLowerCase();
    // Both are ours to say.
    if (lower !== 'content-length' && lower !== 'connection') head += `${lower}: ${value}\r\n`;
  }
  if (state !== '') head += `x-haproxy-server-state: ${state}\r\n`;
  const body = Buffer.from(check.body);
  if (body.length > 0) head += `content-length: ${body.length}\r\n`;
  if (check.version === 'HTTP/1.1') head += 'connection: close\r\n';
  return Buffer.concat([Buffer.from(`${head}\r\n`), body]);
}

/**
 * Judges what has come so far. `ended`: the server sends no more. `stopped`: the server is down now, so that a 404 cannot
 * count as a conditional success.
 */
export function judge(plan: CheckPlan, response: CheckResponse, ended: boolean, stopped: boolean): Verdict | null {
  if (!response.headComplete) return response.invalid || ended ? verdict(L7RSP) : null;
  const { code, reason } = response;
  if (plan.check.disableOn404 && code === 404 && !stopped) return verdict(L7OKC, '', code);
  if (plan.expects.length === 0 && (code < 200 || code > 399)) return verdict(L7STS, reason, code);
  for (const { rule, holds } of plan.expects) {
    if (rule.what === 'status' || rule.what === 'rstatus') {
      if (holds(response) === rule.negate) return verdict(L7STS, reason, code);
      continue;
    }
    const found = holds(response);
    const all = response.complete(ended);
    if (found && rule.negate) return verdict(L7RSP, 'HTTP check matched unwanted content');
    if (!found && !all) return null;
    if (!found && response.body() === '') return verdict(L7RSP, 'HTTP content check could not find a response body');
    if (!found && !rule.negate) return verdict(L7RSP, 'HTTP content check did not match');
  }
  return verdict(L7OK, '', code);
}
