/**
 * Log formats (manual 8.2.6) read into plain data: log lines, values of rules, unique ids, names of backends. The data crosses
 * threads in the model; format.ts makes a function of it in each thread.
 *
 *     %ci:%cp  [%{+Q}r]  %(host)[req.hdr(host),lower]  100%%
 *     %name  %{flags}name  %(label:type)name  %[expression]  %%  text  spaces (several count as one in log lines)
 */
import type { Resources } from '../config/draft.ts';
import { didYouMean } from '../config/suggest.ts';
import { type Expression, type ExpressionProblem, parseExpression, unseen } from '../sample/expression.ts';
import type { Point } from '../sample/points.ts';
import { ALIASES } from './variables.ts';

/** What `%{...}` sets. */
export interface ItemFlags {
  readonly quote: boolean;
  readonly hex: boolean;
  readonly escape: boolean;
  /** An empty text is written as `-`. */
  readonly mandatory: boolean;
  readonly encoding: Encoding | null;
}

export type Encoding = 'json' | 'cbor';

const TYPES = ['str', 'sint', 'bool'] as const;
export type ItemType = (typeof TYPES)[number];

interface Value {
  readonly flags: ItemFlags;
  /** Its key where the whole line is encoded; '' = none. */
  readonly label: string;
  /** What it is encoded as; null = as what it is. */
  readonly type: ItemType | null;
}

export interface AliasItem extends Value {
  readonly kind: 'alias';
  /** Of a row in variables.ts. */
  readonly name: string;
}

export interface ExpressionItem extends Value {
  readonly kind: 'expression';
  readonly expression: Expression;
}

/** `space`: one that separates, and is left out where there is one already. */
export type Item =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'space' }
  | AliasItem
  | ExpressionItem;

export interface Format {
  readonly items: readonly Item[];
  /** Set by `%o` for the whole text: only items with labels are in it. */
  readonly encoding: Encoding | null;
  /** `%{+bin}o`: bytes stay as they are. */
  readonly binary: boolean;
  /** It is a value of an HTTP rule: control bytes of expressions become `%XX`. */
  readonly http: boolean;
}

/** What a text is for. */
export interface Use {
  /** Spaces separate (log lines, unique ids); else they stay as they are. */
  readonly spaces: 'merged' | 'kept';
  /** Empty values are written as `-`. */
  readonly mandatory: boolean;
  readonly http: boolean;
  /** Where it is evaluated; null = anywhere. */
  readonly point: Point | null;
}

/** Of log lines. */
export const LOG_LINE: Use = { spaces: 'merged', mandatory: true, http: false, point: 'log' };

/** Of a name of a backend or server, chosen at `point`. */
export function nameAt(point: Point): Use {
  return { spaces: 'kept', mandatory: false, http: false, point };
}

/** What is wrong, in HAProxy's words where it has some; `at` and `width` count in the text. */
type FormatProblem = ExpressionProblem;

const FLAGS = { Q: 'quote', X: 'hex', E: 'escape', M: 'mandatory' } as const;
const ENCODINGS: readonly string[] = ['json', 'cbor'];
const FLAG_NAMES = 'Q, X, E, bin, json, cbor';

