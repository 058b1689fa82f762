/**
 * URI normalizers (manual 4.4, `normalize-uri`), one row each. They work on text: the path, the query, or the whole
 * target. null = the target is not valid (`strict`): the request is answered with 400.
 */
interface Normalizer {
  readonly name: string;
  /** The option it takes; '' = none. */
  readonly option: 'full' | 'strict' | '';
  readonly part: 'target' | 'path' | 'query';
  /** `option`: whether it was given. */
  readonly run: (text: string, option: boolean) => string | null;
}

const UNRESERVED = /[A-Za-z0-9\-._~]/;
const ESCAPE = /%([0-9A-Fa-f]{2})?/g;

/** Walks the percent-escapes; invalid ones stay, or spoil the text if `strict`. */
function escapes(text: string, strict: boolean, change: (hex: string) => string): string | null {
  let valid = true;
  const changed = text.replace(ESCAPE, (all, hex: string | undefined) => {
    if (hex === undefined) valid = false;
    return hex === undefined ? all : change(hex);
  });
  return valid || !strict ? changed : null;
}

/** `/a/./b` -> `/a/b`. */
function stripDot(path: string): string {
  const segments = path.split('/');
  const last = segments.length - 1;
  // A dot at the end leaves its slash.
  return segments.flatMap((segment, i) => (segment !== '.' || i === 0 ? [segment] : i === last ? [''] : [])).join('/');
}

/** `/a/../b` -> `/b`; what would leave the root stays, or goes if `full`. */
function stripDotDot(path: string, full: boolean): string {
  if (!path.startsWith('/')) return path;
  const kept: string[] = [];
  const segments = path.slice(1).split('/');
  for (const [i, segment] of segments.entries()) {
    const parent = kept.at(-1);
    const merges = segment === '..' && parent !== undefined && parent !== '..';
    if (merges) kept.pop();
    else if (segment !== '..' || !full) kept.push(segment);
    if (i === segments.length - 1 && segment === '..') kept.push('');
  }
  return `/${kept.join('/')}`;
}

/** By name; equal names stay in their order. An `&` at the end goes. */
function sortQuery(query: string): string {
  const nameOf = (param: string): string => param.split('=', 1)[0]!;
  return query
    .replace(/&$/, '')
    .split('&')
    .map(param => ({ name: nameOf(param), param }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ param }) => param)
    .join('&');
}

export const NORMALIZERS: readonly Normalizer[] = [
  { name: 'fragment-encode', option: '', part: 'target', run: text => text.replaceAll('#', '%23') },
  { name: 'fragment-strip', option: '', part: 'target', run: text => text.replace(/#.*$/s, '') },
  { name: 'path-merge-slashes', option: '', part: 'path', run: text => text.replace(/\/+/g, '/') },
  { name: 'path-strip-dot', option: '', part: 'path', run: stripDot },
  { name: 'path-strip-dotdot', option: 'full', part: 'path', run: stripDotDot },
  {
    name: 'percent-decode-unreserved',
    option: 'strict',
    part: 'target',
    run: (text, strict) =>
      escapes(text, strict, hex => {
        const char = String.fromCharCode(Number.parseInt(hex, 16));
        return UNRESERVED.test(char) ? char : `%${hex}`;
      }),
  },
  {
    name: 'percent-to-uppercase',
    option: 'strict',
    part: 'target',
    run: (text, strict) => escapes(text, strict, hex => `%${hex.toUpperCase()}`),
  },
  { name: 'query-sort-by-name', option: '', part: 'query', run: sortQuery },
];
