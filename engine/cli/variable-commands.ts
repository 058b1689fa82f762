/** `get var`, `set var`: variables of the process. */
import { Cursor } from '../config/cursor.ts';
import { Diagnostics } from '../config/diagnostics.ts';
import type { Resources } from '../config/draft.ts';
import { readProcName, readValue } from '../rules/proc-var.ts';
import { cast } from '../sample/cast.ts';
import { outside } from '../sample/outside.ts';
import { Sample, STR, TYPE_NAMES } from '../sample/sample.ts';
import { parseVariable } from '../sample/variable.ts';
import { sizeOf } from '../sample/vars.ts';
import type { Call, Command } from './command.ts';
import { err, type Message } from './severity.ts';

const NO_NAME = 'Missing process-wide variable identifier.';

function getVar({ env, args }: Call): string | Message {
  const [name] = args;
  if (name === undefined) return err(NO_NAME);
  const variable = parseVariable(name);
  const proc = typeof variable !== 'string' && variable.scope === 'proc' ? variable.name : null;
  const value = proc === null ? undefined : env.procVars.get(proc);
  if (value === undefined) return err('Variable not found.');
  const sample = new Sample();
  Object.assign(sample, value, { start: 0, end: value.bytes.length });
  const text = cast(sample, STR) ? Buffer.from(sample.copy()).toString() : '';
  return `${name}: type=${TYPE_NAMES[value.type]} value=<${text}>`;
}

/** `set var <name> [expr|fmt] <what>`. An expression has no spaces: who types one writes a backslash before it. */
function setVar({ env, args }: Call): string {
  const [name, second, third] = args;
  if (name === undefined) return NO_NAME;
  if (second === undefined) return "Missing either 'expr', 'fmt' or expression.";
  if (third !== undefined && second !== 'expr' && second !== 'fmt') {
    return `'set var': arg type must be either 'expr' or 'fmt' but got '${second}'.`;
  }
  const form = third !== undefined && second === 'fmt' ? 'fmt' : 'expr';
  const words = [name, third ?? second].map(text => ({ text, column: 0, width: 0 }));
  const diagnostics = new Diagnostics();
  const cursor = new Cursor({ file: 'CLI', line: 0, source: '', words }, diagnostics);
  const proc = readProcName(cursor, 'set var', 'here');
  const there = outside(env.model, env.books, env.procVars, env);
  const value = proc === null ? null : readValue(cursor, form, 'cli', resourcesOf(env.environment), there);
  if (proc === null || value === null) return diagnostics.list[0]!.message;
  if (value === undefined) return 'This expression has no value here.';
  const { varsGlobalBytes, varsProcBytes } = env.model.global.tune;
  const size = env.procVars.size + sizeOf(value);
  for (const limit of [varsProcBytes, varsGlobalBytes]) if (limit > 0 && size > limit) return 'No room for it.';
  env.procVars.set(proc, value);
  return '';
}

/** Files are not read at run time. */
function resourcesOf(env: Resources['env']): Resources {
  return { env, readFolder: () => null, readFile: () => null, resolve: () => null };
}

export const VARIABLE_COMMANDS: readonly Command[] = [
  {
    words: 'get var',
    usage: '<name>',
    help: 'retrieve contents of a process-wide variable',
    level: 'operator',
    run: getVar,
  },
  {
    words: 'set var',
    usage: '<name> [fmt|expr] {<fmt>|<expr>}',
    help: 'set variable from an expression/format',
    level: 'operator',
    mode: 'experimental',
    run: setVar,
  },
];
