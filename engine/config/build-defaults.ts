/** What named `defaults` sections make of a backend that comes at run time (`add backend`). */
import { checkAnother } from './checks.ts';
import { Diagnostics } from './diagnostics.ts';
import type { ProxyDraft } from './draft.ts';
import { withoutAclNames } from './inherit.ts';
import { inheritedRuleProblems } from './inherited-rules.ts';
import type { Defaults } from './model.ts';
import { illegalCharacter } from './names.ts';
import type { Proxy } from './proxy-model.ts';
import type { Drafts } from './sections.ts';

/** The sections that `from` could name. What is wrong with their backends is told when somebody asks for one. */
export function defaultsOf(drafts: Drafts, build: (draft: ProxyDraft) => Proxy): Defaults[] {
  const named = Map.groupBy(
    drafts.defaults.filter(({ name }) => name !== ''),
    ({ name }) => name,
  );
  return [...named].flatMap(([name, [section, other]]) => {
    if (section === undefined || other !== undefined || illegalCharacter(name) !== null) return [];
    const { file, line, modeGiven, mode } = section;
    const backends = { tcp: backendOf(section, 'tcp', drafts, build), http: backendOf(section, 'http', drafts, build) };
    return [{ file, line, name, mode: modeGiven ? mode : null, backends }];
  });
}

function backendOf(
  section: ProxyDraft,
  mode: 'tcp' | 'http',
  drafts: Drafts,
  build: (draft: ProxyDraft) => Proxy,
): Proxy | string {
  const [problem] = inheritedRuleProblems(section, 'backend');
  if (problem !== undefined) return problem;
  const draft = withoutAclNames(structuredClone(section));
  // Its own `backend` line says nothing else, and it waits for `publish backend`.
  Object.assign(draft, { kind: 'backend', mode, unpublished: true });
  const diagnostics = new Diagnostics();
  checkAnother(draft, drafts, diagnostics);
  if (!diagnostics.fatal) return build(draft);
  return diagnostics.list
    .filter(({ severity }) => severity === 'alert')
    .map(({ message }) => message)
    .join('\n');
}
