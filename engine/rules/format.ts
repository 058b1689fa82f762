/**
 * Log-format strings as arguments of rules (manual 8.2.6): checked when the configuration is read, compiled in each
 * worker. The value is valid until the next one is made.
 */
import type { Cursor } from '../config/cursor.ts';
import { compileFormat, isError } from '../log/format.ts';
import { bytesOf, Line } from '../log/line.ts';
import { Scene } from '../log/scene.ts';
import type { Env, Standpoint } from '../sample/context.ts';
import { SAMPLE_BYTES_MAX } from '../limits.ts';
import type { RuleDraft } from './action.ts';

/** The bytes of a value, for the caller to copy before the next is made. */
export type Value = (at: Standpoint) => Uint8Array;

/** Takes a format string, as text; null after reporting. `what` names it in messages. */
export function readFormat(cursor: Cursor, rule: RuleDraft, what: string): string | null {
  const word = cursor.expectWord(what);
  return word === null ? null : checkFormat(cursor, rule, word.text);
}

/** Checks the word just taken. */
export function checkFormat(cursor: Cursor, rule: RuleDraft, text: string): string | null {
  const format = compileFormat(text, { mode: rule.set.http ? 'http' : rule.proxy.mode, partial: false });
  if (!isError(format)) return text;
  cursor.error(format.error, format.hint ?? undefined);
  return null;
}
