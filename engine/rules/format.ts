/**
 * Log-format strings as arguments of rules (manual 8.2.6): read into plain data with the configuration, compiled in each
 * worker. Unlike in log lines, spaces stay as they are and values are not encoded.
 *
 *     "<%[req.hdr(a)]> from %ci"   ->   '<', { req.hdr(a) }, '> from %ci'
 */
import type { Cursor } from '../config/cursor.ts';
import type { Context } from '../config/keyword.ts';
import { useExpression } from '../config/keywords-acl.ts';
import type { Word } from '../config/words.ts';
import { textOf } from '../http/chars.ts';
import { SAMPLE_BYTES_MAX } from '../limits.ts';
import { compileFormat, type FormatKind, isError } from '../log/format.ts';
import { bytesOf, Line } from '../log/line.ts';
import { Scene } from '../log/scene.ts';
import { cast } from '../sample/cast.ts';
import { compileExpression } from '../sample/compile.ts';
import type { Env, Standpoint } from '../sample/context.ts';
import { type Expression, parseExpression, partOf, unseen } from '../sample/expression.ts';
import { Sample, STR } from '../sample/sample.ts';
import { wallMs } from '../time.ts';
import type { RuleDraft } from './action.ts';

/** Text with variables of log lines (`%ci`, `%%`), or an expression. */
type Piece =
  | { readonly text: string; readonly kind: FormatKind }
  | { readonly expression: Expression; readonly escape: boolean };

export interface Format {
  readonly pieces: readonly Piece[];
}

/** Makes the value; valid until the next one is made. */
export type Value = (at: Standpoint) => Uint8Array;

/** What begins an expression: `%`, a label and flags if there are any, a bracket. */
const OPENING = /%(?:\([^)]*\))?(?:\{([^}]*)\})?\[/y;

/** Takes a format; null after reporting. `what` names it in messages. */
export function readFormat(
  cursor: Cursor,
  rule: RuleDraft,
  context: Pick<Context, 'resources'>,
  what: string,
): Format | null {
  const word = cursor.expectWord(what);
  return word === null ? null : parseFormat(cursor, rule, context, word);
}

/** The format in `word`; null after reporting. */
export function parseFormat(
  cursor: Cursor,
  rule: RuleDraft,
  { resources }: Pick<Context, 'resources'>,
  word: Word,
): Format | null {
  const { text } = word;
  const kind: FormatKind = { mode: rule.set.http ? 'http' : rule.proxy.mode, partial: false, spaces: 'kept' };
  const complain = (message: string, hint: string | null, at: number, width: number): null => {
    cursor.error(message, hint ?? undefined, partOf(word, at, width));
    return null;
  };
  const pieces: Piece[] = [];
  let from = 0;
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', at)) {
    OPENING.lastIndex = at;
    const opening = OPENING.exec(text);
    if (opening === null) {
      at += 2;
      continue;
    }
    if (at > from) pieces.push({ text: text.slice(from, at), kind });
    const start = at + opening[0].length;
    const parsed = parseExpression(text, start, resources);
    if ('message' in parsed) {
      const message = `failed to parse sample expression <${text.slice(start)}> : ${parsed.message}`;
      return complain(message, parsed.hint, parsed.at, parsed.width);
    }
    if (text[parsed.end] !== ']') return complain(`missing closing ']' in '${text}'`, null, parsed.end, 1);
    const blind = rule.point === null ? null : unseen(parsed.expression, rule.point);
    if (blind !== null) return complain(blind, null, start, parsed.end - start);
    useExpression(rule.proxy, cursor, parsed.expression);
    pieces.push({ expression: parsed.expression, escape: opening[1]?.includes('+E') ?? false });
    at = from = parsed.end + 1;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), kind });
  for (const piece of pieces) {
    const format = 'text' in piece ? compileFormat(piece.text, kind) : null;
    if (format !== null && isError(format)) return complain(format.error, format.hint, 0, text.length);
  }
  return { pieces };
}

const line = new Line(SAMPLE_BYTES_MAX);
const scene = new Scene({ pid: process.pid, hostname: '' }, wallMs);
const sample = new Sample();

type Write = (at: Standpoint) => void;

/** The function of a format. One without variables and expressions is made once. */
export function compileText({ pieces }: Format, env: Env): Value {
  if (pieces.every(piece => 'text' in piece && !piece.text.includes('%'))) {
    const bytes = bytesOf(pieces.map(piece => ('text' in piece ? piece.text : '')).join(''));
    return () => bytes;
  }
  const writers = pieces.map(piece => compilePiece(piece, env));
  return at => {
    line.length = 0;
    for (let i = 0; i < writers.length; i++) writers[i]!(at);
    return line.bytes.subarray(0, line.length);
  };
}

function compilePiece(piece: Piece, env: Env): Write {
  if ('text' in piece) return compilePlain(piece.text, piece.kind);
  const fetch = compileExpression(piece.expression, env);
  return at => {
    sample.begin(false);
    if (!fetch(at, sample) || !cast(sample, STR)) return;
    if (piece.escape) line.escaped(sample.bytes, sample.start, sample.end);
    else line.slice(sample.bytes, sample.start, sample.end);
  };
}

function compilePlain(text: string, kind: FormatKind): Write {
  const format = compileFormat(text, kind);
  if (isError(format)) throw new Error(`rules: '${text}' was not checked`);
  if (!text.includes('%')) {
    const bytes = bytesOf(text);
    return () => line.raw(bytes);
  }
  return at => {
    // Before there is a stream there is nothing that a variable could show.
    if (at.stream === null) return;
    scene.set(at.stream, 'txn_close');
    format.write(line, scene);
  };
}

/** A value as Latin-1 text: for what works on strings. */
export function latin1Of(value: Uint8Array): string {
  return textOf(value, 0, value.length);
}

/** Text that can end no header line. */
export function harmless(text: string): string {
  return text.replace(/[\r\n\0]/g, ' ');
}

export function oneLine(value: Uint8Array): string {
  return harmless(latin1Of(value));
}
