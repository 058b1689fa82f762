/**
 * What was changed at run time of maps, ACLs, variables of the process and dynamic cookies goes over to the next generation of the
 * configuration. The rule is that of all settings (health/inherit.ts): where the new configuration, or a file that it names,
 * says what the old one said, the change stays; where it says something else, that is in force. Certificates are not among
 * them: their files are read again, as by HAProxy.
 */
import { DynamicCookies } from '../balance/dynamic-cookies.ts';
import type { Proxy } from '../config/proxy-model.ts';
import { type ChangeBuffers, ChangeLog, leave } from '../shm/change-log.ts';
import { PatternBooks } from './book.ts';
import type { PatternRef } from './pattern-ref.ts';
import { type ProcVar, ProcVars } from './proc-vars.ts';

/** A configuration, its log, and a number there that no thread has. */
export interface Changing {
  readonly patternRefs: readonly PatternRef[];
  readonly procVars: readonly ProcVar[];
  /** Their dynamic cookies. */
  readonly proxies: readonly Proxy[];
  readonly buffers: ChangeBuffers;
  readonly follower: number;
}

/** Writes the changes of `from` into the log of `to`. Gives what of them is not in force there, for the operator. */
export function inheritChanges(to: Changing, from: Changing): string[] {
  const log = new ChangeLog(from.buffers, from.follower);
  const books = new PatternBooks(from.patternRefs, log);
  const vars = new ProcVars(from.procVars, log);
  const cookies = new DynamicCookies(from.proxies, log);
  log.catchUp();
  const lost: string[] = [];
  const heir = new ChangeLog(to.buffers, to.follower);
  const fits = heir.change(() => {
    const find = finder(from.patternRefs, to.patternRefs);
    for (const state of books.changed) {
      const { ref } = state;
      const same = find(ref);
      if (same !== undefined && same.pairs === ref.pairs && sameText(same, ref)) books.write(heir, state, same.index);
      else if (same !== undefined)
        lost.push(`'${ref.name}' was changed at run time; what its file says now is in force.`);
    }
    vars.bequeath(heir, from.procVars, to.procVars);
    cookies.bequeath(heir, from.proxies, to.proxies);
  });
  if (!fits) lost.push('What was changed of maps, ACLs and variables at run time finds no room: all is as configured.');
  leave(from.buffers, from.follower);
  leave(to.buffers, to.follower);
  return lost;
}

/** Finds files by name, the patterns of ACL lines by what they are: the second of two lines that are alike is the second. */
function finder(
  before: readonly PatternRef[],
  now: readonly PatternRef[],
): (ref: PatternRef) => PatternRef | undefined {
  const keys = numbered(before);
  const byKey = new Map([...numbered(now)].map(([ref, key]) => [key, ref]));
  return ref => byKey.get(keys.get(ref)!);
}

function numbered(refs: readonly PatternRef[]): Map<PatternRef, string> {
  const seen = new Map<string, number>();
  return new Map(
    refs.map(ref => {
      const key = JSON.stringify(ref.name === '' ? [ref.keyword, ref.patterns] : ref.name);
      const n = seen.get(key) ?? 0;
      seen.set(key, n + 1);
      return [ref, `${key} ${n}`];
    }),
  );
}

function sameText(a: PatternRef, b: PatternRef): boolean {
  return Buffer.compare(a.bytes, b.bytes) === 0;
}
