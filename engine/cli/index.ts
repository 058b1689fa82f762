/** The runtime API: commands on the `stats socket` sockets, in the control worker. */
import type { Bind } from '../config/model.ts';
import type { Conn } from '../io/contract.ts';
import { PROCESS, TAINTED_EXPERIMENTAL, TAINTED_EXPERT } from '../shm/words.ts';
import { acceptOver, bindEnd } from '../tls/ends.ts';
import { ANON_COMMANDS } from './anon-commands.ts';
import type { CliEnv, Command, Mode } from './command.ts';
import { COOKIE_COMMANDS } from './cookie-commands.ts';
import { DEBUG_COMMANDS } from './debug-commands.ts';
import { DYNAMIC_BACKENDS } from './dynamic-backends.ts';
import { DYNAMIC_SERVERS } from './dynamic-servers.ts';
import { ERROR_COMMANDS } from './error-commands.ts';
import { EVENT_COMMANDS } from './event-commands.ts';
import { FRONTEND_COMMANDS } from './frontend-commands.ts';
import { GETSOCKS } from './getsocks.ts';
import { HTTP_COMMANDS } from './http-commands.ts';
import { PATTERN_COMMANDS } from './pattern-commands.ts';
import { PEERS_COMMANDS } from './peers-commands.ts';
import { PLATFORM_COMMANDS } from './platform-commands.ts';
import { PROCESS_COMMANDS } from './process-commands.ts';
import { PROFILING_COMMANDS } from './profiling-commands.ts';
import { RESOLVER_COMMANDS } from './resolver-commands.ts';
import { SERVER_COMMANDS } from './server-commands.ts';
import { SERVER_LISTS } from './server-lists.ts';
import { type CliShared, Session, type Start } from './session.ts';
import { SESSION_COMMANDS } from './session-commands.ts';
import { SSL_CERT_COMMANDS } from './ssl-cert-commands.ts';
import { SSL_FILE_COMMANDS } from './ssl-file-commands.ts';
import { SSL_LIST_COMMANDS } from './ssl-list-commands.ts';
import { SSL_OCSP_COMMANDS } from './ssl-ocsp-commands.ts';
import { SSL_SNI_COMMANDS } from './ssl-sni-commands.ts';
import { SSL_TICKET_COMMANDS } from './ssl-ticket-commands.ts';
import { STAT_COMMANDS } from './stat-commands.ts';
import { DUMP_STATS_FILE } from './stats-file-command.ts';
import { STREAM_COMMANDS } from './stream-commands.ts';
import { TABLE_COMMANDS } from './table-commands.ts';
import { TRACE_COMMANDS } from './trace-commands.ts';
import { VARIABLE_COMMANDS } from './variable-commands.ts';
import { WAIT_COMMAND } from './wait-command.ts';

export type { CliEnv } from './command.ts';

/** All commands, in alphabetical order, as `help` lists them. */
export const COMMANDS: readonly Command[] = [
  ...ANON_COMMANDS,
  ...COOKIE_COMMANDS,
  ...DEBUG_COMMANDS,
  ...DYNAMIC_BACKENDS,
  ...DYNAMIC_SERVERS,
  ...ERROR_COMMANDS,
  ...EVENT_COMMANDS,
  ...FRONTEND_COMMANDS,
  GETSOCKS,
  ...HTTP_COMMANDS,
  ...PEERS_COMMANDS,
  ...PATTERN_COMMANDS,
  ...PLATFORM_COMMANDS,
  ...PROCESS_COMMANDS,
  ...PROFILING_COMMANDS,
  ...RESOLVER_COMMANDS,
  ...SERVER_COMMANDS,
  ...SERVER_LISTS,
  ...SESSION_COMMANDS,
  ...SSL_CERT_COMMANDS,
  ...SSL_FILE_COMMANDS,
  ...SSL_LIST_COMMANDS,
  ...SSL_SNI_COMMANDS,
  ...SSL_OCSP_COMMANDS,
  ...SSL_TICKET_COMMANDS,
  ...STAT_COMMANDS,
  DUMP_STATS_FILE,
  ...STREAM_COMMANDS,
  ...TABLE_COMMANDS,
  ...TRACE_COMMANDS,
  ...VARIABLE_COMMANDS,
  WAIT_COMMAND,
].sort((a, b) => (a.words < b.words ? -1 : 1));

