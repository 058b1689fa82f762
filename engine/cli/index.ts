/** The runtime API: commands on the `stats socket` sockets, in the control worker. */
import type { Bind } from '../config/model.ts';
import type { Conn } from '../io/contract.ts';
import { acceptOver, bindEnd } from '../tls/ends.ts';
import { tlsStore } from '../tls/store.ts';
import type { CliEnv, Command } from './command.ts';
import { DYNAMIC_SERVERS } from './dynamic-servers.ts';
import { ERROR_COMMANDS } from './error-commands.ts';
import { EVENT_COMMANDS } from './event-commands.ts';
import { FRONTEND_COMMANDS } from './frontend-commands.ts';
import { PATTERN_COMMANDS } from './pattern-commands.ts';
import { PEERS_COMMANDS } from './peers-commands.ts';
import { PROCESS_COMMANDS } from './process-commands.ts';
import { RESOLVER_COMMANDS } from './resolver-commands.ts';
import { SERVER_COMMANDS } from './server-commands.ts';
import { SERVER_LISTS } from './server-lists.ts';
import { Session } from './session.ts';
import { SESSION_COMMANDS } from './session-commands.ts';
import { STAT_COMMANDS } from './stat-commands.ts';
import { STREAM_COMMANDS } from './stream-commands.ts';
import { TABLE_COMMANDS } from './table-commands.ts';
import { VARIABLE_COMMANDS } from './variable-commands.ts';
import { WAIT_COMMAND } from './wait-command.ts';

export type { CliEnv } from './command.ts';

/** All commands, in alphabetical order, as `help` lists them. */
export const COMMANDS: readonly Command[] = [
  ...DYNAMIC_SERVERS,
  ...ERROR_COMMANDS,
  ...EVENT_COMMANDS,
  ...FRONTEND_COMMANDS,
  ...PEERS_COMMANDS,
  ...PATTERN_COMMANDS,
  ...PROCESS_COMMANDS,
  ...RESOLVER_COMMANDS,
  ...SERVER_COMMANDS,
  ...SERVER_LISTS,
  ...SESSION_COMMANDS,
  ...STAT_COMMANDS,
  ...STREAM_COMMANDS,
  ...TABLE_COMMANDS,
  ...VARIABLE_COMMANDS,
  WAIT_COMMAND,
].sort((a, b) => (a.words < b.words ? -1 : 1));

/** A listening descriptor, which `startCli` owns from now on, and the line of the configuration it came from. */
export interface CliSocket {
  readonly fd: number;
  readonly bind: Bind;
}

export interface Cli {
  /** Accepts no more and ends all sessions at once. */
  stop(): void;
}

/**
 * Serves the runtime API. Time is `env.now()` and the wheel, which the caller advances from `io.onTurn`. At most
 * `stats maxconn` sessions are open at a time; more wait in the kernel's queue.
 */
export function startCli(env: CliEnv, sockets: readonly CliSocket[]): Cli {
  const sessions = new Set<Session>();
  const max = Math.max(1, env.model.global.statsMaxconn);
  const shared = {
    env,
    commands: COMMANDS,
    sockets: sockets.map(s => s.bind),
    ended: (session: Session) => {
      sessions.delete(session);
      if (sessions.size < max) for (const listening of listenings) listening.resume();
    },
  };
  const accept = (conn: Conn, bind: Bind) => {
    sessions.add(new Session(shared, conn, bind));
    if (sessions.size >= max) for (const listening of listenings) listening.pause();
  };
  // One at a time, so that the limit is seen before the next.
  const listenings = sockets.map(({ fd, bind }) => {
    const { tls, global } = env.model;
    const end = bindEnd(tlsStore(tls), bind.tls, global.tls, `GLOBAL/${bind.id}`);
    return env.io.listen(fd, 1, conn => accept(acceptOver(env.io, conn, end), bind));
  });
  return {
    stop: () => {
      for (const listening of listenings) listening.close();
      for (const session of sessions) session.end();
    },
  };
}
