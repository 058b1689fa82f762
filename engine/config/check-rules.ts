/** The rules that `http-check` and `tcp-check` have in common: connect, expect, comment. */
import { parseEndpoint, SOURCE_ACCEPTS } from './address.ts';
import {
  type CheckOwner,
  connectStep,
  expectStep,
  nextRule,
  ownRules,
  type Rule,
  type Rules,
  type StepDraft,
} from './check-draft.ts';
import type { CheckText, ConnectStep, ExpectStep, MatchKind } from './check-model.ts';
import { argument, checkExpression, checkFormat, formatArgument, type RuleReader } from './check-values.ts';
import type { Cursor } from './cursor.ts';
import { type Context, type Keyword, supported } from './keyword.ts';

export type Family = 'http' | 'tcp';
type Row = Keyword<CheckOwner>;

/** Rules of an HTTP check come in turns: connect, send, expect..., variables between them. Gives HAProxy's complaint. */
function outOfTurn(rules: Rules, kind: Rule['kind']): string | null {
  const last = rules.list.findLast(rule => rule.kind !== 'variable')?.kind;
  if (last === undefined) return null;
  const missing =
    kind === 'request' && last !== 'connect'
      ? 'connect'
      : kind === 'expect' && last === 'connect'
        ? 'send'
        : kind === 'connect' && last !== 'expect'
          ? 'expect'
          : null;
  const name = kind === 'request' ? 'send' : kind;
  return missing && `unable to add http-check ${name} rule at step ${rules.nextId} (missing ${missing} rule).`;
}

/** Adds a rule unless the line had an error or the rule is out of turn. */
export function addRule(cursor: Cursor, owner: CheckOwner, family: Family, make: () => Rule | null) {
  const rules = ownRules(owner, family);
  const rule = make();
  if (rule === null) return;
  const complaint = family === 'http' ? outOfTurn(rules, rule.kind) : null;
  if (complaint !== null) return cursor.error(`'http-check': ${complaint}`);
  const { id, comment } = nextRule(rules);
  rules.list.push({ ...rule, id, comment: rule.comment || comment });
}

// --- connect ---

const CONNECT_LATER = ['proto'];

const CONNECT: Readonly<
  Record<string, (cursor: Cursor, step: StepDraft<ConnectStep>, name: string, context: Context) => void>
> = {
  default: (_cursor, step) => {
    step.asServer = true;
  },
  port(cursor, step) {
    step.port = cursor.expectInt('port', { min: 1, max: 65_535 }) ?? 0;
  },
  addr(cursor, step, name, { resources }) {
    const text = argument({ cursor, name }, 'addr')?.text;
    if (text === undefined) return;
    const endpoint = parseEndpoint(text, SOURCE_ACCEPTS, resources.env);
    if ('error' in endpoint) return cursor.error(`'${name}': ${endpoint.error}`);
    const { address, hostname, family } = endpoint.value;
    step.address = hostname === null ? address : resources.resolve(hostname, family);
    if (step.address === null) cursor.error(`'${name}': could not resolve address '${hostname}'`);
  },
  'send-proxy': (_cursor, step) => {
    step.sendProxy = true;
  },
  'via-socks4': (_cursor, step) => {
    step.viaSocks4 = true;
  },
  ssl: (_cursor, step) => {
    step.tls = true;
  },
  sni(cursor, step, name) {
    step.sni = argument({ cursor, name }, 'sni')?.text ?? '';
  },
  alpn(cursor, step, name) {
    step.alpn = (argument({ cursor, name }, 'alpn')?.text ?? '').split(',').filter(text => text !== '');
  },
  linger: (_cursor, step) => {
    step.linger = true;
  },
  comment(cursor, step, name) {
    step.comment = argument({ cursor, name }, 'comment')?.text ?? '';
  },
};

function connect(cursor: Cursor, name: string, context: Context): Rule | null {
  const step = { ...connectStep(0), asServer: false };
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    const set = Object.hasOwn(CONNECT, word.text) ? CONNECT[word.text] : undefined;
    if (set !== undefined) set(cursor, step, name, context);
    else if (CONNECT_LATER.includes(word.text)) {
      cursor.error(`'${word.text}' of '${name}' is not supported by Sluice yet`);
      return null;
    } else {
      const known = Object.keys(CONNECT).map(setting => `'${setting}'`);
      cursor.error(`'${name}': expects ${known.join(', ')}, not '${word.text}'`);
      return null;
    }
  }
  return step;
}

/** The row of `http-check connect` or `tcp-check connect`. */
export function connectRow(family: Family): Row {
  const name = `${family}-check connect`;
  return supported({
    name,
    where: 'DLB',
    args: '[default] [port <port>] [addr <ip>] [send-proxy] [via-socks4] [ssl] [sni <name>] [alpn <protocols>] [linger] [comment <text>]',
    doc: 'Opens a connection as a step of the check.',
    parse: (cursor, owner, context) => addRule(cursor, owner, family, () => connect(cursor, name, context)),
    good: [
      name,
      `${name} default`,
      `${name} port 81 addr 127.0.0.2 send-proxy via-socks4 linger comment x`,
      `${name} ssl sni a.org alpn http/1.1`,
    ],
    bad: [
      [`${name} port 0`, "'port' expects an integer between 1 and 65535, not '0'"],
      [`${name} addr 1.2.3.4.5`, `'${name}': invalid address: '1.2.3.4.5' in '1.2.3.4.5'`],
      [`${name} proto h2`, `'proto' of '${name}' is not supported by Sluice yet`],
      [
        `${name} foo`,
        `'${name}': expects 'default', 'port', 'addr', 'send-proxy', 'via-socks4', 'ssl', 'sni', 'alpn', 'linger', 'comment', not 'foo'`,
      ],
    ],
  });
}

