/**
 * What a check says and how its answers are judged, without a socket: `request` makes the bytes of an HTTP request,
 * `judge` looks at what came and says whether the step is done, and `success` is what a check that passed found.
 */
import type { Check, CheckStep, ExpectStep } from '../config/check-model.ts';
import type { Standpoint } from '../sample/context.ts';
import type { Finding, Match } from './matches.ts';
import type { Expectation, Plan, RequestText } from './plan.ts';
import { pieceOf } from './protocols.ts';
import type { CheckResponse } from './response.ts';
import { hasCode, L4OK, L6OK, L7OK, L7OKC, L7RSP, L7STS, statusNamed, type Verdict, verdict } from './statuses.ts';
import { latin1 } from './text.ts';

/**
 * The request's bytes, as HAProxy 2.6 writes them: header names in lower case, the state (when `http-check send-state`)
 * after the configured ones, then the length and what happens to the connection, where the version does not say it: it is
 * closed, unless the configuration has a Connection header without `close`.
 */
export function request(step: RequestText, state: string): Uint8Array {
  let head = `${step.method} ${step.uri} ${step.version}\r\n`;
  let closes: boolean | null = null;
  for (const [name, value] of step.headers) {
    const lower = name.toLowerCase();
    // Framing is ours to say.
    if (lower === 'content-length' || lower === 'transfer-encoding') continue;
    if (lower === 'connection') closes = (closes ?? false) || /(^|,)\s*close\s*(,|$)/i.test(value);
    const kept = lower === 'connection' ? otherOptions(value) : value;
    if (lower !== 'connection' || kept !== '') head += `${lower}: ${kept}\r\n`;
  }
  if (state !== '') head += `x-haproxy-server-state: ${state}\r\n`;
  const body = Buffer.from(step.body, 'latin1');
  if (body.length > 0) head += `content-length: ${body.length}\r\n`;
  const persists = step.version === 'HTTP/1.1';
  if ((closes ?? true) === persists) head += `connection: ${persists ? 'close' : 'keep-alive'}\r\n`;
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), body]);
}

/** A Connection header without what says whether the connection is closed. */
function otherOptions(value: string): string {
  const options = value.split(',').map(option => option.trim());
  return options.filter(option => !/^(?:close|keep-alive)$/i.test(option)).join(', ');
}

/** What came, and in which circumstances. */
export interface Answer {
  readonly response: CheckResponse;
  /** The server sends no more. */
  readonly ended: boolean;
  /** The server is down now: a 404 cannot count as a conditional success. */
  readonly stopped: boolean;
  /** The connection is encrypted. */
  readonly tls: boolean;
  /** What the expressions of the check see. */
  readonly at: Standpoint;
}

/** A step that expects something, and what came for it. */
interface Case {
  readonly check: Check;
  readonly step: ExpectStep;
  readonly wants: Expectation;
  readonly answer: Answer;
}

/** Judges what has come so far for the step at `at`. A verdict ends the check. */
export function judge({ check, deeds }: Plan, at: number, answer: Answer): Finding {
  const step = check.steps[at] as ExpectStep;
  const wants = deeds[at] as Expectation;
  const { response, ended } = answer;
  // A format is not evaluated before there is something to compare it with.
  const match = response.text === '' && !ended ? null : wants.match(answer.at);
  if (match === null) return 'more';
  if (typeof match === 'string') return verdict(L7RSP, match);
  const here: Case = { check, step, wants, answer };
  if (match.of === 'head' || match.of === 'body') return judgeHttp(here, match);
  if (ended && response.text === '') return failed(here, L7RSP, `TCPCHK got an empty response at step ${step.id}`);
  if (match.of === 'protocol') return match.find(response.text, ended);
  return judgeBytes(here, match);
}

function judgeBytes(here: Case, match: Match & { of: 'bytes' }): Finding {
  const { check, step, answer } = here;
  const { response } = answer;
  const final = answer.ended || response.full;
  const { length } = response.text;
  const wanted = step.minRecv < 0 ? match.atLeast : Math.max(match.atLeast, step.minRecv);
  if (!final && length < (match.atLeast > 0 && step.minRecv > 0 ? Math.min(match.atLeast, wanted) : wanted))
    return 'more';
  const holds = match.holds(response.text);
  if (!holds && !final && step.minRecv === -1) return 'more';
  if (holds !== step.negate) return 'good';
  return failed(here, L7RSP, check.type === 'tcp' ? mismatch(step, holds) : '');
}

/** What the log shows of an expectation. */
const SHOWN: Partial<Record<ExpectStep['match'], string>> = {
  binary: ' (binary)',
  rstring: ' (regex)',
  rbinary: ' (binary regex)',
};

