/**
 * Directives that begin with a dot (manual 2.4): `.if`, `.elif`, `.else` and `.endif` choose which lines count, and
 * `.notice`, `.warning`, `.alert` and `.diag` say something about them. `-cc` asks `evaluateCondition`.
 */
import { IF_NESTING_MAX } from '../limits.ts';
import { Diagnostics, type Severity } from './diagnostics.ts';
import { type Evaluation, evaluateExpression, PREDICATE_NAMES } from './expression.ts';
import { type Environment, lex } from './lexer.ts';
import { didYouMean } from './suggest.ts';
import type { Line, Word } from './words.ts';

interface Block {
  /** The `.if` line. */
  readonly line: Line;
  /** The lines of the branch we are in count. */
  active: boolean;
  /** No other branch may count: one did already, or the whole block is left out. */
  settled: boolean;
  inElse: boolean;
}

type Directive = (conditions: Conditions, line: Line) => void;

const BLOCKS: Readonly<Record<string, Directive>> = {
  '.if': (conditions, line) => conditions.open(line),
  '.elif': (conditions, line) => conditions.elseIf(line),
  '.else': (conditions, line) => conditions.otherwise(line),
  '.endif': (conditions, line) => conditions.close(line),
};

const MESSAGES: Readonly<Record<string, Severity>> = {
  '.notice': 'notice',
  '.warning': 'warning',
  '.alert': 'alert',
  '.diag': 'diag',
};

export class Conditions {
  readonly #env: Environment;
  readonly #diagnostics: Diagnostics;
  readonly #blocks: Block[] = [];

  constructor(env: Environment, diagnostics: Diagnostics) {
    this.#env = env;
    this.#diagnostics = diagnostics;
  }

  /** True when the line is done with: a directive, or a line that does not count. */
  take(line: Line): boolean {
    const first = line.words[0]!;
    const block = Object.hasOwn(BLOCKS, first.text) ? BLOCKS[first.text]! : null;
    if (block !== null) block(this, line);
    else if (!this.#active) return true;
    else if (Object.hasOwn(MESSAGES, first.text)) this.#say(MESSAGES[first.text]!, line);
    else if (!first.text.startsWith('.')) return false;
    else {
      const hint = didYouMean(first.text, [...Object.keys(BLOCKS), ...Object.keys(MESSAGES)]);
      this.#report('alert', line, first, `unknown directive '${first.text}'`, hint);
    }
    return true;
  }

  /** To be called at the end of the file: reports every block that is still open. */
  finish(): void {
    for (const { line } of this.#blocks) this.#error(line, line.words[0]!, "non-terminated '.if' block");
  }

  get #active(): boolean {
    return this.#blocks.at(-1)?.active ?? true;
  }

  open(line: Line): void {
    if (this.#blocks.length === IF_NESTING_MAX) {
      this.#error(line, line.words[0]!, `too many nested '.if', max is ${IF_NESTING_MAX}`);
    }
    const value = this.#active ? this.#evaluate(line) : null;
    this.#blocks.push({ line, active: value === true, settled: value !== false, inElse: false });
  }

  elseIf(line: Line): void {
    const block = this.#block(line);
    if (block === null) return;
    if (block.inElse) this.#error(line, line.words[0]!, "'.elif' after '.else' is not permitted");
    const value = block.settled ? null : this.#evaluate(line);
    block.active = value === true;
    block.settled = value !== false;
  }

  otherwise(line: Line): void {
    const block = this.#block(line);
    if (block === null) return;
    if (block.inElse) this.#error(line, line.words[0]!, "'.else' after '.else' is not permitted");
    this.#noArgument(line, 1);
    block.active = !block.settled;
    block.settled = true;
    block.inElse = true;
  }

  close(line: Line): void {
    if (this.#block(line) === null) return;
    this.#noArgument(line, 1);
    this.#blocks.pop();
  }

  /** The block that a directive belongs to; reports when there is none. */
  #block(line: Line): Block | null {
    const block = this.#blocks.at(-1) ?? null;
    const name = line.words[0]!.text;
    if (block === null) this.#error(line, line.words[0]!, `lone '${name}' with no matching '.if'`);
    return block;
  }

  /** The words joined with single blanks are the condition. After an error (null) no branch of the block counts. */
  #evaluate(line: Line): boolean | null {
    const words = line.words.slice(1);
    const result = evaluateExpression(joined(words), this.#env);
    if ('value' in result) return result.value;
    const { word, hint } = whereIn(line, words, result.column - 1);
    this.#report('alert', line, word, `${result.error} in '${line.words[0]!.text}'`, hint);
    return null;
  }

  #say(severity: Severity, line: Line): void {
    const hint = 'use quotes if the message should contain spaces';
    if (!this.#noArgument(line, 2, hint)) return;
    this.#report(severity, line, { text: '', column: 0, width: 0 }, `'${line.words[1]?.text ?? ''}'`, null);
  }

  #noArgument(line: Line, from: number, hint: string | null = null): boolean {
    const word = line.words[from];
    if (word === undefined) return true;
    this.#report('alert', line, word, `unexpected argument '${word.text}' for '${line.words[0]!.text}'`, hint);
    return false;
  }

  #error(line: Line, word: Word, message: string): void {
    this.#report('alert', line, word, message, null);
  }

  #report(severity: Severity, line: Line, { column, width }: Word, message: string, hint: string | null): void {
    const place = { file: line.file, line: line.line };
    this.#diagnostics.add({ severity, place, column, width, source: line.source, message, hint });
  }
}

/** Words are put together again with single blanks before they are evaluated. */
function joined(words: readonly Word[]): string {
  return words.map(word => word.text).join(' ');
}

/**
 * Evaluates the condition of `-cc`: what could stand behind `.if`, quotes and environment variables included.
 * `column` counts in the condition after the words were put together.
 */
export function evaluateCondition(text: string, env: Environment): Evaluation {
  const diagnostics = new Diagnostics();
  const words = lex('-cc', `${text}\n`, env, diagnostics).flatMap(line => line.words);
  const wrong = diagnostics.list[0];
  return wrong === undefined ? evaluateExpression(joined(words), env) : { error: wrong.message, column: wrong.column };
}

/** The part of the source to mark for an offset in the joined words: the character, or the word if it was quoted. */
function whereIn(line: Line, words: readonly Word[], offset: number): { word: Word; hint: string | null } {
  let begin = 0;
  for (const word of words) {
    const inside = offset - begin;
    if (inside <= word.text.length) {
      const asWritten = line.source.startsWith(word.text, word.column - 1) && word.width === word.text.length;
      const hint = didYouMean(/^!*(\w*)/.exec(word.text.slice(inside))![1]!, PREDICATE_NAMES);
      if (!asWritten) return { word, hint };
      return { word: { text: '', column: word.column + inside, width: Math.max(word.width - inside, 1) }, hint };
    }
    begin += word.text.length + 1;
  }
  return { word: line.words.at(-1)!, hint: null };
}
