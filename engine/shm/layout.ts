/**
 * Struct layouts: a list of rows (name, size, who writes, what it is) turned into offsets. Declared once, used by the
 * one who creates the memory and by all who attach to it; the fingerprint catches two that differ.
 */

export type Writer = 'master' | 'control' | 'worker' | 'any';

/** [name, elements, who writes it, what it is]. `any` = Atomics read-modify-write by several threads. */
type FieldRow = readonly [name: string, elements: number, writer: Writer, doc: string];

export interface Layout<N extends string> {
  readonly name: string;
  readonly rows: readonly FieldRow[];
  /** Element offset of each field from the start of a struct. */
  readonly at: Readonly<Record<N, number>>;
  /** Elements of one struct, rounded up to whole cache lines so that two structs never share one. */
  readonly size: number;
  readonly fingerprint: number;
}

/** Bytes of a cache line on every processor that Node supports well. */
const CACHE_LINE_BYTES = 64;

export function layout<const R extends readonly FieldRow[]>(
  name: string,
  elementBytes: 4 | 8,
  rows: R,
): Layout<R[number][0]> {
  const at: Record<string, number> = {};
  let offset = 0;
  let hash = 0x811c9dc5;
  for (const [field, elements] of rows) {
    if (field in at) throw new Error(`shm: field ${name}.${field} is declared twice`);
    at[field] = offset;
    offset += elements;
    for (const c of `${name}.${field}:${elements};`) hash = Math.imul(hash ^ c.charCodeAt(0), 0x01000193);
  }
  const line = CACHE_LINE_BYTES / elementBytes;
  return {
    name,
    rows,
    at: at as Record<R[number][0], number>,
    size: Math.ceil(offset / line) * line,
    fingerprint: hash,
  };
}
