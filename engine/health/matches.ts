/**
 * What an expectation looks at: one row per kind of match. A row is compiled once per step and then asked about what has
 * come so far: true or false, or what the protocol itself says.
 */
import type { ExpectStep, HeaderMatch, MatchKind, MatchMethod } from '../config/check-model.ts';
import { ldapBind, mysqlHello, mysqlOk, mysqlVersion, spopHello } from './protocols.ts';
import type { CheckResponse } from './response.ts';
import type { Verdict } from './statuses.ts';

/** What a protocol finds: it goes on, it needs more bytes, or the check is over. */
export type Finding = 'good' | 'more' | Verdict;

export type Match =
  /** Bytes: looked for in all that was received. */
  | { readonly of: 'bytes'; readonly atLeast: number; readonly holds: (text: string) => boolean }
  /** Known as soon as the head of the HTTP response is. */
  | { readonly of: 'head'; readonly holds: (response: CheckResponse) => boolean }
  | { readonly of: 'body'; readonly holds: (body: string) => boolean }
  /** `info`: what a success says. */
  | { readonly of: 'protocol'; readonly find: Find; readonly info?: (text: string) => string };

type Find = (text: string, ended: boolean) => Finding;

/** An expectation whose formats are evaluated: texts are one character per byte. */
interface Expected extends Omit<ExpectStep, 'pattern' | 'header'> {
  readonly pattern: string;
  readonly header: ExpectedHeader | null;
}

interface ExpectedHeader extends HeaderMatch {
  readonly name: string;
}

function regex(pattern: string): RegExp {
  return new RegExp(pattern, 's');
}

function contains(part: string): Match {
  return { of: 'bytes', atLeast: part.length, holds: text => text.includes(part) };
}

/** `200` or `200-399`, several of them with commas between. */
function statusMatch(pattern: string): Match {
  const ranges = pattern.split(',').map(range => {
    const [from, to] = range.split('-').map(Number);
    return [from!, to ?? from!] as const;
  });
  return { of: 'head', holds: ({ code }) => ranges.some(([from, to]) => code >= from && code <= to) };
}

const METHODS: Readonly<Record<MatchMethod, (pattern: string) => (text: string) => boolean>> = {
  str: pattern => text => text === pattern,
  beg: pattern => text => text.startsWith(pattern),
  end: pattern => text => text.endsWith(pattern),
  sub: pattern => text => text.includes(pattern),
  reg: pattern => {
    const compiled = regex(pattern);
    return text => compiled.test(text);
  },
};

/** Names are compared in any case. */
function nameMatch({ name, nameMethod }: ExpectedHeader): (name: string) => boolean {
  if (nameMethod !== 'reg') return METHODS[nameMethod](name.toLowerCase());
  const compiled = new RegExp(name, 'si');
  return text => compiled.test(text);
}

/** `whole`: the value is one, commas in it or not. */
function headerMatch(step: Expected, whole: boolean): Match {
  const header = step.header!;
  const isName = nameMatch(header);
  const isValue = header.valueMethod === null ? null : METHODS[header.valueMethod](step.pattern);
  const values = (value: string): string[] => (whole ? [value] : value.split(',').map(part => part.trim()));
  return {
    of: 'head',
    holds: response =>
      response.headers().some(([name, value]) => isName(name) && (isValue === null || values(value).some(isValue))),
  };
}

const MATCHES: Readonly<Record<Exclude<MatchKind, 'agent'>, (step: Expected) => Match>> = {
  string: ({ pattern }) => contains(pattern),
  binary: ({ pattern }) => contains(Buffer.from(pattern, 'hex').toString('latin1')),
  rstring: ({ pattern }) => {
    const compiled = regex(pattern);
    return { of: 'bytes', atLeast: 0, holds: text => compiled.test(text) };
  },
  rbinary: ({ pattern }) => {
    const compiled = regex(pattern);
    const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex').toUpperCase();
    return { of: 'bytes', atLeast: 0, holds: text => compiled.test(hex(text)) };
  },
  status: ({ pattern }) => statusMatch(pattern),
  rstatus: ({ pattern }) => {
    const compiled = regex(pattern);
    return { of: 'head', holds: ({ code }) => compiled.test(String(code)) };
  },
  body: ({ pattern }) => {
    return { of: 'body', holds: body => body.includes(pattern) };
  },
  rbody: ({ pattern }) => {
    const compiled = regex(pattern);
    return { of: 'body', holds: body => compiled.test(body) };
  },
  hdr: step => headerMatch(step, false),
  fhdr: step => headerMatch(step, true),
  'mysql-hello': () => ({ of: 'protocol', find: mysqlHello, info: mysqlVersion }),
  'mysql-ok': () => ({ of: 'protocol', find: mysqlOk, info: mysqlVersion }),
  'ldap-bind': () => ({ of: 'protocol', find: ldapBind, info: () => 'Success' }),
  'spop-hello': () => ({ of: 'protocol', find: spopHello }),
};

/** Throws SyntaxError on a bad regular expression. `agent` finds what an agent's line says. */
export function matchOf(step: Expected, agent: (line: string) => Verdict): Match {
  if (step.match !== 'agent') return MATCHES[step.match](step);
  return {
    of: 'protocol',
    find(text) {
      const end = text.search(/[\r\n]/);
      return end < 0 ? 'more' : agent(text.slice(0, end));
    },
  };
}
