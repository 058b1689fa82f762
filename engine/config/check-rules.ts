/** The rules that `http-check` and `tcp-check` have in common: connect, expect, comment. */
import type { Address } from '../io/contract.ts';
import { parseEndpoint, SOURCE_ACCEPTS } from './address.ts';
import { type CheckOwner, connectStep, expectStep, nextRule, ownRules, type Rule, type Rules } from './check-draft.ts';
import type { Cursor } from './cursor.ts';
import type { Draft } from './draft.ts';
import { type Context, type Keyword, supported } from './keyword.ts';
import type { CheckText, ConnectStep, ExpectStep, MatchKind } from './model.ts';

type Family = 'http' | 'tcp';
type Row = Keyword<CheckOwner>;

/** A log-format text with expressions needs the rules engine; a plain one is itself. Null after reporting. */
export function plainFormat(cursor: Cursor, text: string): string | null {
  if (!/%(?!%)/.test(text.replaceAll('%%', ''))) return text.replaceAll('%%', '%');
  cursor.error(`the format '${text}' is not supported by Sluice yet`, 'write a text without %');
  return null;
}

/** The argument of a setting of a rule; null after reporting. */
export function argument(cursor: Cursor, rule: string, what: string): string | null {
  const word = cursor.next();
  if (word === null) cursor.error(`'${rule}': '${what}' expects an argument`);
  return word?.text ?? null;
}

/** Rules of an HTTP check come in turns: connect, send, expect... Gives HAProxy's complaint. */
function outOfTurn(rules: Rules, kind: Rule['kind']): string | null {
  const last = rules.list.at(-1)?.kind;
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
  Record<string, (cursor: Cursor, step: Draft<ConnectStep>, name: string, context: Context) => void>
> = {
  default: (_cursor, step) => {
    step.asServer = true;
  },
  port(cursor, step) {
    step.port = cursor.expectInt('port', { min: 1, max: 65_535 }) ?? 0;
  },
  addr(cursor, step, name, { resources }) {
    const text = argument(cursor, name, 'addr');
    if (text === null) return;
    const endpoint = parseEndpoint(text, SOURCE_ACCEPTS);
    if ('error' in endpoint) return cursor.error(`'${name}': ${endpoint.error}`);
    const { address, hostname } = endpoint.value;
    step.address = hostname === null ? (address as Draft<Address>) : (resources.resolve(hostname) as Draft<Address>);
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
    step.sni = argument(cursor, name, 'sni') ?? '';
  },
  alpn(cursor, step, name) {
    step.alpn = (argument(cursor, name, 'alpn') ?? '').split(',').filter(text => text !== '');
  },
  linger: (_cursor, step) => {
    step.linger = true;
  },
  comment(cursor, step, name) {
    step.comment = argument(cursor, name, 'comment') ?? '';
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
/** Settings and matches that need expressions. */
const EXPECT_LATER = ['status-code', 'string-lf', 'binary-lf'];

function text(cursor: Cursor, name: string, what: string): CheckText | null {
  const given = argument(cursor, name, what);
  const plain = given === null ? null : plainFormat(cursor, given);
  return plain === null ? null : { text: plain };
}

/** Reads one setting of an expect rule. False when the word is none. */
function expectSetting(cursor: Cursor, step: Draft<ExpectStep>, name: string, word: string): boolean {
  if (word === 'min-recv') step.minRecv = cursor.expectInt('min-recv', { min: -1 }) ?? -1;
  else if (word === 'comment') step.comment = argument(cursor, name, word) ?? '';
  else if (word === 'on-success') step.onSuccess = text(cursor, name, word);
  else if (word === 'on-error') step.onError = text(cursor, name, word);
  else if (word === 'ok-status' || word === 'error-status' || word === 'tout-status') {
    step[STATUS_FIELDS[word]] = cursor.expectOneOf<string>(word, STATUSES[word]) ?? '';
  } else return false;
  return true;
}

/** A match of a family: what the word stands for, and what reads and checks its pattern (`word`: the match's own name). */
export type Matches = Readonly<
  Record<
    string,
    { match: MatchKind; read: (cursor: Cursor, name: string, word: string, step: Draft<ExpectStep>) => void }
  >
>;

/** Reads an expect rule: settings and one match, in any order. Null after reporting. */
export function expectRule(cursor: Cursor, name: string, matches: Matches): Rule | null {
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
      row.read(cursor, name, word, step);
    } else if (!expectSetting(cursor, step, name, word)) refuseExpect(cursor, name, word, found, matches);
    if (cursor.diagnostics.list.length > errors) return null;
  }
  if (!found) cursor.error(`'${name}': expects at least a matching pattern as arguments`);
  return found ? step : null;
}

function refuseExpect(cursor: Cursor, name: string, word: string, found: boolean, matches: Matches): void {
  const known = Object.keys(matches).map(match => `[!]${match}`);
  if (EXPECT_LATER.includes(word)) cursor.error(`'${word}' of '${name}' is not supported by Sluice yet`);
  else if (found) cursor.error(`'${name}' cannot handle unexpected argument '${word}'`);
  else cursor.error(`'${name}': only supports ${known.join(', ')} but got '${word}' as argument`);
}

/** Reads a pattern that `wrong` has nothing against. */
export function pattern(wrong: (text: string) => string | null): Matches[string]['read'] {
  return (cursor, name, word, step) => {
    const given = cursor.next();
    if (given === null) return cursor.error(`'${name}': '${word}' expects a <pattern> as argument`);
    const complaint = wrong(given.text);
    if (complaint !== null) return cursor.error(`'${name}': ${complaint} '${given.text}'`);
    step.pattern = given.text;
  };
}

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
