/** What a proxy or a defaults section begins with: the settings of another defaults section (manual 4). */
import type { Cursor } from './cursor.ts';
import type { ProxyDraft } from './draft.ts';
import { inheritedRuleProblems } from './inherited-rules.ts';
import { illegalCharacter } from './names.ts';
import { newProxy } from './new-drafts.ts';
import type { Desk } from './sections.ts';
import { didYouMean } from './suggest.ts';

/** How proxies have used each defaults section so far: by its name, or as the last one. */
const USED = new WeakMap<ProxyDraft, Set<'named' | 'last'>>();

/** `from <defaults>`: a copy of the named section, else of the last one. */
export function inherited(cursor: Cursor, { drafts }: Desk, kind: ProxyDraft['kind'], name: string): ProxyDraft {
  const named = cursor.match('from');
  const origin = named ? namedDefaults(cursor, drafts.defaults, `${kind} '${name}'`) : drafts.defaults.at(-1);
  if (origin !== undefined) {
    if (kind !== 'defaults') noteUse(cursor, origin, named ? 'named' : 'last');
    for (const problem of inheritedRuleProblems(origin, kind)) cursor.error(problem);
  }
  return withoutAclNames(structuredClone(origin ?? newProxy()));
}

/** The ACLs of a defaults section are for its own rules: no line of the proxy may name them (manual 4.2, acl). */
export function withoutAclNames(draft: ProxyDraft): ProxyDraft {
  for (const acl of draft.acls) acl.name = '';
  return draft;
}

/** The section that the next word names; undefined after reporting. A section may have any name until it is named. */
function namedDefaults(cursor: Cursor, defaults: readonly ProxyDraft[], subject: string): ProxyDraft | undefined {
  const word = cursor.expectWord('from');
  if (word === null) return undefined;
  const { text } = word;
  const [origin, other] = defaults.filter(draft => draft.name === text);
  const bad = illegalCharacter(text);
  if (origin === undefined) {
    const names = defaults.map(draft => draft.name);
    cursor.error(`defaults section '${text}' not found for ${subject}`, didYouMean(text, names) ?? undefined);
  } else if (bad !== null) {
    cursor.error(
      `character '${bad}' is not permitted in defaults section name '${text}' when designated by its name (section found at ${at(origin)})`,
    );
  } else if (other !== undefined) {
    cursor.error(
      `ambiguous defaults section name '${text}' referenced by ${subject} exists at least at ${at(origin)} and ${at(other)}`,
    );
  }
  return origin;
}

/** Warns about a section that proxies use by its name, and others because it is the last one. */
function noteUse(cursor: Cursor, origin: ProxyDraft, how: 'named' | 'last'): void {
  const used = USED.get(origin) ?? new Set();
  USED.set(origin, used.add(how));
  if (used.size < 2) return;
  const [here, there] = how === 'last' ? ['implicitly', 'explicitly'] : ['explicitly', 'implicitly'];
  cursor.warning(
    `defaults section '${origin.name}' (declared at ${at(origin)}) is ${there} referenced by another proxy and ${here} used here`,
    "write 'from' in all of them, or a last defaults section that none names",
  );
}

function at({ file, line }: ProxyDraft): string {
  return `${file}:${line}`;
}
