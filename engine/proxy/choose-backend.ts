/** `use_backend` and `default_backend` (manual 4.2): which backend takes a stream. */
import { YES } from '../sample/condition.ts';
import type { Backend } from './nouns.ts';
import { HERE } from './rules.ts';
import type { Stream } from './stream.ts';

/**
 * The backend of the first `use_backend` rule that applies, else the default; null = there is none. A name made of the
 * traffic that is no backend's leads to the default, as in HAProxy.
 */
export function chooseBackend(stream: Stream): Backend | null {
  const { frontend } = stream;
  const { useBackend, backendsByName } = frontend.rules;
  if (useBackend.length === 0) return frontend.defaultBackend;
  HERE.at(stream);
  for (let i = 0; i < useBackend.length; i++) {
    const { condition, backend, name } = useBackend[i]!;
    if (condition !== null && condition(HERE) !== YES) continue;
    if (backend !== null) return backend;
    return backendsByName.get(name!(HERE)) ?? frontend.defaultBackend;
  }
  return frontend.defaultBackend;
}
