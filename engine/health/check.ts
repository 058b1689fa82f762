/**
 * What a check says and how its answers are judged, without a socket: `request` makes the bytes of an HTTP request,
 * `judge` looks at what came and says whether the step is done, and `success` is what a check that passed found.
 */
import type { Check, CheckStep, CheckText, ExpectStep, RequestStep } from '../config/model.ts';
import { type Finding, type Match, matchOf } from './matches.ts';
import { pieceOf } from './protocols.ts';
import type { CheckResponse } from './response.ts';
import { hasCode, L4OK, L6OK, L7OK, L7OKC, L7RSP, L7STS, statusNamed, type Verdict, verdict } from './statuses.ts';

export interface Plan {
  readonly check: Check;
  /** By step; null for what expects nothing. */
  readonly matches: readonly (Match | null)[];
}

/** Builds what a check needs once. `agent` judges an agent's line. Throws SyntaxError on a bad regular expression. */
export function planCheck(check: Check, agent: (line: string) => Verdict = () => verdict(L7RSP)): Plan {
  return { check, matches: check.steps.map(step => (step.kind === 'expect' ? matchOf(step, agent) : null)) };
}

/**
 * The request's bytes, as HAProxy 2.6 writes them: header names in lower case, the state (when `http-check send-state`)
 * after the configured ones, then the length and, in HTTP/1.1, `connection: close` unless the configuration has another.
 */
export function request(step: RequestStep, state: string): Uint8Array {
  let head = `${step.method} ${step.uri} ${step.version}\r\n`;
  let connection = step.version === 'HTTP/1.1' ? 'close' : '';
  for (const [name, value] of step.headers) {
    const lower = name.toLowerCase();
    // `keep-alive` is what HTTP/1.1 is without a word.
    if (lower === 'connection') connection = value.toLowerCase() === 'keep-alive' ? '' : value;
    // Framing is ours to say.
    else if (lower !== 'content-length' && lower !== 'transfer-encoding') head += `${lower}: ${value}\r\n`;
  }
  if (state !== '') head += `x-haproxy-server-state: ${state}\r\n`;
  const body = Buffer.from(step.body);
  if (body.length > 0) head += `content-length: ${body.length}\r\n`;
  if (connection !== '') head += `connection: ${connection}\r\n`;
  return Buffer.concat([Buffer.from(`${head}\r\n`), body]);
}

/** What came, and in which circumstances. */
export interface Answer {
  readonly response: CheckResponse;
  /** The server sends no more. */
  readonly ended: boolean;
  /** The server is down now: a 404 cannot count as a conditional success. */
  readonly stopped: boolean;
}

/** Judges what has come so far for the step at `at`. A verdict ends the check. */
export function judge(plan: Plan, at: number, answer: Answer): Finding {
  const step = plan.check.steps[at] as ExpectStep;
  const match = plan.matches[at]!;
  if (match.of === 'head' || match.of === 'body') return judgeHttp(plan.check, step, match, answer);
  const { response, ended } = answer;
  if (ended && response.text === '') {
    return failed(plan.check, step, answer, L7RSP, `TCPCHK got an empty response at step ${step.id}`);
  }
  if (match.of === 'protocol') return match.find(response.text, ended);
  return judgeBytes(plan.check, step, match, answer);
}

function judgeBytes(check: Check, step: ExpectStep, match: Match & { of: 'bytes' }, answer: Answer): Finding {
  const { response } = answer;
  const final = answer.ended || response.full;
  const { length } = response.text;
  const wanted = step.minRecv < 0 ? match.atLeast : Math.max(match.atLeast, step.minRecv);
  if (!final && length < (match.atLeast > 0 && step.minRecv > 0 ? Math.min(match.atLeast, wanted) : wanted))
    return 'more';
  const holds = match.holds(response.text);
  if (!holds && !final && step.minRecv === -1) return 'more';
  if (holds !== step.negate) return 'good';
  return failed(check, step, answer, L7RSP, check.type === 'tcp' ? mismatch(step, holds) : '');
}

/** What the log shows of an expectation. */
const SHOWN: Partial<Record<ExpectStep['match'], string>> = {
  binary: ' (binary)',
  rstring: ' (regex)',
  rbinary: ' (binary regex)',
};

