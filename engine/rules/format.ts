/**
 * Formats as arguments of rules (manual 8.2.6). Unlike in log lines, spaces stay as they are and nothing is written for what is
 * not there.
 *
 *     "<%[req.hdr(a)]> from %ci"
 */
import { hostname } from 'node:os';
import type { Cursor } from '../config/cursor.ts';
import type { ProxyDraft, Resources } from '../config/draft.ts';
import type { Context } from '../config/keyword.ts';
import { useExpression } from '../config/keywords-acl.ts';
import type { Word } from '../config/words.ts';
import { textOf } from '../http/chars.ts';
import { SAMPLE_BYTES_MAX } from '../limits.ts';
import { compileFormat, isConstant } from '../log/format.ts';
import { type Format, formatExpressions, httpVariable, parseFormat, type Use } from '../log/format-text.ts';
import { Line } from '../log/line.ts';
import { Scene } from '../log/scene.ts';
import type { Env, Standpoint } from '../sample/context.ts';
import { fetchOf, partOf } from '../sample/expression.ts';
import { isBytes } from '../sample/points.ts';
import { wallMs } from '../time.ts';
import type { RuleDraft } from './action.ts';

export type { Format } from '../log/format-text.ts';

/** Makes the value; valid until the next one is made. */
export type Value = (at: Standpoint) => Uint8Array;

/**
 * Takes a format; null after reporting. `what` names it in messages. `encoded`: it becomes part of a message, in which control
 * bytes may not stand.
 */
export function readFormat(
  cursor: Cursor,
  rule: RuleDraft,
  context: Pick<Context, 'resources'>,
  what: string,
  encoded = rule.set.http,
): Format | null {
  const word = cursor.expectWord(what);
  return word === null ? null : ruleFormat(cursor, rule, context, word, encoded);
}

/** The format in `word`; null after reporting. */
export function ruleFormat(
  cursor: Cursor,
  rule: RuleDraft,
  { resources }: Pick<Context, 'resources'>,
  word: Word,
  http = rule.set.http,
): Format | null {
  const use: Use = { spaces: 'kept', mandatory: false, http, point: rule.point };
  const format = takeFormat(cursor, rule.proxy, word, use, resources);
  if (rule.set.http) warnOfBytes(cursor, word, format);
  const reserved = format === null || rule.set.http || rule.proxy.mode === 'http' ? null : httpVariable(format);
  if (reserved === null) return format;
  cursor.error(`format variable '${reserved}' is reserved for HTTP mode`, undefined, word);
  return null;
}

/** Of what a value of HTTP cannot say: there are no bytes where HTTP is spoken. */
export function warnOfBytes(cursor: Cursor, word: Word, format: Format | null): void {
  for (const expression of formatExpressions(format)) {
    if (!isBytes(fetchOf(expression).from)) continue;
    cursor.warning(`L6 sample fetch <${expression.text}> ignored in HTTP log-format string`, undefined, word);
  }
}

/** The format in `word` of a line of `proxy`, whatever it is for; null after reporting. `prefix` begins the message. */
export function takeFormat(
  cursor: Cursor,
  proxy: Pick<ProxyDraft, 'expressions'>,
  word: Word,
  use: Use,
  resources: Resources,
  prefix = '',
): Format | null {
  const format = parseFormat(word.text, use, resources);
  if ('message' in format) {
    const { message, hint, at, width } = format;
    cursor.error(prefix + message, hint ?? undefined, partOf(word, at, width));
    return null;
  }
  for (const expression of formatExpressions(format)) useExpression(proxy, cursor, expression);
  return format;
}

/** Where a value is written. */
class Desk {
  readonly line = new Line(SAMPLE_BYTES_MAX);
  readonly scene = new Scene({ pid: process.pid, hostname: hostname() }, wallMs);
}

/** One for each format that is being written: within one the unique id may be made, which has a format of its own. */
const DESKS = [new Desk(), new Desk()];
let busy = 0;

/** The function of a format. One that says the same of all streams is made once. */
export function compileText(format: Format, env: Env): Value {
  const { write } = compileFormat(format, env);
  if (isConstant(format)) {
    const whole = new Line(SAMPLE_BYTES_MAX);
    write(whole, DESKS[0]!.scene);
    const bytes = whole.bytes.slice(0, whole.length);
    return () => bytes;
  }
  return at => {
    const { line, scene } = DESKS[busy++]!;
    line.length = 0;
    try {
      write(line, scene.look(at, at.session.context.io.now()));
    } finally {
      busy--;
    }
    return line.bytes.subarray(0, line.length);
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
