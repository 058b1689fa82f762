/**
 * What the check keywords of a section have said, and how that becomes the steps of a check. `http-check` and `tcp-check`
 * rules are kept apart: which of them count is up to the last `option httpchk`, `option tcp-check`, ...
 */

import type { Check, CheckStep, CheckType, CheckValue, ConnectStep, ExpectStep, RequestStep } from './check-model.ts';
import type { ExpressionUse } from './draft.ts';
import type { Place } from './model.ts';

/** A request as far as it was described; null = as another line says, or the default. */
export interface RequestDraft {
  method: string | null;
  uri: CheckValue | null;
  version: string | null;
  headers: [name: string, value: CheckValue][];
  body: CheckValue | null;
}

/** A step while it is read. */
export type StepDraft<T> = T extends unknown ? { -readonly [K in keyof T]: T[K] } : never;

type RequestRule = Pick<RequestStep, 'kind' | 'id' | 'comment'> & RequestDraft;
export type Rule = StepDraft<Exclude<CheckStep, RequestStep>> | RequestRule;

export interface Rules {
  /** The section that wrote them: one that inherited rules and writes its own forgets the inherited ones. */
  owner: string;
  list: Rule[];
  /** Number of the next rule, 1-based: comments are counted too. */
  nextId: number;
  /** What the next rule gets from `http-check comment` or `tcp-check comment`. */
  comment: string;
}

export interface CheckDraft {
  type: CheckType;
  http: Rules;
  tcp: Rules;
  /** `option httpchk`: the first request of the script. */
  httpchk: RequestDraft;
  /** `option httpchk` came after the first `http-check send`: then it has the last word. */
  httpchkLast: boolean;
  /** The steps that options such as `option redis-check` stand for. */
  preset: StepDraft<CheckStep>[];
  disableOn404: boolean;
  sendState: boolean;
  command: string;
  path: string;
}

/** Sections that have a check: proxies, defaults, `healthcheck`. */
export interface CheckOwner extends Place {
  check: CheckDraft;
  /** Expressions of the rules, whose references are looked up once all is read. */
  expressions: ExpressionUse[];
}

function newRules(): Rules {
  return { owner: '', list: [], nextId: 1, comment: '' };
}

export function newRequest(): RequestDraft {
  return { method: null, uri: null, version: null, headers: [], body: null };
}

export function newCheck(): CheckDraft {
  return {
    type: 'connect',
    http: newRules(),
    tcp: newRules(),
    httpchk: newRequest(),
    httpchkLast: false,
    preset: [],
    disableOn404: false,
    sendState: false,
    command: '',
    path: '',
  };
}

/** The rules of one family, for a line of `owner` to add to. */
export function ownRules(owner: CheckOwner, family: 'http' | 'tcp'): Rules {
  const name = `${owner.file}:${owner.line}`;
  if (owner.check[family].owner !== name) owner.check[family] = { ...newRules(), owner: name };
  return owner.check[family];
}

/** Number and comment of a new rule. */
export function nextRule(rules: Rules): { id: number; comment: string } {
  const { comment } = rules;
  rules.comment = '';
  return { id: rules.nextId++, comment };
}

/** A connection to where the server line says. */
export function connectStep(id: number, comment = ''): StepDraft<ConnectStep> {
  return {
    ...{ kind: 'connect', id, comment, port: 0, address: null },
    ...{ sendProxy: false, viaSocks4: false, linger: false, asServer: true },
    ...{ tls: false, sni: '', alpn: [] },
  };
}

export function expectStep(
  id: number,
  match: ExpectStep['match'],
  pattern: CheckValue,
  more: Partial<StepDraft<ExpectStep>> = {},
): StepDraft<ExpectStep> {
  return {
    ...{ kind: 'expect', id, comment: '', match, pattern, negate: false, header: null, minRecv: -1 },
    ...{ okStatus: '', errorStatus: '', toutStatus: '', onSuccess: null, onError: null, codeFromResponse: false },
    statusCode: null,
    ...more,
  };
}

/** The check of a section as the model has it, or what is wrong with it. */
export function checkOf(draft: CheckDraft): Check | { readonly error: string } {
  const { type, disableOn404, sendState, command, path } = draft;
  const external = type === 'external' ? { command, path } : null;
  if (external !== null && command === '') {
    return { error: "'option external-check' needs 'external-check command'" };
  }
  const steps = stepsOf(draft);
  const first = steps.find(isTraffic);
  if (first?.kind !== 'connect' && steps.some(step => step.kind === 'connect')) {
    return { error: "the first step must be a 'connect' when there is a 'connect' step in the check" };
  }
  if (type !== 'external' && first?.kind !== 'connect') steps.unshift(connectStep(0));
  return { type, steps, disableOn404, sendState, external };
}

/** Variables may be set anywhere between the steps of the conversation. */
function isTraffic({ kind }: Pick<CheckStep, 'kind'>): boolean {
  return kind !== 'variable';
}

function stepsOf(draft: CheckDraft): CheckStep[] {
  if (draft.type === 'http') return httpSteps(draft);
  return draft.type === 'tcp' ? (draft.tcp.list as CheckStep[]).slice() : [...draft.preset];
}

/**
 * `option httpchk` gives the first request, together with the first `http-check send` if that comes first; a request that
 * nothing is expected of must be answered by 2xx or 3xx.
 */
function httpSteps({ http, httpchk, httpchkLast }: CheckDraft): CheckStep[] {
  const rules = http.list.slice();
  const opened = rules.find(isTraffic)?.kind === 'connect' ? rules.findIndex(isTraffic) + 1 : 0;
  const next = opened + rules.slice(opened).findIndex(isTraffic);
  const written = next < opened ? undefined : rules[next];
  if (written?.kind === 'request') {
    rules[next] = { ...written, ...(httpchkLast ? merged(written, httpchk) : merged(httpchk, written)) };
  } else rules.splice(opened, 0, { kind: 'request', id: 0, comment: '', ...httpchk });
  const last = rules.findLastIndex(isTraffic);
  if (rules[last]!.kind === 'request') rules.splice(last + 1, 0, expectStep(0, 'status', '200-399'));
  return rules.map(rule => (rule.kind === 'request' ? requestOf(rule) : rule));
}

/** `over` has the last word where it says anything. */
function merged(under: RequestDraft, over: RequestDraft): RequestDraft {
  return {
    method: over.method ?? under.method,
    uri: over.uri ?? under.uri,
    version: over.version ?? under.version,
    headers: over.headers.length > 0 ? over.headers : under.headers,
    body: over.body ?? under.body,
  };
}

function requestOf({ method, uri, version, body, ...rest }: RequestRule): RequestStep {
  return { ...rest, method: method ?? 'OPTIONS', uri: uri ?? '/', version: version ?? 'HTTP/1.0', body: body ?? '' };
}
