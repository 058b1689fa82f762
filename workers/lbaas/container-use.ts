/** Load balancers are consumers of the containers that they use in a Barbican, as long as they do. */
import { referencesIn } from '../../engine/lbaas/containers.ts';
import type { ApiOptions } from './api/server.ts';
import type { Barbican } from './barbican.ts';
import type { Log } from './log.ts';

/** What Barbican refuses is logged: the load balancer works without being a consumer. */
export function containerUse(barbican: Barbican, log: Log): ApiOptions['useContainers'] {
  return async (uses, body, token) => {
    const named = new Set(referencesIn(body));
    const known = (references: readonly string[]) => references.filter(reference => barbican.has(reference));
    const told = uses.flatMap(({ root, before, after }) => [
      // Named again they are registered again: it may have failed the first time.
      ...known(after)
        .filter(reference => named.has(reference) || !before.includes(reference))
        .map(reference => tell('register', reference, root)),
      ...known(before)
        .filter(reference => !after.includes(reference))
        .map(reference => tell('unregister', reference, root)),
    ]);
    await Promise.all(told);

    async function tell(what: 'register' | 'unregister', reference: string, root: string): Promise<void> {
      try {
        await barbican[what](reference, root, token);
      } catch (error) {
        log('warning', `${root}: could not ${what} as a consumer of ${reference}: ${(error as Error).message}`);
      }
    }
  };
}
