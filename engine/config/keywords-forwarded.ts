/** `option forwarded`: which parameters the Forwarded header of RFC 7239 gets, and what they say. */
import { type Expression, parseExpression, readExpression } from '../sample/expression.ts';
import type { Cursor } from './cursor.ts';
import type { ProxyDraft } from './draft.ts';
import { type Context, type Keyword, supported } from './keyword.ts';
import { useExpression } from './keywords-acl.ts';
import type { Forwarded } from './proxy-model.ts';

type ForwardedDraft = { -readonly [K in keyof Forwarded]: Forwarded[K] };
type Told = Exclude<keyof Forwarded, 'proto'>;

/** [word, field, what it says when no expression does]. */
const PARAMETERS: readonly (readonly [word: string, field: Told, own: string])[] = [
  ['host', 'host', 'req.hdr(host)'],
  ['by', 'by', 'dst'],
  ['by_port', 'byPort', 'dst_port'],
  ['for', 'for', 'src'],
  ['for_port', 'forPort', 'src_port'],
];
const WORDS = ['proto', ...PARAMETERS.flatMap(([word]) => [word, `${word}-expr`])];
const NOTHING: Forwarded = { proto: false, host: null, by: null, byPort: null, for: null, forPort: null };
const ONLY = `'option forwarded' only supports ${WORDS.map(word => `'${word}'`).join(', ')}`;

function own(text: string, { resources }: Context): Expression {
  const parsed = parseExpression(text, 0, resources);
  if ('message' in parsed) throw new Error(`option forwarded: ${parsed.message}`);
  return parsed.expression;
}

/** Takes one parameter; false after reporting. */
function parameter(cursor: Cursor, proxy: ProxyDraft, made: ForwardedDraft, context: Context): boolean {
  const word = cursor.next()!;
  if (word.text === 'proto') {
    made.proto = true;
    return true;
  }
  const row = PARAMETERS.find(([name]) => word.text === name || word.text === `${name}-expr`);
  if (row === undefined) {
    cursor.error(ONLY, undefined, word);
    return false;
  }
  const [name, field, otherwise] = row;
  const given = word.text === name ? null : readExpression(cursor, context.resources, 'backRequest');
  if (word.text !== name && given === null) return false;
  if (given !== null) useExpression(proxy, cursor, given);
  made[field] = given ?? own(otherwise, context);
  return true;
}

export const FORWARDED: Keyword<ProxyDraft> = supported({
  name: 'option forwarded',
  where: 'DLB',
  args: '[proto] [host | host-expr <expr>] [by | by-expr <expr>] [by_port | by_port-expr <expr>] [for | for-expr <expr>] [for_port | for_port-expr <expr>]',
  doc: 'Tells the server of the client and of the way here in a Forwarded header (RFC 7239); `proto for` when nothing is given.',
  negatable: true,
  parse(cursor, proxy, context) {
    if (context.prefix !== '') {
      proxy.forwarded = null;
      return;
    }
    const made: ForwardedDraft = { ...NOTHING };
    if (cursor.left === 0) Object.assign(made, { proto: true, for: own('src', context) });
    while (cursor.left > 0) if (!parameter(cursor, proxy, made, context)) return;
    proxy.forwarded = made;
  },
  good: [
    ...[
      '',
      ' proto for',
      ' host by by_port for for_port',
      ' host-expr str(a) by-expr str(_b) for for_port-expr int(1)',
    ],
    ...[' for-expr src,xxh32,hex for_port', ' for-expr rand,hex'],
  ]
    .map(args => `option forwarded${args}`)
    .concat('no option forwarded'),
  bad: [
    ['option forwarded foo', ONLY],
    ['option forwarded for-expr', 'missing fetch method'],
    ['option forwarded by-expr nosuch', "unknown fetch method 'nosuch'"],
  ],
});
