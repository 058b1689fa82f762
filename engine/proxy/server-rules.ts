/** `force-persist`, `ignore-persist` and `use-server` (manual 4.2): which server a stream must go to, before any algorithm. */
import { YES } from '../sample/condition.ts';
import { HERE } from './rules.ts';
import type { Stream } from './stream.ts';
import { isDown } from './usable.ts';

/** Sets what the rules of the stream's backend say about its server. */
export function applyServerRules(stream: Stream): void {
  const { rules, servers, proxy } = stream.backend!;
  const { persist, useServer } = rules;
  if (persist.length === 0 && useServer.length === 0) return;
  HERE.at(stream);
  const found = persist.find(rule => rule.condition(HERE) === YES);
  stream.forcesPersistence = found?.force === true;
  stream.ignoresPersistence = found?.force === false;
  const downToo = proxy.options.persist || stream.forcesPersistence;
  for (const { condition, server, name } of useServer) {
    if (condition !== null && condition(HERE) !== YES) continue;
    // A name made of the traffic ends the search, whether there is such a server or not.
    const text = server === null ? name!(HERE) : '';
    const named = server ?? servers.find(s => s.config.name === text) ?? null;
    if (named !== null && (downToo || !isDown(named))) stream.ruledServer = named;
    if (server === null || stream.ruledServer !== null) return;
  }
}
