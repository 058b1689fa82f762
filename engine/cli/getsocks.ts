/** `_getsocks`: how another process, started with `-x`, takes over the listening sockets (io/fd-passing.ts). */
import { passSockets } from '../io/fd-passing.ts';
import { type Call, type Command, later, type Reply } from './command.ts';

function getsocks({ env, conn, state }: Call): Reply {
  if (!state.exposeFd || conn.fd === undefined) return 'Permission denied';
  return later(done =>
    env.asker.expose(sockets => {
      // Whoever asked is no person: when it fails, the other end sees that the connection ends too early.
      if (sockets !== null && conn.fd !== undefined) passSockets(conn.fd, sockets);
      done('');
    }),
  );
}

export const GETSOCKS: Command = {
  words: '_getsocks',
  usage: '',
  help: 'hand over the listening sockets',
  level: 'admin',
  hidden: true,
  run: getsocks,
};
