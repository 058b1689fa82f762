/** Fetches of variables (manual 2.8, 7.3.2): one, or all of a scope as text. */
import { METHOD_NAMES } from '../http/names.ts';
import type { Args } from './arguments.ts';
import { cast } from './cast.ts';
import type { Fetch, SampleContext } from './context.ts';
import { type FetchRow, fetch } from './row.ts';
import { BIN, BOOL, METH, Sample, STR } from './sample.ts';
import { putText } from './text-out.ts';
import type { Scope } from './variable.ts';
import { getVar, putValue, type Value, variablesOf } from './vars.ts';

function variable(args: Args): Fetch {
  const name = args.variable(0)!;
  if (!args.has(1)) return (ctx, out) => getVar(name, ctx, out);
  const otherwise = args.bytes(1);
  return (ctx, out) => getVar(name, ctx, out) || out.setStr(otherwise, 0, otherwise.length);
}

/** In this order where none is named. */
const DUMPED: readonly Scope[] = ['sess', 'txn', 'req', 'res', 'proc'];

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ '"': '\\"', '\\': '\\\\', '\r': '\\r', '\n': '\\n', '\b': '\\b', '\0': '\\0' },
};

function quoted(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that are escaped.
  return `"${text.replace(/["\\\r\n\u0008\0]/g, char => ESCAPES[char]!)}"`;
}

const shown = new Sample();

/** A value as it stands in a dump: texts quoted, bytes in hexadecimal, all else bare. */
function textOf(value: Value): string {
  putValue(value, shown);
  const { type, int } = shown;
  if (type === BOOL) return int === 0 ? 'false' : 'true';
  if (type === BIN) return `x${Buffer.from(value.bytes).toString('hex')}`;
  if (type === METH) return quoted(int === 0 ? shown.text() : METHOD_NAMES[int]!);
  return cast(shown, STR) && type !== STR ? shown.text() : quoted(shown.text());
}

function dump(args: Args): Fetch {
  const scopes = DUMPED.filter(scope => !args.has(0) || scope === args.text(0));
  const prefix = args.text(1);
  const delimiter = Buffer.from(args.text(2, ', '), 'utf8').toString('latin1');
  return (ctx: SampleContext, out) => {
    const list: string[] = [];
    for (const scope of scopes) {
      for (const [name, value] of variablesOf(scope, ctx)) {
        if (name.startsWith(prefix)) list.push(`${scope}.${name}=${textOf(value)}`);
      }
    }
    return putText(out, list.join(delimiter));
  };
}

const SCOPE_PROBLEM = `expects ${DUMPED.map(scope => `'${scope}'`).join(', ')} as scope`;

export const VARIABLE_FETCHES: readonly FetchRow[] = [
  fetch('var', 'name:var [default:str]', 'any', 'constant', 'A variable.', variable, {
    bad: [['var(txn.a-b)', "invalid args in fetch method 'var' : invalid syntax at char '-b'"]],
  }),
  fetch(
    'dump_all_vars',
    '[scope:str] [prefix:str] [delimiter:str]',
    'str',
    'constant',
    'All variables of a scope, or of all, as `scope.name=value`.',
    dump,
    {
      check: ([scope]) => (scope == null || DUMPED.includes(scope as Scope) ? null : SCOPE_PROBLEM),
      good: ['dump_all_vars', 'dump_all_vars(txn)', 'dump_all_vars(txn,user)', "dump_all_vars(txn,,', ')"],
      bad: [['dump_all_vars(foo)', `invalid args in fetch method 'dump_all_vars' : ${SCOPE_PROBLEM}`]],
    },
  ),
];