const TAINTS: Readonly<Record<Mode, number>> = { expert: TAINTED_EXPERT, experimental: TAINTED_EXPERIMENTAL, debug: 0 };

/** A listening descriptor, which `startCli` owns from now on, and the line of the configuration it came from. */
interface CliSocket {
  readonly fd: number;
  readonly bind: Bind;
}

export interface Cli {
  /** Serves a connection that came another way. */
  open(conn: Conn, start: Start): void;
  /** Accepts no more; ends the sessions that wait for a command, and the others when their command is done. */
  rest(): void;
  /** After `rest`: `ended` is called once, when the last session is over. `soft`: as there; else all end at once. */
  stop(soft: boolean, ended: () => void): void;
}

/**
 * Serves the runtime API. Time is `env.now()` and the wheel, which the caller advances from `io.onTurn`. At most
 * `stats maxconn` sessions are open at a time; more wait in the kernel's queue.
 */
export function startCli(env: CliEnv, sockets: readonly CliSocket[]): Cli {
  const sessions = new Set<Session>();
  let look = () => {};
  /** Listening sockets that are not closed yet, once they are to be. */
  let open = 0;
  const max = Math.max(1, env.model.global.statsMaxconn);
  const { memory, model, wheel } = env;
  const startSecond = () => Atomics.load(memory.words, memory.process + PROCESS.at.start_second);
  const shared: CliShared = {
    env,
    session: {
      wheel,
      now: () => env.now(),
      timeoutMs: model.global.statsTimeoutMs,
      lineBytesMax: model.global.tune.bufsizeBytes,
      payloadBytesMax: model.global.tune.cliPayloadBytes,
      uptime: () => Math.max(0, Math.floor(env.now() / 1000) - startSecond()),
    },
    commands: COMMANDS,
    sockets: sockets.map(s => s.bind),
    route: words => words,
    prompt: () => '',
    used: mode => void Atomics.or(memory.words, memory.process + PROCESS.at.tainted, TAINTS[mode]),
    ended: (session: Session) => {
      sessions.delete(session);
      if (sessions.size < max) for (const listening of listenings) listening.resume();
      look();
    },
  };
  const begin = (conn: Conn, start: Start) => void sessions.add(new Session(shared, conn, start));
  const accept = (conn: Conn, { level, exposeFd, severityOutput }: Bind) => {
    begin(conn, { level, exposeFd, severityOutput, expert: false, experimental: false });
    look();
    if (sessions.size >= max) for (const listening of listenings) listening.pause();
  };
  // One at a time, so that the limit is seen before the next.
  const listenings = sockets.map(({ fd, bind }) => {
    const end = bindEnd(env.tls.store, bind.tls, model.global.tls, `GLOBAL/${bind.id}`);
    return env.io.listen(fd, 1, conn => accept(acceptOver(env.io, conn, end), bind));
  });
  return {
    open: begin,
    rest: () => {
      open = listenings.length;
      for (const listening of listenings) {
        listening.close(() => {
          open--;
          look();
        });
      }
      look = () => {
        for (const session of sessions) session.stop();
      };
      look();
    },
    stop: (soft, ended) => {
      // Those who connected in the last moment are served, too.
      look = () => {
        for (const session of sessions) if (soft) session.stop();
        if (open > 0 || sessions.size > 0) return;
        look = () => {};
        ended();
      };
      if (!soft) for (const session of sessions) session.end();
      look();
    },
  };
}
