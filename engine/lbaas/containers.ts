/** Who names TLS containers: the bodies of requests, and deployments. */
import type { Deployment } from './deployment-model.ts';
import type { Json } from './items.ts';
import type { Draft, Reader } from './store.ts';

/** The container references in the body of a request, however deep: fields named `..._ref` and `..._refs`. */
export function referencesIn(body: Json | undefined, name = ''): string[] {
  if (typeof body === 'string') return /_container_refs?$/.test(name) ? [body] : [];
  if (typeof body !== 'object' || body === null) return [];
  if (Array.isArray(body)) return body.flatMap(one => referencesIn(one, name));
  return Object.entries(body).flatMap(([field, value]) => referencesIn(value, field));
}

/** The TLS containers that a change takes into use, or out of it, in one tree. */
export interface Use {
  readonly root: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** @param before the items as they are without the draft */
export function usesOf(before: Reader, draft: Draft): Use[] {
  return [...draft.roots()].map(root => ({ root, before: used(before, root), after: used(draft, root) }));
}

function used(reader: Reader, root: string): string[] {
  const items = reader.tree(root).map(({ item }) => item);
  const there = items.filter(({ provisioning_status }) => provisioning_status !== 'PENDING_DELETE');
  return [...new Set(there.flatMap(item => referencesIn(item as Json)))];
}

/** The references of all TLS containers. */
export function containersOf({ fronts }: Deployment): string[] {
  const references = fronts.flatMap(({ tls, pool, policies }) => [
    ...(tls === null ? [] : [...tls.certificates, tls.clientCa, tls.clientCrl]),
    ...[pool, ...policies.map(policy => policy.pool)].flatMap(farm =>
      farm?.tls == null ? [] : [farm.tls.certificate, farm.tls.ca, farm.tls.crl],
    ),
  ]);
  return references.filter(reference => reference !== null);
}
