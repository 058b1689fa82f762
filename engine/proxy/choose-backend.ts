/** `use_backend` and `default_backend` (manual 4.2): which backend takes a stream. */
import { YES } from '../sample/condition.ts';
import { PROXY } from '../shm/words.ts';
import type { Backend } from './nouns.ts';
import { HERE } from './rules.ts';
import type { Stream } from './stream.ts';

/**
 * The backend of the first `use_backend` rule that applies, else the default; null = there is none. A name made of the
 * traffic that is no backend's leads to the default, as in HAProxy. Rules that lead to an unpublished backend are passed over.
 */
export function chooseBackend(stream: Stream): Backend | null {
  const { frontend } = stream;
  const { useBackend } = frontend.rules;
  if (useBackend.length > 0) HERE.at(stream);
  for (let i = 0; i < useBackend.length; i++) {
    const { condition, backend, name } = useBackend[i]!;
    if (condition !== null && condition(HERE) !== YES) continue;
    const found = backend ?? stream.context.backendsByName.get(name!(HERE)) ?? null;
    if (found === null) break;
    if (!isHidden(stream, found)) return found;
  }
  const { defaultBackend } = frontend;
  return defaultBackend === null || isHidden(stream, defaultBackend) ? null : defaultBackend;
}

/** `be-unpublished`, `unpublish backend`: hidden from other proxies, unless a `force-be-switch` rule holds. */
function isHidden(stream: Stream, { at, index }: Backend): boolean {
  const { context, frontend } = stream;
  if (Atomics.load(context.words, at + PROXY.at.be_unpublished) === 0 || index === frontend.index) return false;
  HERE.at(stream);
  return !frontend.rules.forceSwitch.some(condition => condition(HERE) === YES);
}
