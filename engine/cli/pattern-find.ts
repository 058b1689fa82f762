/** `get map` and `get acl`: what a value matches, a line for each way in which the reference is looked into. */
import type { RefState } from '../sample/book.ts';
import { cast } from '../sample/cast.ts';
import type { Generation } from '../sample/generation.ts';
import { parseNetwork } from '../sample/network-list.ts';
import { matchMethod } from '../sample/pattern.ts';
import type { PatternHead } from '../sample/pattern-ref.ts';
import { bytesOf, Sample, TYPE_NAMES, typeOf, view } from '../sample/sample.ts';

/** HAProxy has a tree for these, and a list for the others. */
function indexOf({ match, fold }: PatternHead, key: string): 'tree' | 'list' {
  if (match === 'ip') return (parseNetwork(key)?.bits ?? -1) >= 0 ? 'tree' : 'list';
  return (match === 'str' || match === 'beg') && !fold ? 'tree' : 'list';
}

/** The entry that a text matches; -1 = none. */
function entryOf(entries: Generation, head: PatternHead, text: Uint8Array): number {
  const sample = new Sample();
  sample.begin(false);
  sample.setStr(text, 0, text.length);
  if (!cast(sample, matchMethod(head.match)!.type)) return -1;
  const entry = entries.set(head).find(sample);
  return entry >= 0 && entry < entries.count && entries.isThere(entry) ? entry : -1;
}

function valueText({ output }: PatternHead, value: Uint8Array): string {
  if (output === null) return 'value=none';
  const sample = new Sample();
  sample.setStr(value, 0, value.length);
  cast(sample, typeOf(output));
  return `value="${view(value)}", type="${TYPE_NAMES[sample.type]}"`;
}

export function findIn(state: RefState, text: string, kind: 'map' | 'acl'): string {
  const entries = state.entries()!;
  const [found, pattern] = kind === 'map' ? ['found', 'key'] : ['match', 'pattern'];
  return state.ref.heads
    .map(head => {
      const about = `type=${head.match}, case=${head.fold ? 'insensitive' : 'sensitive'}`;
      const entry = entryOf(entries, head, bytesOf(text));
      if (entry < 0) return `${about}, ${found}=no`;
      const key = view(entries.key(entry)).toString();
      const value = kind === 'map' ? `, ${valueText(head, entries.value(entry))}` : '';
      return `${about}, ${found}=yes, idx=${indexOf(head, key)}, ${pattern}="${key}"${value}`;
    })
    .join('\n');
}
