/** Rules in a defaults section (manual 4.2, `http-request`): who may begin with them, and whom they would leave in doubt. */
import type { ProxyDraft } from './draft.ts';

type Kind = ProxyDraft['kind'];

/** The kinds of those who have begun with a section that has rules. */
const USERS = new WeakMap<ProxyDraft, Set<Kind>>();

/** Why a section of `kind` may not begin with `origin`: HAProxy's words, none = it may. */
export function inheritedRuleProblems(origin: ProxyDraft, kind: Kind): string[] {
  const where = ` (defaults section at ${origin.file}:${origin.line})`;
  const captures = origin.requestCaptures.length + origin.responseCaptures.length > 0;
  return [
    ruleProblem(origin, kind, where),
    captures && kind !== 'frontend'
      ? `backend or defaults sections cannot inherit from a defaults section defining captures${where}`
      : null,
  ].filter(problem => problem !== null);
}

function ruleProblem(origin: ProxyDraft, kind: Kind, where: string): string | null {
  const { rules } = origin;
  const has = (list: keyof typeof rules) => rules[list].length > 0;
  if (!Object.values(rules).some(list => list.length > 0)) return null;
  if (kind === 'defaults' || kind === 'listen') {
    return `a ${kind} section cannot inherit from a defaults section defining TCP/HTTP rules${where}`;
  }
  const users = USERS.get(origin) ?? new Set();
  if (users.size > 0 && !users.has(kind)) {
    return `frontends and backends cannot inherit from the same defaults section if it defines TCP/HTTP rules${where}`;
  }
  if (kind === 'frontend' && has('serverContent')) {
    return `a frontend section cannot inherit from a defaults section defining 'tcp-response content' rules${where}`;
  }
  if (kind === 'backend' && (has('connection') || has('session'))) {
    return `a backend section cannot inherit from a defaults section defining 'tcp-request connection' or 'tcp-request session' rules${where}`;
  }
  USERS.set(origin, users.add(kind));
  return null;
}
