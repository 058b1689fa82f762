/** What all new items have, whichever API makes them. */
import { randomUUID } from 'node:crypto';
import { Refusal } from './errors.ts';
import type { Common, Json } from './items.ts';
import type { Call, Values } from './octavia.ts';
import { fallbacks, type Resource } from './resources.ts';

/** What an item has whose resource does not know of it. */
const BLANK = { name: '', description: '', admin_state_up: true, tags: [] } as const;

export const forbidden = () => new Refusal(403, 'Forbidden', 'Policy does not allow this request to be performed.');

/** An item of this resource, in no tree yet. @throws Refusal 403 when it would belong to another project */
export function newItem(call: Call, { fields }: Resource, given: Values): Values & Common {
  const { tenant_id, project_id, ...values } = { ...fallbacks(fields), ...given } as Record<string, Json>;
  const owner = String(project_id ?? tenant_id ?? call.projectId);
  if (!call.admin && owner !== call.projectId) throw forbidden();
  return {
    ...BLANK,
    ...values,
    id: randomUUID(),
    project_id: owner,
    provisioning_status: 'PENDING_CREATE',
    status_description: '',
    created_at: call.now,
    updated_at: null,
    root: '',
  };
}
