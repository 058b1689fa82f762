/**
 * Idle server connections that belong to one client (`http-reuse never`, `send-proxy`): they wait with its session, as many as
 * `max-session-srv-conns` allows, for its next request to the same server.
 */
import { CUR_IDLE_PRIVATE } from '../shm/counters.ts';
import type { Http1Server } from './http1-server.ts';
import type { Server } from './nouns.ts';
import type { Session } from './session.ts';

/** What most sessions have. */
export const NO_CONNECTIONS: readonly Http1Server[] = [];

/** The session's own connection to the server at its address of now, with this `poolKey`; null = none. Old ones end. */
export function takeOwn(session: Session, server: Server, version: number, key: string): Http1Server | null {
  for (let i = 0; i < session.own.length; i++) {
    const side = session.own[i]!;
    if (side.server !== server || side.key !== key) continue;
    forget(session, i);
    if (side.version === version && side.conn !== null) return side;
    side.close();
    i--;
  }
  return null;
}

/** Keeps a connection that has just become idle, unless the session has enough of them. */
export function keepOwn(session: Session, side: Http1Server): void {
  // Those that the server has closed make room.
  for (let i = session.own.length - 1; i >= 0; i--) if (session.own[i]!.conn === null) forget(session, i);
  if (session.own.length >= session.frontend.proxy.maxSessionServerConns) {
    side.close();
    return;
  }
  if (session.own === NO_CONNECTIONS) session.own = [side];
  else (session.own as Http1Server[]).push(side);
  count(side, 1);
}

/** The client is gone. */
export function closeOwn(session: Session): void {
  while (session.own.length > 0) {
    const side = session.own[0]!;
    forget(session, 0);
    side.close();
  }
}

/** Closes the idle connections to `server` that sessions keep for themselves. */
export function closeOwned(server: Server): void {
  const { context } = server.backend;
  if (context.counters[server.row + CUR_IDLE_PRIVATE] === 0) return;
  for (const session of context.sessions) {
    for (let i = session.own.length - 1; i >= 0; i--) {
      const side = session.own[i]!;
      if (side.server !== server) continue;
      forget(session, i);
      side.close();
    }
  }
}

/** Closes one of them. False when there is none. */
export function closeOneOwned(server: Server): boolean {
  const { context } = server.backend;
  if (context.counters[server.row + CUR_IDLE_PRIVATE] === 0) return false;
  for (const session of context.sessions) {
    const at = session.own.findIndex(side => side.server === server);
    if (at < 0) continue;
    const side = session.own[at]!;
    forget(session, at);
    side.close();
    return true;
  }
  return false;
}

function forget(session: Session, at: number): void {
  count(session.own[at]!, -1);
  (session.own as Http1Server[]).splice(at, 1);
}

function count({ server }: Http1Server, n: number): void {
  server.backend.context.counters[server.row + CUR_IDLE_PRIVATE]! += n;
}
