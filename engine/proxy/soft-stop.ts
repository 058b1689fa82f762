/**
 * The end of a worker: it accepts nothing more, finishes what is there, and says when nothing is left.
 *
 *   sockets closed ──► what the kernel had handed over before is served ──► sessions end ──► last bytes left ──► idle
 *
 * Nobody can close an idle connection without meeting the client's next request on its way: a client that was kept from
 * running sends it with our FIN waiting in its socket. So a connection whose client was there a moment ago gets to ask once
 * more, and the answer says `Connection: close`.
 */
import { STOP_IDLE_MS, STOP_LOOK_MS } from '../limits.ts';
import { Timer } from '../time.ts';
import { streamOf } from './kill.ts';
import type { Context } from './nouns.ts';
import type { Session } from './session.ts';
import { CAUSE } from './termination.ts';

/** Spreads numbers that follow each other evenly over 0..1. */
const GOLDEN = 0.618_033_988_749_895;

export class SoftStop {
  readonly #context: Context;
  readonly #idle: () => void;
  readonly #since: number;
  readonly #timer: Timer<SoftStop>;
  /** Listening sockets that are not closed yet. */
  #sockets = 0;
  /** Who was idle since then at the last look, and still is. After a stall, what came meanwhile is heard before the next. */
  #before = -Infinity;
  #over = false;

  /** `idle` is called once. */
  constructor(context: Context, idle: () => void) {
    this.#context = context;
    this.#idle = idle;
    this.#since = context.io.now();
    this.#timer = new Timer<SoftStop>(this, stop => stop.#sweep());
  }

  /** `soft`: as above; else everything ends at once, and who waits for a response is told so. */
  begin(soft: boolean): void {
    const context = this.#context;
    for (const frontend of context.frontends)
      for (const listener of frontend?.listeners ?? []) {
        if (!soft) for (const conn of listener.parked.splice(0)) conn.abort(false);
        for (const socket of listener.sockets.splice(0)) {
          this.#sockets++;
          socket.close(() => {
            this.#sockets--;
            this.look();
          });
        }
      }
    for (const backend of context.backends) for (const server of backend?.servers ?? []) server.pool.clear();
    if (!soft) for (const session of [...context.sessions]) endSession(session);
    this.#sweep();
  }

  /** Whether the connection is to end as soon as that is polite: at once, or at its place in `close-spread-time`. */
  isDue({ number }: Session): boolean {
    const { closeSpreadMs } = this.#context.model.global;
    return closeSpreadMs === 0 || ((number * GOLDEN) % 1) * closeSpreadMs <= this.#context.io.now() - this.#since;
  }

  /** Something ended: was it the last? */
  look(): void {
    const { sessions, lingering, wheel, frontends } = this.#context;
    if (this.#over || this.#sockets > 0 || sessions.size > 0 || lingering > 0) return;
    if (frontends.some(frontend => frontend?.listeners.some(({ parked }) => parked.length > 0))) return;
    this.#over = true;
    wheel.forget(this.#timer);
    this.#idle();
  }

  /** From time to time: connections that have become idle. */
  #sweep(): void {
    const context = this.#context;
    const now = context.io.now();
    for (const session of context.sessions) session.driver?.onStop(this.#before);
    this.#before = now - STOP_IDLE_MS;
    context.wheel.arm(this.#timer, now + STOP_LOOK_MS);
    this.look();
  }
}

function endSession(session: Session): void {
  const stream = streamOf(session);
  if (stream === null) session.conn.abort(false);
  else stream.kill(CAUSE.killed);
}
