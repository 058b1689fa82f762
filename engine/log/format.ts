/** Formats as functions: compiled once per thread from the data that format-text.ts reads. Writing a line parses nothing. */

import { LOG_MESSAGE_BYTES_MAX } from '../limits.ts';
import { cast } from '../sample/cast.ts';
import { compileExpression } from '../sample/compile.ts';
import type { Env, Fetch } from '../sample/context.ts';
import { BIN, BOOL, Sample, SINT, STR, type Type } from '../sample/sample.ts';
import { type Encoder, encoderOf } from './encode.ts';
import {
  type AliasItem,
  constantText,
  type ExpressionItem,
  type Format,
  type Item,
  type ItemFlags,
  type ItemType,
} from './format-text.ts';
import { bytesOf, Line } from './line.ts';
import type { Scene, StreamScene } from './scene.ts';
import { EARLY, END, type Moment, START, type Variable } from './variable.ts';
import { ALIASES } from './variables.ts';

/** Puts one item into the line. */
type Writer = (line: Line, scene: Scene) => void;

export interface LogFormat {
  /** When all of its values are known. */
  readonly known: Moment;
  /** Appends the line. */
  readonly write: Writer;
  /** Names of the variables that it shows, expressions of addresses among them. */
  readonly names: ReadonlySet<string>;
}

/**
 * The function of a format.
 * @param env what its expressions are compiled with; null = it has none
 * @param partial `option logasap`: totals have a `+` before them, and are known early
 */
export function compileFormat(format: Format, env: Env | null, partial = false): LogFormat {
  const writers = format.encoding === null ? plainWriters(format, env, partial) : encodedWriters(format, env);
  const known = Math.max(START, ...format.items.map(momentOf)) as Moment;
  const write: Writer = (line, scene) => {
    for (let i = 0; i < writers.length; i++) writers[i]!(line, scene);
  };
  return { known: known === END && partial ? EARLY : known, write, names: namesOf(format) };
}

/** True when it is the same text for all streams. */
export function isConstant(format: Format): boolean {
  return constantText(format) !== null;
}

/** What an expression finds may change until the response is there. */
function momentOf(item: Item): Moment {
  if (item.kind === 'expression') return EARLY;
  return item.kind === 'alias' ? ALIASES.get(item.name)!.known : START;
}

function namesOf({ items }: Format): Set<string> {
  const names = new Set<string>();
  for (const item of items) {
    if (item.kind === 'alias') names.add(item.name);
    if (item.kind !== 'expression') continue;
    const { name } = item.expression.fetch;
    for (const [alias, pattern] of ADDRESS_FETCHES) if (pattern.test(name)) names.add(alias);
  }
  return names;
}

/** Fetches that show the same addresses as variables do. */
const ADDRESS_FETCHES = [
  ['ci', /^(fc_)?src/],
  ['fi', /^(fc_)?dst/],
  ['bi', /^bc_src/],
] as const;

function plainWriters(format: Format, env: Env | null, partial: boolean): Writer[] {
  return format.items.map(item => {
    if (item.kind === 'space') return separate;
    if (item.kind === 'text') return literal(item.text);
    const encoder = item.flags.encoding === null ? null : encoderOf(item.flags.encoding, format.binary);
    if (encoder !== null) return encoded(item, encoder, env);
    return item.kind === 'alias' ? aliasWriter(item, partial) : expressionWriter(item, format, env!);
  });
}

/** A map of the items that have labels; the text around them is left out. */
function encodedWriters(format: Format, env: Env | null): Writer[] {
  const encoder = encoderOf(format.encoding!, format.binary);
  const items = format.items.filter(item => (item.kind === 'alias' || item.kind === 'expression') && item.label !== '');
  const fields = (items as (AliasItem | ExpressionItem)[]).map((item, i): Writer => {
    const value = encoded(item, encoder, env);
    const key = bytesOf(item.label);
    return (line, scene) => {
      encoder.key(line, key, i === 0);
      value(line, scene);
    };
  });
  return [line => encoder.open(line), ...fields, line => encoder.close(line)];
}

function literal(text: string): Writer {
  const bytes = bytesOf(text);
  return line => line.raw(bytes);
}

const SPACE = 32;
const QUOTE = 34;
const DASH = 45;

/** Spaces in a format separate: several, or one after a value that was left out, are one. */
function separate(line: Line): void {
  if (line.length > 0 && line.bytes[line.length - 1] !== SPACE) line.byte(SPACE);
}

