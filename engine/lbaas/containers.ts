/** Who names TLS containers: the bodies of requests, and deployments. */
import type { Deployment } from './deployment.ts';
import type { Json } from './items.ts';

/** The container references in the body of a request, however deep: fields named `..._ref` and `..._refs`. */
export function referencesIn(body: Json | undefined, name = ''): string[] {
  if (typeof body === 'string') return /_container_refs?$/.test(name) ? [body] : [];
  if (typeof body !== 'object' || body === null) return [];
  if (Array.isArray(body)) return body.flatMap(one => referencesIn(one, name));
  return Object.entries(body).flatMap(([field, value]) => referencesIn(value, field));
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
