/** `option prefer-last-server`, `max-keep-alive-queue` (manual 4.2): a client stays on the server that answered it last. */
import { CHANGING } from '../balance/changing.ts';
import { SERVER } from '../shm/words.ts';
import type { Server } from './nouns.ts';
import type { Stream } from './stream.ts';
import { isDown } from './usable.ts';

/** The server of the client's last request, if the stream may well go there again; null = any other will do. */
export function lastServer(stream: Stream): Server | null {
  const server = stream.session.lastServer;
  const { proxy, context } = stream.backend!;
  if (server === null || server.backend !== stream.backend || !proxy.options.preferLastServer) return null;
  if (!CHANGING.has(proxy.balance.algorithm) || server.config.index === stream.avoid) return null;
  const { words } = context;
  if (isDown(server) || Atomics.load(words, server.at + SERVER.at.eweight) === 0) return null;
  const limit = proxy.maxKeepAliveQueue;
  return limit < 0 || isReady(words, server) || Atomics.load(words, server.at + SERVER.at.queued) < limit
    ? server
    : null;
}

/** It has a place free: nobody would have to wait. */
function isReady(words: Int32Array, { at }: Server): boolean {
  const maxconn = Atomics.load(words, at + SERVER.at.maxconn);
  return maxconn === 0 || Atomics.load(words, at + SERVER.at.served) < maxconn;
}
