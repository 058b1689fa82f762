/**
 * Texts with `%[expression]` in them, as data and as functions: the dynamic names of `use_backend`. `%%` is a percent sign;
 * variables of log lines (`%ci`) have no meaning here.
 */
import type { Cursor } from '../config/cursor.ts';
import type { Resources } from '../config/draft.ts';
import type { Word } from '../config/words.ts';
import { cast } from './cast.ts';
import { compileExpression } from './compile.ts';
import type { Env, SampleContext } from './context.ts';
import { type Expression, parseExpression, partOf, unseen } from './expression.ts';
import type { Point } from './points.ts';
import { Sample, STR } from './sample.ts';

/** Literal texts and expressions, in order. */
export type Template = readonly (string | Expression)[];

export function templateExpressions(template: Template | null): Expression[] {
  return (template ?? []).filter(piece => typeof piece !== 'string');
}

/** Reads the template in `word`; reports what is wrong and returns null. */
export function readTemplate(cursor: Cursor, word: Word, resources: Resources, point: Point): Template | null {
  const { text } = word;
  const pieces: (string | Expression)[] = [];
  const complain = (message: string, at: number, width: number, hint: string | null = null): null => {
    cursor.error(message, hint ?? undefined, partOf(word, at, width));
    return null;
  };
  let literal = '';
  for (let at = 0; at < text.length; ) {
    if (text[at] !== '%' || text.startsWith('%%', at)) {
      literal += text[at];
      at += text[at] === '%' ? 2 : 1;
      continue;
    }
    if (text[at + 1] !== '[') return complain(`only '%[expression]' and '%%' may stand in '${text}'`, at, 2);
    const rest = text.slice(at + 2);
    const parsed = parseExpression(text, at + 2, resources);
    if ('message' in parsed) {
      return complain(
        `failed to parse sample expression <${rest}> : ${parsed.message}`,
        parsed.at,
        parsed.width,
        parsed.hint,
      );
    }
    if (text[parsed.end] !== ']') return complain(`missing closing ']' in '${text}'`, parsed.end, 1);
    const blind = unseen(parsed.expression, point);
    if (blind !== null) {
      const message = `sample fetch <${rest}> may not be reliably used here because it needs '${blind}' which is not available here`;
      return complain(message, at + 2, parsed.end - at - 2);
    }
    if (literal !== '') pieces.push(literal);
    literal = '';
    pieces.push(parsed.expression);
    at = parsed.end + 1;
  }
  if (literal !== '') pieces.push(literal);
  return pieces;
}

/** The text of a template; an expression that finds nothing leaves nothing. */
export type Render = (ctx: SampleContext) => string;

export function compileTemplate(template: Template, env: Env): Render {
  const sample = new Sample();
  const pieces = template.map((piece): Render => {
    if (typeof piece === 'string') return () => piece;
    const fetch = compileExpression(piece, env);
    return ctx => {
      sample.begin(false);
      return fetch(ctx, sample) && cast(sample, STR) ? sample.text() : '';
    };
  });
  return ctx => {
    let text = '';
    for (let i = 0; i < pieces.length; i++) text += pieces[i]!(ctx);
    return text;
  };
}
