/** Everything off: a plain listener on `address`, as a `bind` line without words gives it. */
import { newBind, newGlobal } from '../../engine/config/new-drafts.ts';
import type { ListenSpec } from '../../engine/io/bind.ts';
import { listenSpec } from '../../engine/io/listen-spec.ts';

export const PLAIN_SPEC: ListenSpec = Object.freeze(listenSpec(newBind(), newGlobal()));
