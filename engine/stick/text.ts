/** Entries of stick tables as the runtime API shows and reads them (management guide, `show table`). */

import type { StickTable } from '../config/stick-model.ts';
import { ipText } from '../io/ip.ts';
import { Sample } from '../sample/sample.ts';
import { setKey } from './key.ts';
import type { Field } from './layout.ts';
import { trackers } from './readings.ts';
import type { Table } from './table.ts';
import { keyBytes, keyInteger, nameText, readValue } from './values.ts';

const ESCAPES: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r', 27: '\\e' };
const PUNCTUATION = new Set([...' =\\'].map(c => c.charCodeAt(0)));

/** A text in which nothing is mistaken for what separates it from others. */
function escaped(bytes: Uint8Array): string {
  let text = '';
  for (const b of bytes) {
    if (PUNCTUATION.has(b)) text += `\\${String.fromCharCode(b)}`;
    else if (b > 32 && b < 127) text += String.fromCharCode(b);
    else text += ESCAPES[b] ?? `\\x${b.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

export function keyText(table: Table, entry: number): string {
  const { key } = table.spec;
  if (key === 'integer') return String(keyInteger(table, entry) >>> 0);
  const bytes = keyBytes(table, entry);
  if (key === 'ip' || key === 'ipv6') return ipText(bytes);
  return key === 'string' ? escaped(bytes) : Buffer.from(bytes).toString('hex').toUpperCase();
}

const sample = new Sample();

/** Puts the key that a text means into KEY; or what is wrong with it. Keys of type `binary` have no text. */
export function readKeyText(spec: StickTable, text: string): string | null {
  if (spec.key === 'integer') {
    // What follows the digits is not looked at, as with the texts that rules make keys of.
    const number = Number(/^\+?\d+/.exec(text)?.[0]);
    if (!(number < 2 ** 32)) return 'Invalid key';
    sample.setInt(number);
  } else {
    const bytes = Buffer.from(text, 'utf8');
    sample.setStr(bytes, 0, bytes.length);
  }
  return setKey(spec, sample) ? null : 'Invalid key';
}

/** What `show table` calls an entry: a number that finds it again. */
function pointerText(table: Table, entry: number): string {
  return `0x${(POINTER_BASE * (table.spec.index + 1) + entry).toString(16)}`;
}

/** The entry that a pointer means; -1 = none of this table. */
export function readPointer(table: Table, text: string): number {
  const value = /^0x[0-9a-f]{1,13}$/i.test(text) ? Number(text) : 0;
  const entry = value - POINTER_BASE * (table.spec.index + 1);
  return entry >= 0 && entry < table.end ? entry : -1;
}

const POINTER_BASE = 2 ** 32;

export function headerText(table: Table): string {
  const { name, key, size } = table.spec;
  return `# table: ${name}, type: ${key}, size:${size}, used:${table.used}`;
}

/** One line for an entry that the caller holds. */
export function entryText(table: Table, entry: number, now: number): string {
  const expire = Math.max(table.expiresIn(entry, now), 0);
  let text = `${pointerText(table, entry)}: key=${keyText(table, entry)} use=${trackers(table, entry, true)} exp=${Math.floor(expire)} shard=0`;
  for (const field of table.layout.fields) {
    for (let i = 0; i < field.count; i++) text += ` ${nameOf(field, i)}=${valueText(table, entry, field, i, now)}`;
  }
  return text;
}

/** `gpc0`, `conn_rate(10000)`, of arrays `gpc1`, `gpc1_rate(10000)`. */
function nameOf({ type, periodMs }: Field, element: number): string {
  const name = type.array ? type.name.replace(/^[a-z]+/, base => `${base}${element}`) : type.name;
  return type.kind === 'rate' ? `${name}(${periodMs})` : name;
}

function valueText(table: Table, entry: number, field: Field, element: number, now: number): string {
  const value = readValue(table, entry, field, element, now);
  if (field.type.kind === 'name') return nameText(table, value) ?? '-';
  // Blocks of bytes are shown as bytes.
  const blocks = field.type.name.startsWith('bytes_') && field.type.kind === 'rate';
  return String(blocks ? value * table.spec.bytesRateFactor : value);
}
