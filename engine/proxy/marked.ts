/**
 * What a change of a server's state does to the streams of this worker: `on-marked-down shutdown-sessions` ends those on
 * it, `on-marked-up shutdown-backup-sessions` those on the backup servers of its backend (manual 5.2).
 *
 * A word of the server counts such changes. Each worker looks when its doorbell rings and compares with what it saw.
 */
import { SERVER } from '../shm/words.ts';
import type { Context, Server } from './nouns.ts';
import type { Stream } from './stream.ts';
import { CAUSE, type Cause } from './termination.ts';

const { downs: DOWNS, ups: UPS } = SERVER.at;

interface Mark {
  readonly server: Server;
  downs: number;
  ups: number;
}

export class Marks {
  readonly #context: Context;
  /** The servers that ask for it: few or none. */
  readonly #marks: readonly Mark[];

  constructor(context: Context) {
    this.#context = context;
    const servers = context.backends.flatMap(backend => [...(backend?.servers ?? [])]);
    const asking = servers.filter(({ config }) => config.shutdownWhenDown || config.shutdownBackupsWhenUp);
    this.#marks = asking.map(server => ({
      server,
      downs: Atomics.load(context.words, server.at + DOWNS),
      ups: Atomics.load(context.words, server.at + UPS),
    }));
  }

  /** Ends what has to end. Nothing happens while no word has moved. */
  look(): void {
    const { words } = this.#context;
    for (const mark of this.#marks) {
      const { server } = mark;
      const downs = Atomics.load(words, server.at + DOWNS);
      const ups = Atomics.load(words, server.at + UPS);
      if (downs !== mark.downs) this.#end(CAUSE.down, stream => stream.server === server);
      if (ups !== mark.ups) this.#end(CAUSE.up, stream => isBackupOf(stream.server, server));
      mark.downs = downs;
      mark.ups = ups;
    }
  }

  #end(cause: Cause, which: (stream: Stream) => boolean): void {
    for (const session of this.#context.sessions) {
      const stream = session.driver?.stream();
      if (stream?.active && which(stream)) stream.kill(cause);
    }
  }
}

function isBackupOf(server: Server | null, active: Server): boolean {
  return server?.config.backup === true && server.backend === active.backend;
}
