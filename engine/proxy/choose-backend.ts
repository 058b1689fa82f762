/** `use_backend` and `default_backend` (manual 4.2): which backend takes a stream. */
import type { Backend } from './nouns.ts';
import type { Stream } from './stream.ts';

/** The first `use_backend` rule that applies, else the default; null = there is none. */
export function chooseBackend(stream: Stream): Backend | null {
  const { frontend } = stream;
  const rule = frontend.proxy.useBackend[0];
  return rule === undefined ? frontend.defaultBackend : stream.context.backends[rule.backend]!;
}
