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

/** Among those that new streams go to: an active server, or where none is left a backup one, the first or (`allbackups`) any. */
export function takesTraffic(server: Server): boolean {
  if (!hasWeight(server)) return false;
  if (!server.config.backup) return true;
  const { backend } = server;
  if (activeServers(backend) > 0) return false;
  return backend.proxy.options.allbackups || backend.servers.find(hasWeight) === server;
}

function hasWeight({ backend, at }: Server): boolean {
  return Atomics.load(backend.context.words, at + SERVER.at.eweight) > 0;
}
