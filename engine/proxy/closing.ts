/** Connections that no stream is interested in any more. */
import type { Conn, Handler } from '../io/contract.ts';
import { Timer } from '../time.ts';
import type { Context, Server } from './nouns.ts';

/** Hears nothing. */
export const DEAF: Handler = { onOpen() {}, onData() {}, onEnd() {}, onDrain() {}, onClose() {} };

/**
 * Ends a server's connection at once. Unless the server has `ended` it already, with RST: whoever sends FIN first keeps
 * the port for a minute (TIME_WAIT), and we would soon have none left to connect from.
 */
export function abandon(conn: Conn, ended: boolean): void {
  conn.handler = DEAF;
  conn.abort(!ended);
}

/** How long output may take to leave a connection that is being closed, when no `timeout server` says. Milliseconds. */
const CLOSE_MS = 30_000;

/** The same after an exchange that is complete: output that is still pending leaves first, within the server's time-out. */
export function endOrderly(context: Context, conn: Conn, server: Server, ended: boolean): void {
  const { nolinger } = server.backend.proxy.options;
  if (nolinger) abandon(conn, false);
  else if (conn.pending === 0) abandon(conn, ended);
  else {
    new Closing(context, conn, server.backend.proxy.timeouts.serverMs || CLOSE_MS);
    conn.close();
  }
}

/** Ends a client's connection, but throws away what it still sends for at most `ms`, so that it can read the answer. */
export function listenOut(context: Context, conn: Conn, ended: boolean, ms: number): void {
  new Closing(context, conn, ms);
  if (ended) conn.close();
  else {
    conn.shutdown();
    conn.resume();
  }
}

/** Hears only of the end, and brings it about when it is late. */
class Closing implements Handler {
  readonly #context: Context;
  readonly #timer: Timer<Conn>;

  constructor(context: Context, conn: Conn, ms: number) {
    this.#context = context;
    this.#timer = new Timer<Conn>(conn, late => late.abort(false));
    context.lingering++;
    context.wheel.arm(this.#timer, context.io.now() + ms);
    conn.handler = this;
  }

  onOpen(): void {}
  onData(): void {}
  onEnd(conn: Conn): void {
    conn.close();
  }
  onDrain(): void {}
  onClose(): void {
    this.#context.wheel.forget(this.#timer);
    this.#context.lingering--;
    this.#context.stopping?.look();
  }
}
