/** Who waits for one server when it wants no more traffic (manual 4.2, `option redispatch`). */
import type { Proxy } from '../config/proxy-model.ts';
import { ADMIN_DRAIN, ADMIN_MAINT, OPER_STOPPED, OPER_STOPPING, SERVER } from '../shm/words.ts';

/** True when they go elsewhere: the server at `at` is down, in maintenance, drains or is stopping, and they may leave it. */
export function isLeft(words: Int32Array, at: number, { redispatch, options }: Proxy): boolean {
  if (redispatch === 0 || options.persist) return false;
  const oper = Atomics.load(words, at + SERVER.at.oper);
  if (oper === OPER_STOPPED || oper === OPER_STOPPING) return true;
  return (Atomics.load(words, at + SERVER.at.admin) & (ADMIN_MAINT | ADMIN_DRAIN)) !== 0;
}
