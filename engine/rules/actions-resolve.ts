/** `do-resolve`: the address of a name that the traffic tells. */
import type { Cursor } from '../config/cursor.ts';
import { reference } from '../config/fields.ts';
import { compileExpression } from '../sample/compile.ts';
import type { Expression } from '../sample/expression.ts';
import { Sample, STR } from '../sample/sample.ts';
import { parseTarget, type Variable } from '../sample/variable.ts';
import { setVar } from '../sample/vars.ts';
import { type ActionRow, action, CONTINUE, insideParens, type RuleDraft, YIELD } from './action.ts';
import { evaluate, readSample } from './values.ts';

interface Args {
  readonly variable: Variable;
  /** Name of the section. */
  readonly resolvers: string;
  readonly prefer: 4 | 6;
  readonly expression: Expression;
}

const FAMILIES = { ipv4: 4, ipv6: 6 } as const;
const ARGUMENTS = '<variable>,<resolvers>[,ipv4|ipv6]';

/** What the parentheses hold; null after reporting. */
function readArguments(cursor: Cursor, rule: RuleDraft): Omit<Args, 'expression'> | null {
  const inside = insideParens(cursor, ARGUMENTS);
  if (inside === null) return null;
  const [name = '', resolvers = '', family = 'ipv6', ...more] = inside.split(',').map(part => part.trim());
  if (resolvers === '' || more.length > 0 || !Object.hasOwn(FAMILIES, family)) {
    cursor.error(`'do-resolve' expects ${ARGUMENTS} in parentheses`);
    return null;
  }
  const variable = parseTarget(name);
  if (typeof variable === 'string') {
    cursor.error(variable);
    return null;
  }
  rule.proxy.resolversUsed.push({ ...reference(cursor), name: resolvers });
  return { variable, resolvers, prefer: FAMILIES[family as keyof typeof FAMILIES] };
}

const found = new Sample();

export const RESOLVE_ACTIONS: readonly ActionRow[] = [
  action<Args>({
    name: 'do-resolve',
    where: 'TQ',
    args: `(${ARGUMENTS}) <expression>`,
    doc: 'Looks a host name up; its address goes into a variable, which stays as it is when there is none.',
    read(cursor, rule, context) {
      const args = readArguments(cursor, rule);
      const expression = args === null ? null : readSample(cursor, rule, context);
      return args === null || expression === null ? null : { ...args, expression };
    },
    compile({ variable, resolvers, prefer, expression }, env) {
      const fetch = compileExpression(expression, env);
      const { model, names } = env.worker;
      const section = model.resolvers.findIndex(({ name }) => name === resolvers);
      return at => {
        const stream = at.stream!;
        const { nameAsk } = stream;
        if (nameAsk !== null && !nameAsk.done) return YIELD;
        if (nameAsk === null) {
          const name = section < 0 ? null : evaluate(fetch, at, STR);
          return name !== null && names.ask(stream, section, name.text(), prefer) ? YIELD : CONTINUE;
        }
        stream.nameAsk = null;
        if (nameAsk.address !== null && found.setIp(nameAsk.address.bytes)) setVar(variable, at, found);
        return CONTINUE;
      };
    },
    good: ['do-resolve(txn.ip,default) src', 'do-resolve(sess.ip,default,ipv4) src'],
    bad: [
      ['do-resolve hdr(host)', `'do-resolve' expects ${ARGUMENTS} in parentheses`],
      ['do-resolve(txn.ip) hdr(host)', `'do-resolve' expects ${ARGUMENTS} in parentheses`],
      ['do-resolve(txn.ip,dns,ipv5) hdr(host)', `'do-resolve' expects ${ARGUMENTS} in parentheses`],
    ],
  }),
];
