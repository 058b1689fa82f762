/** What a server's shared state means for the streams of this worker. */
import { ADMIN_MAINT, OPER_STOPPED, PROXY, SERVER } from '../shm/words.ts';
import type { Backend, Server } from './nouns.ts';

/** Stopped by its checks or in maintenance: nobody may use it. A draining one (weight 0) still takes those who persist on it. */
export function isDown(server: Server): boolean {
  const { words } = server.backend.context;
  return (
    Atomics.load(words, server.at + SERVER.at.oper) === OPER_STOPPED ||
    (Atomics.load(words, server.at + SERVER.at.admin) & ADMIN_MAINT) !== 0
  );
}

/** Active servers (not backup ones) that take traffic now. */
export function activeServers(backend: Backend): number {
  return Atomics.load(backend.context.words, backend.at + PROXY.at.act);
}