/** One item after its `%`: `(label)`, `{flags}`, then a name, an opening bracket or a character. */
const ITEM = /%(?:\((?<label>[^)]*)(?<labelEnd>\)?))?(?:\{(?<flags>[^}]*)(?<flagsEnd>\}?))?(?<what>\[|[A-Za-z]+|.?)/sy;

type MutableFlags = { -readonly [K in keyof ItemFlags]: ItemFlags[K] };

/** Reads `text`; the first thing wrong with it otherwise. */
export function parseFormat(text: string, use: Use, resources: Resources): Format | FormatProblem {
  return new Reader(text, use, resources).read();
}

/** The first variable that only HTTP proxies have; null = there is none. */
export function httpVariable({ items }: Format): string | null {
  for (const item of items) if (item.kind === 'alias' && ALIASES.get(item.name)!.mode === 'http') return item.name;
  return null;
}

/** The text of a format that says the same each time; null = it does not. */
export function constantText({ items, encoding }: Format): string | null {
  if (encoding !== null || items.some(item => item.kind !== 'text')) return null;
  return items.map(item => (item.kind === 'text' ? item.text : '')).join('');
}

export function formatExpressions(format: Format | null): Expression[] {
  return (format?.items ?? []).flatMap(item => (item.kind === 'expression' ? [item.expression] : []));
}

class Reader {
  readonly #text: string;
  readonly #use: Use;
  readonly #resources: Resources;
  readonly #flags: MutableFlags;
  readonly #items: Item[] = [];
  #encoding: Encoding | null = null;
  #binary = false;
  #problem: FormatProblem | null = null;

  constructor(text: string, use: Use, resources: Resources) {
    this.#text = text;
    this.#use = use;
    this.#resources = resources;
    this.#flags = { quote: false, hex: false, escape: false, mandatory: use.mandatory, encoding: null };
  }

  read(): Format | FormatProblem {
    let at = 0;
    while (at < this.#text.length && this.#problem === null) at = this.#next(at);
    const { http } = this.#use;
    return this.#problem ?? { items: this.#items, encoding: this.#encoding, binary: this.#binary, http };
  }

  /** Takes the item, the text or the spaces at `at`; gives where the next begins. */
  #next(at: number): number {
    const text = this.#text;
    if (text[at] === '%') return this.#item(at);
    let end = at;
    const merged = this.#use.spaces === 'merged';
    const spaces = isSpace(text[at]!);
    while (end < text.length && text[end] !== '%' && (!merged || isSpace(text[end]!) === spaces)) end++;
    if (spaces && merged) this.#items.push({ kind: 'space' });
    else this.#literal(text.slice(at, end));
    return end;
  }

  #item(at: number): number {
    ITEM.lastIndex = at;
    const { label = '', labelEnd, flags, flagsEnd, what } = ITEM.exec(this.#text)!.groups!;
    const end = ITEM.lastIndex;
    const fail = (message: string, hint: string | null = null): number => this.#fail(message, hint, at, end - at);
    const [name, type, surplus] = label.split(':') as [string, string | undefined, string | undefined];
    if (labelEnd === '') return fail(`truncated line after '${label}'`);
    if (flagsEnd === '') return fail(`truncated line after '${flags}'`);
    if (surplus !== undefined || (type !== undefined && !(TYPES as readonly string[]).includes(type))) {
      return fail(`unexpected output type '${label.slice(name.length + 1)}'`, `one of ${TYPES.join(', ')}`);
    }
    if (what === '' && flags === undefined) return fail("truncated line after '%'", "use '%%' for a single '%'");
    const value = { label: name, type: (type as ItemType | undefined) ?? null };
    if (what === '[') return this.#expression(at, end, flags ?? '', value);
    if (/^[A-Za-z]/.test(what!)) return this.#alias(what!, at, end, flags ?? '', value);
    if (flags !== undefined) return fail(`parse argument modifier without variable name near '%{${flags}}'`);
    if (/^[\s\d]/.test(what!)) {
      const where = `near '${what}' at position ${at + 1} line : '${this.#text}'`;
      return fail(`unexpected variable name ${where}. Maybe you want to write a single '%', use the syntax '%%'`);
    }
    this.#literal(what === '%' ? '%' : `%${what}`);
    return end;
  }

  #expression(at: number, start: number, flagText: string, value: Pick<Value, 'label' | 'type'>): number {
    const flags = this.#read(flagText, at, start);
    const parsed = parseExpression(this.#text, start, this.#resources);
    if ('message' in parsed) {
      const message = `failed to parse sample expression <${this.#text.slice(start)}> : ${parsed.message}`;
      return this.#fail(message, parsed.hint, parsed.at, parsed.width);
    }
    const { expression, end } = parsed;
    if (this.#text[end] !== ']') {
      const message =
        end < this.#text.length ? `expected ']' after '${expression.text}'` : `missing ']' after '${expression.text}'`;
      return this.#fail(message, null, end, 1);
    }
    const { point } = this.#use;
    const blind = point === null ? null : unseen(expression, point);
    if (blind !== null) {
      const message = `sample fetch <${expression.text}> may not be reliably used here because it needs '${blind}' which is not available here`;
      return this.#fail(message, null, start, end - start);
    }
    if (flags !== null) this.#items.push({ kind: 'expression', expression, flags, ...value });
    return end + 1;
  }

  #alias(name: string, at: number, end: number, flagText: string, value: Pick<Value, 'label' | 'type'>): number {
    const flags = this.#read(flagText, at, end);
    if (flags === null) return end;
    if (name === 'o') {
      if (flags.encoding !== this.#flags.encoding) this.#encoding = flags.encoding;
      Object.assign(this.#flags, flags);
    } else if (!ALIASES.has(name)) {
      const message = `no such format variable '${name}'. If you wanted to emit the '%' character verbatim, you need to use '%%'`;
      return this.#fail(message, didYouMean(name, ALIASES.keys()), at, end - at);
    } else this.#items.push({ kind: 'alias', name, flags, ...value });
    return end;
  }

  /** The flags in force for the item `[at, end)` with `{text}`; null after an error. */
  #read(text: string, at: number, end: number): ItemFlags | null {
    const flags = { ...this.#flags };
    for (const word of text.split(',')) {
      const name = word.trim().replace(/^[+-]/, '');
      const on = !word.trim().startsWith('-');
      const field = FLAGS[name as keyof typeof FLAGS];
      if (name === '') continue;
      if (field !== undefined) flags[field] = on;
      else if (ENCODINGS.includes(name)) flags.encoding = on ? (name as Encoding) : null;
      else if (name === 'bin') this.#binary ||= on && this.#text.startsWith('o', end - 1);
      else {
        this.#fail(`unknown flag '${name}'`, `one of ${FLAG_NAMES}`, at, end - at);
        return null;
      }
    }
    return flags;
  }

  #literal(text: string): void {
    this.#items.push({ kind: 'text', text });
  }

  #fail(message: string, hint: string | null, at: number, width: number): number {
    this.#problem ??= { message, hint, at, width: Math.max(width, 1) };
    return this.#text.length;
  }
}

function isSpace(char: string): boolean {
  return char === ' ' || char === '\t';
}