/** Before there is a stream there is little that a variable could show. */
function aliasWriter({ name, flags }: AliasItem, partial: boolean): Writer {
  const { writer, streamless } = ALIASES.get(name)!;
  const write = writer({ ...flags, partial });
  const writeAlone = streamless?.({ ...flags, partial });
  return (line, scene) => {
    if (hasStream(scene)) write(line, scene);
    else writeAlone?.(line, scene);
  };
}

function hasStream(scene: Scene): scene is StreamScene {
  return scene.stream !== null;
}

const sample = new Sample();

/** Finds the value into `sample`: in a log line what the request does not have, the response may. */
function find(fetch: Fetch, scene: Scene): boolean {
  sample.begin(false);
  if (fetch(scene.at, sample)) return true;
  if (scene.response === null) return false;
  sample.begin(false);
  return fetch(scene.response, sample);
}

/** In parts of messages `+Q` puts quotes around variables only, as with HAProxy. */
function expressionWriter({ expression, flags }: ExpressionItem, { http, binary }: Format, env: Env): Writer {
  const fetch = compileExpression(expression, env);
  const { escape, mandatory } = flags;
  const quote = flags.quote && !http;
  return (line, scene) => {
    const found = find(fetch, scene) && ((binary && sample.type === BIN) || cast(sample, STR));
    const { bytes, start, end } = sample;
    if (quote) line.byte(QUOTE);
    if (!found || start === end) {
      if (mandatory && !quote) line.byte(DASH);
    } else if (http) line.percent(bytes, start, end, escape);
    else if (escape) line.escaped(bytes, start, end);
    else line.slice(bytes, start, end);
    if (quote) line.byte(QUOTE);
  };
}

const TYPE_OF: Readonly<Record<ItemType, Type>> = { str: STR, sint: SINT, bool: BOOL };

/** Writes the value of one item as its type says, in an encoding. */
function encoded(item: AliasItem | ExpressionItem, encoder: Encoder, env: Env | null): Writer {
  const list = item.kind === 'alias' && item.type === null ? ALIASES.get(item.name)!.list : undefined;
  if (list !== undefined) return encodedList(list, encoder);
  const find = item.kind === 'alias' ? aliasValue(item) : expressionValue(item, env!);
  const forced = item.type === null ? null : TYPE_OF[item.type];
  return (line, scene) => {
    if (!find(scene) || (forced !== null && !cast(sample, forced))) encoder.nothing(line);
    else if (sample.type === BOOL) encoder.bool(line, sample.int !== 0);
    else if (sample.type === SINT) encoder.integer(line, sample.wide ?? sample.int);
    else if (sample.type === BIN) encoder.binary(line, sample.bytes, sample.start, sample.end);
    else if (cast(sample, STR)) encoder.text(line, sample.bytes, sample.start, sample.end);
    else encoder.nothing(line);
  };
}

function expressionValue({ expression }: ExpressionItem, env: Env): (scene: Scene) => boolean {
  const fetch = compileExpression(expression, env);
  return scene => find(fetch, scene);
}

/** Where a variable writes its value before it is encoded. */
const aside = new Line(LOG_MESSAGE_BYTES_MAX);

/** A list of captures; nothing where the frontend has none. */
function encodedList(of: NonNullable<Variable['list']>, encoder: Encoder): Writer {
  return (line, scene) => {
    const slots = scene.stream === null ? [] : of(scene.stream);
    if (slots.length === 0) return encoder.nothing(line);
    encoder.openList(line, slots.length);
    for (let i = 0; i < slots.length; i++) {
      if (i > 0) encoder.next(line);
      aside.length = 0;
      const value = slots[i];
      if (value != null) aside.header(value, false);
      encoder.text(line, aside.bytes, 0, aside.length);
    }
    encoder.closeList(line);
  };
}

/** The value of a variable as a sample, without quotes and signs around it. */
function aliasValue({ name, flags }: AliasItem): (scene: Scene) => boolean {
  const row = ALIASES.get(name)!;
  const bare: ItemFlags = { ...flags, quote: false, escape: false, mandatory: false };
  const write = row.writer({ ...bare, partial: false, bare: true });
  const writeAlone = row.streamless?.({ ...bare, partial: false, bare: true });
  const number = row.type === 'sint' && !flags.hex;
  return scene => {
    aside.length = 0;
    if (hasStream(scene)) write(aside, scene);
    else writeAlone?.(aside, scene);
    if (aside.length === 0) return false;
    sample.setStr(aside.bytes, 0, aside.length);
    return !number || cast(sample, SINT);
  };
}