function mismatch({ match, pattern, id }: ExpectStep, holds: boolean): string {
  return `TCPCHK ${holds ? 'matched unwanted' : 'did not match'} content${SHOWN[match] ?? ` '${pattern}'`} at step ${id}`;
}

function judgeHttp(check: Check, step: ExpectStep, match: Match, answer: Answer): Finding {
  const { response, ended, stopped } = answer;
  if (!response.headComplete) {
    return response.invalid || ended ? failed(check, step, answer, L7RSP, '', true) : 'more';
  }
  const { code, reason } = response;
  if (check.disableOn404 && code === 404 && !stopped) return verdict(L7OKC, '', code);
  if (match.of === 'head') {
    return match.holds(response) !== step.negate ? 'good' : failed(check, step, answer, L7STS, reason);
  }
  if (match.of !== 'body') return 'good';
  const body = response.body();
  const final = response.complete(ended);
  if (!final && step.minRecv > 0 && body.length < step.minRecv) return 'more';
  const holds = match.holds(body);
  if (holds !== step.negate && (holds || final)) return 'good';
  if (holds) return failed(check, step, answer, L7RSP, 'HTTP check matched unwanted content');
  if (!final && step.minRecv === -1) return 'more';
  if (step.negate) return 'good';
  const why = body === '' ? 'HTTP content check could not find a response body' : 'HTTP content check did not match';
  return failed(check, step, answer, L7RSP, why);
}

/** What a step says: its own text where it has one. `broken`: there is no response to speak of. */
function failed(
  check: Check,
  step: ExpectStep,
  { response }: Answer,
  status: number,
  usual: string,
  broken = false,
): Verdict {
  const found = step.errorStatus === '' || broken ? status : statusNamed(step.errorStatus);
  const empty = response.text === '';
  const info = step.onError === null || empty ? usual : textOf(step.onError, response);
  const comment = step.comment === '' ? '' : ` comment: ${step.comment}`;
  return verdict(found, `${info}${comment}`, codeOf(check, step, response, found));
}

function textOf(text: CheckText, response: CheckResponse): string {
  return 'text' in text ? text.text : pieceOf(response.text, text.responseFrom);
}

function codeOf(check: Check, step: ExpectStep | null, response: CheckResponse, status: number): number {
  if (!hasCode(status)) return -1;
  if (check.type === 'http') return response.code;
  return step?.codeFromResponse ? Number.parseInt(response.text, 10) || 0 : 0;
}

/** What a check found whose steps were all done. */
export function success(check: Check, response: CheckResponse, tls = false): Verdict {
  const last = check.steps.at(-1)!;
  if (last.kind === 'connect') return verdict(tls ? L6OK : L4OK);
  const usual = check.type === 'tcp' ? '(tcp-check)' : '';
  if (last.kind !== 'expect') return verdict(L7OK, usual, codeOf(check, null, response, L7OK));
  const status = last.okStatus === '' ? L7OK : statusNamed(last.okStatus);
  const info = last.onSuccess === null ? usual : textOf(last.onSuccess, response);
  return verdict(status, info, codeOf(check, last, response, status));
}

/** Behind which step something broke or took too long, as logs of `tcp-check` tell it. */
export function whereabouts(check: Check, at: number): string {
  if (check.type !== 'tcp') return '';
  const step = check.steps[at]!;
  if (step.id === 0) return ' at initial connection step of tcp-check';
  const comment = step.comment === '' ? '' : ` comment: '${step.comment}'`;
  return ` at step ${step.id} of tcp-check (${doing(step)})${comment}`;
}

function doing(step: CheckStep): string {
  if (step.kind === 'connect') return step.port === 0 ? 'connect' : `connect port ${step.port}`;
  if (step.kind !== 'expect') return 'send';
  if (step.match === 'string') return `expect string '${step.pattern}'`;
  if (step.match !== 'binary') return step.match === 'rstring' ? 'expect regex' : 'expect binary regex';
  // Up to the first byte that is no text.
  return `expect binary '${pieceOf(Buffer.from(step.pattern, 'hex').toString('latin1'), 0)}'`;
}
