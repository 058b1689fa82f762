/** Ending streams because an operator says so (`K` in the log): one, or all of a server. */
import { SERVER } from '../shm/words.ts';
import type { Context, Server } from './nouns.ts';
import type { Session } from './session.ts';
import type { Stream } from './stream.ts';
import { CAUSE } from './termination.ts';

/** The session's stream; null between requests, and when its connection only lingers. */
export function streamOf(session: Session): Stream | null {
  const stream = session.driver?.stream() ?? null;
  return stream !== null && stream.session === session && stream.active ? stream : null;
}

/** False when there is no such stream (any more). */
export function killStream(context: Context, id: number): boolean {
  for (const session of context.sessions) {
    const stream = streamOf(session);
    if (stream === null || stream.id !== id) continue;
    stream.kill(CAUSE.killed);
    return true;
  }
  return false;
}

/** Ends the streams on `server` when the shared word says that this was asked for since the last look. */
export function obeyKills(server: Server): void {
  const { context } = server.backend;
  const kills = Atomics.load(context.words, server.at + SERVER.at.kills);
  if (kills === server.kills) return;
  server.kills = kills;
  for (const session of [...context.sessions]) {
    const stream = streamOf(session);
    if (stream?.server === server) stream.kill(CAUSE.killed);
  }
}
