/** Server connections that no stream is interested in any more. */
import type { Conn, Handler } from '../io/contract.ts';
import { Timer } from '../time.ts';
import type { Context, Server } from './nouns.ts';

/** Hears nothing. */
const DEAF: Handler = { onOpen() {}, onData() {}, onEnd() {}, onDrain() {}, onClose() {} };

/** Ends a connection at once; with `reset` (`option nolinger`) the peer sees RST. */
export function abandon(conn: Conn, reset: boolean): void {
  conn.handler = DEAF;
  conn.abort(reset);
}

/** How long output may take to leave a connection that is being closed, when no `timeout server` says. Milliseconds. */
const CLOSE_MS = 30_000;

/**
 * Ends a connection whose exchange is complete. Unless the server has `ended` it already, with RST: whoever sends FIN
 * first keeps the port for a minute (TIME_WAIT), and we would soon have none left to connect from. Output that is still
 * pending leaves first, within the server's time-out.
 */
export function endOrderly(context: Context, conn: Conn, server: Server, ended: boolean): void {
  if (conn.pending > 0 && !server.backend.proxy.options.nolinger) {
    new Closing(context, conn, server.backend.proxy.timeouts.serverMs || CLOSE_MS);
  } else if (ended) {
    conn.handler = DEAF;
    conn.close();
  } else abandon(conn, true);
}

class Closing implements Handler {
  readonly #context: Context;
  readonly #timer: Timer<Conn>;

  constructor(context: Context, conn: Conn, ms: number) {
    this.#context = context;
    this.#timer = new Timer<Conn>(conn, late => late.abort(false));
    context.wheel.arm(this.#timer, context.io.now() + ms);
    conn.handler = this;
    conn.close();
  }

  onOpen(): void {}
  onData(): void {}
  onEnd(): void {}
  onDrain(): void {}
  onClose(): void {
    this.#context.wheel.forget(this.#timer);
  }
}
