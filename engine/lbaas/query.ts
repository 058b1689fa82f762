/**
 * What lists are asked for: filters, `fields`, sorting and paging, in Neutron's ways and Octavia's. A filter on something that
 * the objects do not have is ignored, as the clients send some.
 */
import { badRequest } from './errors.ts';
import type { Json } from './items.ts';
import type { View } from './octavia-views.ts';

/** As parsed: a name given twice has a list. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

const all = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;
const one = (value: string | readonly string[] | undefined): string | undefined => all(value).at(-1);

/** Objects that have exactly the fields asked for; all without any. */
export function pick(view: View, query: Query): View {
  const fields = all(query.fields).flatMap(text => text.split(','));
  if (fields.length === 0) return view;
  return Object.fromEntries(Object.entries(view).filter(([name]) => fields.includes(name)));
}

const CONTROLS = new Set(['fields', 'limit', 'marker', 'page_reverse', 'sort', 'sort_key', 'sort_dir', 'verbose']);

const TAG_FILTERS: Readonly<Record<string, (has: (tag: string) => boolean, tags: readonly string[]) => boolean>> = {
  tags: (has, tags) => tags.every(has),
  'tags-any': (has, tags) => tags.some(has),
  'not-tags': (has, tags) => !tags.every(has),
  'not-tags-any': (has, tags) => !tags.some(has),
};

function matches(view: View, name: string, wanted: readonly string[]): boolean {
  if (Object.hasOwn(TAG_FILTERS, name)) {
    const tags = (view.tags ?? []) as readonly string[];
    return TAG_FILTERS[name]!(
      tag => tags.includes(tag),
      wanted.flatMap(text => text.split(',')),
    );
  }
  if (Object.hasOwn(view, name)) return wanted.some(text => same(view[name]!, text));
  // `listener_id` of an object that has `listeners`.
  const list = name.endsWith('_id') ? view[`${name.slice(0, -3)}s`] : undefined;
  return Array.isArray(list) ? list.some(({ id }) => wanted.includes(id)) : true;
}

function same(value: Json, text: string): boolean {
  if (typeof value === 'boolean') return text.toLowerCase() === String(value) || text === (value ? '1' : '0');
  if (Array.isArray(value)) return value.some(one => one === text || (typeof one === 'object' && one?.id === text));
  return String(value ?? '') === text;
}

function order(query: Query): { key: string; sign: 1 | -1 }[] {
  const pairs = all(query.sort)
    .flatMap(text => text.split(','))
    .map(text => text.split(':'));
  const directions = all(query.sort_dir);
  for (const [i, key] of all(query.sort_key).entries()) pairs.push([key, directions[i] ?? 'asc']);
  return pairs.map(([key = '', direction = 'asc']) => {
    if (direction !== 'asc' && direction !== 'desc')
      throw badRequest(`Invalid sort direction '${direction}': asc or desc`);
    return { key, sign: direction === 'asc' ? 1 : -1 };
  });
}

function compare(a: Json | undefined, b: Json | undefined): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [x, y] = [String(a ?? ''), String(b ?? '')];
  return x < y ? -1 : x > y ? 1 : 0;
}

export interface Page {
  readonly views: readonly View[];
  /** Markers of the pages before and after; null = there is none. */
  readonly next: string | null;
  readonly previous: string | null;
}

/** @throws Refusal 400 for a limit or marker that cannot be */
export function select(views: readonly View[], query: Query): Page {
  const filters = Object.entries(query).filter(([name]) => !CONTROLS.has(name));
  const kept = views.filter(view => filters.every(([name, value]) => matches(view, name, all(value))));
  const keys = order(query);
  // By age and id at last, so that pages fit together.
  for (const key of ['created_at', 'id']) keys.push({ key, sign: 1 });
  kept.sort((a, b) => keys.reduce((result, { key, sign }) => result || sign * compare(a[key], b[key]), 0));
  return page(kept, query);
}

function page(views: readonly View[], query: Query): Page {
  const limit = one(query.limit) ?? '0';
  if (!/^\d{1,9}$/.test(limit)) throw badRequest(`Invalid input for limit: '${limit}' is no number`);
  const marker = one(query.marker) ?? '';
  const at = marker === '' ? -1 : views.findIndex(view => view.id === marker);
  if (marker !== '' && at < 0) throw badRequest(`Invalid input for marker: '${marker}' is no item of the list`);
  const size = Number(limit) || views.length;
  const back = one(query.page_reverse)?.toLowerCase() === 'true';
  const end = back ? (at < 0 ? views.length : at) : at + 1 + size;
  const start = back ? Math.max(end - size, 0) : at + 1;
  const shown = views.slice(start, end);
  const next = end < views.length ? (shown.at(-1)?.id as string | undefined) : undefined;
  const previous = start > 0 ? (shown[0]?.id as string | undefined) : undefined;
  return { views: shown.map(view => pick(view, query)), next: next ?? null, previous: previous ?? null };
}
