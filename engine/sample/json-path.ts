/** The part of JSON paths that `json_query` takes: `$`, `.name`, `['name']`, `[0]`. Wildcards and filters are refused. */

export type Path = readonly (string | number)[];

const STEP = /\.((?:[^.[\]*\\]|\\.)+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/y;

/** The steps of a path; null when it is none. */
export function parsePath(text: string): Path | null {
  const rest = text.startsWith('$') ? text.slice(1) : `.${text}`;
  const path: (string | number)[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < rest.length) {
    const found = STEP.exec(rest);
    if (found === null) return null;
    const [, name, index, quoted, other] = found;
    path.push(index === undefined ? (name ?? quoted ?? other ?? '').replace(/\\(.)/g, '$1') : Number(index));
  }
  return path;
}

/** The value at the path; undefined when there is none, or the text is no JSON. */
export function queryJson(text: string, path: Path): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}
