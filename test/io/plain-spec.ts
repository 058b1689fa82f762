/** Everything off: a plain listener on `address`, as a `bind` line without words gives it. */
import { newBind } from '../../engine/config/draft.ts';
import type { ListenSpec } from '../../engine/io/bind.ts';

export const PLAIN_SPEC: ListenSpec = Object.freeze({ ...newBind(), reusePort: true, rcvbufBytes: 0, sndbufBytes: 0 });
