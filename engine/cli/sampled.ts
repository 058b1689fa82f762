/** Which expressions of the configuration know a proxy or a server by its name: it must stay, and keep that. */
import type { ArgType } from '../sample/arguments.ts';
import type { Call as Sampling } from '../sample/expression.ts';
import { FETCHES } from '../sample/fetches.ts';

/** The first sample fetch in plain data with an argument of this type that `is` says yes to; null = none. */
export function fetchNaming(data: unknown, type: ArgType, is: (text: string) => boolean): string | null {
  const seen = new Set<object>();
  return look(data);

  function look(part: unknown): string | null {
    if (typeof part !== 'object' || part === null || ArrayBuffer.isView(part) || seen.has(part)) return null;
    seen.add(part);
    if ('converters' in part && 'fetch' in part) {
      const { name, args } = part.fetch as Sampling;
      const specs = FETCHES.get(name)?.args ?? [];
      if (specs.some((spec, i) => spec.type === type && typeof args[i] === 'string' && is(args[i]))) return name;
    }
    for (const inner of Array.isArray(part) ? part : Object.values(part)) {
      const found = look(inner);
      if (found !== null) return found;
    }
    return null;
  }
}