/** The row of `http-check comment` or `tcp-check comment`. */
export function commentRow(family: Family): Row {
  const name = `${family}-check comment`;
  return supported({
    ...{ name, where: 'DLB', args: '<text>', doc: 'Text shown when the next check rule fails.' },
    parse(cursor, owner) {
      const word = cursor.next();
      if (word === null) return cursor.error(`'${name}': expects a string as argument`);
      const rules = ownRules(owner, family);
      rules.comment = word.text;
      rules.nextId++;
    },
    good: [`${name} hello`],
    bad: [
      [name, `'${name}': expects a string as argument`],
      [`${name} a b`, `'${name}' cannot handle unexpected argument 'b'`],
    ],
  });
}

// --- expect ---

const STATUSES = {
  'ok-status': ['L7OK', 'L7OKC', 'L6OK', 'L4OK'],
  'error-status': ['L7OKC', 'L7RSP', 'L7STS', 'L6RSP', 'L4CON'],
  'tout-status': ['L7TOUT', 'L6TOUT', 'L4TOUT'],
} as const;
const STATUS_FIELDS = { 'ok-status': 'okStatus', 'error-status': 'errorStatus', 'tout-status': 'toutStatus' } as const;

function text(reader: RuleReader, what: string): CheckText | null {
  const format = formatArgument(reader, what);
  return format === null ? null : { text: format };
}

/** Reads one setting of an expect rule. False when the word is none. */
function expectSetting(reader: RuleReader, step: StepDraft<ExpectStep>, word: string): boolean {
  const { cursor } = reader;
  if (word === 'min-recv') step.minRecv = cursor.expectInt('min-recv', { min: -1 }) ?? -1;
  else if (word === 'comment') step.comment = argument(reader, word)?.text ?? '';
  else if (word === 'on-success') step.onSuccess = text(reader, word);
  else if (word === 'on-error') step.onError = text(reader, word);
  else if (word === 'status-code') step.statusCode = checkExpression(reader);
  else if (word === 'ok-status' || word === 'error-status' || word === 'tout-status') {
    step[STATUS_FIELDS[word]] = cursor.expectOneOf<string>(word, STATUSES[word]) ?? '';
  } else return false;
  return true;
}

/** A match of a family: what the word stands for, and what reads and checks its pattern (`word`: the match's own name). */
export type Matches = Readonly<
  Record<string, { match: MatchKind; read: (reader: RuleReader, word: string, step: StepDraft<ExpectStep>) => void }>
>;

/** Reads an expect rule: settings and one match, in any order. Null after reporting. */
export function expectRule(reader: RuleReader, matches: Matches): Rule | null {
  const { cursor, name } = reader;
  const step = expectStep(0, 'string', '');
  const errors = cursor.diagnostics.list.length;
  let found = false;
  for (let next = cursor.next(); next !== null; next = cursor.next()) {
    const glued = next.text.startsWith('!') && next.text !== '!';
    const word = glued ? next.text.slice(1) : next.text;
    const row = Object.hasOwn(matches, word) ? matches[word] : undefined;
    if (next.text === '!' || glued) step.negate = true;
    if (next.text === '!') continue;
    if (row !== undefined && !found) {
      found = true;
      step.match = row.match;
      row.read(reader, word, step);
    } else if (!expectSetting(reader, step, word)) refuseExpect(cursor, name, word, found, matches);
    if (cursor.diagnostics.list.length > errors) return null;
  }
  if (!found) cursor.error(`'${name}': expects at least a matching pattern as arguments`);
  return found ? step : null;
}

function refuseExpect(cursor: Cursor, name: string, word: string, found: boolean, matches: Matches): void {
  const known = Object.keys(matches).map(match => `[!]${match}`);
  if (found) cursor.error(`'${name}' cannot handle unexpected argument '${word}'`);
  else cursor.error(`'${name}': only supports ${known.join(', ')} but got '${word}' as argument`);
}

/** Reads a pattern that `wrong` has nothing against. */
export function pattern(wrong: (text: string) => string | null): Matches[string]['read'] {
  return ({ cursor, name }, word, step) => {
    const given = cursor.next();
    if (given === null) return cursor.error(`'${name}': '${word}' expects a <pattern> as argument`);
    const complaint = wrong(given.text);
    if (complaint !== null) return cursor.error(`'${name}': ${complaint} '${given.text}'`);
    step.pattern = given.text;
  };
}

/** Reads a pattern that is a format. */
export const formatPattern: Matches[string]['read'] = (reader, word, step) => {
  const { cursor, name } = reader;
  const given = cursor.next();
  // A text that can only be empty matches nothing.
  if (given === null || given.text === '') return cursor.error(`'${name}': '${word}' expects a <pattern> as argument`);
  step.pattern = checkFormat(reader, given) ?? '';
};

export function wrongRegex(text: string): string | null {
  try {
    new RegExp(text);
    return null;
  } catch {
    return 'invalid regular expression';
  }
}

export function wrongHex(text: string): string | null {
  return /^([0-9a-f]{2})+$/i.test(text) ? null : 'an even number of hexadecimal digits is expected, not';
}

/** One character per byte. */
export function bytesOfHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}
