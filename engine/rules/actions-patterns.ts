/** Actions that change maps and ACL files, for all workers at once. */
import type { Cursor } from '../config/cursor.ts';
import type { Context } from '../config/keyword.ts';
import type { Env, Standpoint } from '../sample/context.ts';
import { BY_KEY } from '../sample/generation.ts';
import { addAcl, deleteKey, setMap } from '../sample/pattern-changes.ts';
import { type Act, type ActionRow, action, CONTINUE, insideParens, type RuleDraft } from './action.ts';
import { compileText, type Format, readFormat } from './format.ts';

interface Target {
  /** As readPatternFile wants it. What nothing looks into is not changed either. */
  readonly name: string;
  readonly key: Format;
}

function readTarget(cursor: Cursor, rule: RuleDraft, context: Context): Target | null {
  const name = insideParens(cursor, 'a file name');
  const key = name === null ? null : readFormat(cursor, rule, context, 'a key');
  return name === null || key === null ? null : { name, key };
}

/** What an entry cannot be is not said: HAProxy is silent about it, too. */
type Change = (books: Env['books'], ref: NonNullable<ReturnType<Env['books']['named']>>, key: Uint8Array) => unknown;

/** The key is copied: it may be made of what the value is made in. */
function compileChange({ name, key }: Target, env: Env, change: (at: Standpoint) => Change): Act {
  const keyOf = compileText(key, env);
  const ref = env.books.named(name);
  // Made now and kept, not when the first request wants to change something.
  if (ref !== null) env.books.state(ref).book(BY_KEY);
  return at => {
    if (ref !== null) change(at)(env.books, ref, keyOf(at).slice());
    return CONTINUE;
  };
}

function keyAction(name: string, where: string, doc: string, change: Change): ActionRow {
  return action<Target>({
    ...{ name, where, doc, args: '(<file>) <key>' },
    read: readTarget,
    compile: (target, env) => compileChange(target, env, () => change),
    good: [`${name}(virt@x) "%[src]"`],
    bad: [
      [`${name} x`, `'${name}' expects a file name in parentheses`],
      [`${name}(x)`, `'${name}(x)' expects a key`],
    ],
  });
}

const SET_MAP = action<Target & { readonly value: Format }>({
  name: 'set-map',
  where: 'QRA',
  args: '(<file>) <key> <value>',
  doc: 'Sets an entry of a map.',
  read(cursor, rule, context) {
    const target = readTarget(cursor, rule, context);
    const value = target === null ? null : readFormat(cursor, rule, context, 'a value');
    return target === null || value === null ? null : { ...target, value };
  },
  compile({ value, ...target }, env) {
    const valueOf = compileText(value, env);
    return compileChange(target, env, at => (books, ref, key) => setMap(books, ref, key, valueOf(at).slice()));
  },
  good: ['set-map(virt@x) "%[src]" "%[capture.req.uri]"'],
  bad: [
    ['set-map(x)', "'set-map(x)' expects a key"],
    ['set-map(x) a', "'a' expects a value"],
  ],
});

export const PATTERN_ACTIONS: readonly ActionRow[] = [
  keyAction('add-acl', 'QR', 'Adds a pattern to an ACL file, unless it is there.', addAcl),
  keyAction('del-acl', 'QR', 'Takes a pattern out of an ACL file.', deleteKey),
  SET_MAP,
  keyAction('del-map', 'QRA', 'Takes an entry out of a map.', deleteKey),
];
