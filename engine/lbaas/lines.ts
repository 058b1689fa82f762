/** What the lines of a configuration are made of. */
import type { Farm, Front } from './deployment-model.ts';

/** A name in a comment must stay in it. */
export const comment = (...texts: readonly string[]) => [
  '',
  `# ${texts
    .join(' ')
    .replace(/[^ -~\u00a0-\uffff]/g, '?')
    .trimEnd()}`,
];

/** A pool as one listener uses it: headers and time-outs are the listener's. */
export function backendName(farm: Farm, front: Front): string {
  return `${farm.id}:${front.id}`;
}
