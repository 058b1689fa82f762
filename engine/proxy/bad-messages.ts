/**
 * The last invalid request and response of each proxy, for `show errors`: one of each in every worker, cut to the size of
 * a buffer.
 */
import { addressText } from '../io/address.ts';
import { wallMs } from '../time.ts';
import type { Context } from './nouns.ts';
import type { Stream } from './stream.ts';

export type Direction = 'request' | 'response';

export interface BadMessage {
  readonly direction: Direction;
  /** Indexes into the model: of the proxy that refused it, and of what else the stream had met; -1 = nothing. */
  readonly proxy: number;
  readonly frontend: number;
  readonly backend: number;
  readonly server: number;
  /** Wall-clock milliseconds. */
  readonly wallMs: number;
  /** Which one it was of this worker, from 0 on. */
  readonly event: number;
  /** The client, as text; '' = a unix socket without a name. */
  readonly source: string;
  /** What is invalid about it: a row of engine/http/invalid.ts. */
  readonly error: string;
  readonly bytes: Uint8Array;
}

/** Keeps `bytes[start, end)`, which came on `stream` and is no valid message. */
export function keepBadMessage(
  stream: Stream,
  direction: Direction,
  error: string,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const { context, frontend, backend, server, session } = stream;
  const proxy = direction === 'request' ? frontend.index : backend!.index;
  const source = session.source();
  context.badEvents++;
  context.badMessages.set(`${direction} ${proxy}`, {
    direction,
    proxy,
    frontend: frontend.index,
    backend: backend === null ? -1 : backend.index,
    server: server === null ? -1 : server.config.index,
    wallMs: wallMs(),
    event: context.badEvents - 1,
    source: source === null ? '' : addressText(source),
    error,
    bytes: bytes.slice(start, Math.min(end, start + context.model.global.tune.bufsizeBytes)),
  });
}

/** What `show errors` asks for; `proxy` -1 = all. */
export function badMessages(context: Context, proxy: number, direction: Direction | null): BadMessage[] {
  return [...context.badMessages.values()].filter(
    m =>
      (proxy < 0 || m.frontend === proxy || m.backend === proxy) && (direction === null || m.direction === direction),
  );
}
