/** What a server's shared state means for the streams of this worker. */
import { ADMIN_MAINT, OPER_STOPPED, SERVER } from '../shm/words.ts';
import type { Server } from './nouns.ts';

/** Stopped by its checks or in maintenance: nobody may use it. A draining one (weight 0) still takes those who persist on it. */
export function isDown(server: Server): boolean {
  const { words } = server.backend.context;
  return (
    Atomics.load(words, server.at + SERVER.at.oper) === OPER_STOPPED ||
    (Atomics.load(words, server.at + SERVER.at.admin) & ADMIN_MAINT) !== 0
  );
}