function mismatch({ match, pattern, id }: ExpectStep, holds: boolean): string {
  const shown = typeof pattern === 'string' ? (SHOWN[match] ?? ` '${latin1(pattern)}'`) : ` (${formatKind(match)})`;
  return `TCPCHK ${holds ? 'matched unwanted' : 'did not match'} content${shown} at step ${id}`;
}

function formatKind(match: ExpectStep['match']): string {
  return match === 'binary' ? 'log-format binary' : 'log-format string';
}

function judgeHttp(here: Case, match: Match & { of: 'head' | 'body' }): Finding {
  const { check, step, answer } = here;
  const { response, ended, stopped } = answer;
  if (!response.headComplete) return response.invalid || ended ? failed(here, L7RSP, '', true) : 'more';
  const { code, reason } = response;
  if (check.disableOn404 && code === 404 && !stopped) return verdict(L7OKC, '', code);
  if (match.of === 'head') return match.holds(response) !== step.negate ? 'good' : failed(here, L7STS, reason);
  const body = response.body();
  const final = response.complete(ended);
  if (!final && step.minRecv > 0 && body.length < step.minRecv) return 'more';
  // Where there is no body there is none without the pattern either.
  if (final && body === '') return failed(here, L7RSP, 'HTTP content check could not find a response body');
  const holds = match.holds(body);
  if (holds !== step.negate && (holds || final)) return 'good';
  if (holds) return failed(here, L7RSP, 'HTTP check matched unwanted content');
  if (!final && step.minRecv === -1) return 'more';
  if (step.negate) return 'good';
  return failed(here, L7RSP, 'HTTP content check did not match');
}

/** What a step says: its own text where it has one. `broken`: there is no response to speak of. */
function failed(here: Case, status: number, usual: string, broken = false): Verdict {
  const { step, wants, answer } = here;
  const { response, at } = answer;
  const found = step.errorStatus === '' || broken ? status : statusNamed(step.errorStatus);
  const info = wants.onError === null || response.text === '' ? usual : wants.onError(at, response);
  const comment = step.comment === '' ? '' : ` comment: ${latin1(step.comment)}`;
  return verdict(found, `${info}${comment}`, codeOf(here, found));
}

function codeOf({ check, step, wants, answer: { response, at } }: Case, status: number): number {
  if (!hasCode(status)) return -1;
  const found = wants.code(at);
  if (found !== null) return found;
  if (check.type === 'http') return response.code;
  return step.codeFromResponse ? Number.parseInt(response.text, 10) || 0 : 0;
}

/** What a check found whose steps were all done: what the last one says, variables aside. */
export function success({ check, deeds }: Plan, answer: Answer): Verdict {
  const last = check.steps.findLastIndex(({ kind }) => kind !== 'variable');
  const step = check.steps[last]!;
  const usual = check.type === 'tcp' ? '(tcp-check)' : '';
  if (step.kind === 'connect') return verdict(answer.tls ? L6OK : L4OK, step.id === 0 ? '' : usual);
  if (step.kind !== 'expect') return verdict(L7OK, usual, check.type === 'http' ? answer.response.code : 0);
  const wants = deeds[last] as Expectation;
  const status = step.okStatus === '' ? L7OK : statusNamed(step.okStatus);
  const info = wants.onSuccess === null ? usual : wants.onSuccess(answer.at, answer.response);
  const found = verdict(status, info, codeOf({ check, step, wants, answer }, status));
  const told = protocolInfo(wants, answer);
  return told === '' ? found : { ...found, told };
}

/** What the protocol itself tells of a success. */
function protocolInfo(wants: Expectation, { at, response }: Answer): string {
  const match = wants.match(at);
  return typeof match === 'object' && match.of === 'protocol' ? (match.info?.(response.text) ?? '') : '';
}

/** Behind which step something broke or took too long, as logs of `tcp-check` tell it. */
export function whereabouts(check: Check, at: number): string {
  if (check.type !== 'tcp') return '';
  const step = check.steps[at]!;
  if (step.id === 0) return ' at initial connection step of tcp-check';
  const comment = step.comment === '' ? '' : ` comment: '${latin1(step.comment)}'`;
  return ` at step ${step.id} of tcp-check (${doing(step)})${comment}`;
}

function doing(step: CheckStep): string {
  if (step.kind === 'connect') return step.port === 0 ? 'connect' : `connect port ${step.port}`;
  if (step.kind !== 'expect') return 'send';
  if (typeof step.pattern !== 'string') return `expect ${formatKind(step.match)}`;
  if (step.match === 'string') return `expect string '${latin1(step.pattern)}'`;
  if (step.match !== 'binary') return step.match === 'rstring' ? 'expect regex' : 'expect binary regex';
  // Up to the first byte that is no text.
  return `expect binary '${pieceOf(Buffer.from(step.pattern, 'hex').toString('latin1'), 0)}'`;
}
