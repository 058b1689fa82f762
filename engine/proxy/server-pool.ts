/**
 * Idle connections to one server, kept by one worker for `http-reuse` (manual 4.2).
 *
 *   put ──► [oldest ... newest] ──► take        the newest first: it is the least likely to have been closed
 *              └── purged: every pool-purge-delay half of those that were not needed since the last time
 *
 * `never` and the first requests of `safe` sessions do not take from here: with `never` a connection stays with its
 * session (own-connections.ts).
 */
import { CUR_IDLE, CUR_USED } from '../shm/counters.ts';
import { Timer } from '../time.ts';
import type { Http1Server } from './http1-server.ts';
import type { Server } from './nouns.ts';
import { closeOneOwned, keepOwn, takeOwn } from './own-connections.ts';
import type { Session } from './session.ts';
import type { Stream } from './stream.ts';
import { isDown } from './usable.ts';

export class ServerPool {
  readonly #server: Server;
  readonly #idle: Http1Server[] = [];
  readonly #timer: Timer<ServerPool>;
  /** The fewest idle connections since the last purge: that many were not needed. */
  #unneeded = 0;
  /** The server's address that the idle connections go to. */
  #version: number;
  /** Most connections in use at once: since the last purge, and as it has been lately. */
  #mostUsed = 0;
  #needed = 0;

  constructor(server: Server) {
    this.#server = server;
    this.#version = server.live.version;
    this.#timer = new Timer<ServerPool>(this, pool => pool.#purge());
  }

  /** A connection for the stream, or null when it must have its own. `key`: see `poolKey`. */
  take(stream: Stream, key: string): Http1Server | null {
    this.leaveOldAddress();
    const { httpReuse } = this.#server.backend.proxy;
    const own = takeOwn(stream.session, this.#server, this.#version, key);
    if (own !== null && !stream.mustOpen) return own;
    own?.close();
    const shared = httpReuse !== 'never' && this.#server.config.sendProxy === 0;
    if (!shared || stream.mustOpen || this.#idle.length === 0) return null;
    if (stream.first && httpReuse === 'safe') return null;
    const at = this.#newest(key);
    if (at < 0) return null;
    const side = this.#idle[at]!;
    if (stream.first && httpReuse === 'aggressive' && side.exchanges < 2) return null;
    if (at === this.#idle.length - 1) this.#idle.pop();
    else this.#idle.splice(at, 1);
    count(this.#server, CUR_IDLE, -1);
    this.#unneeded = Math.min(this.#unneeded, this.#idle.length);
    return side;
  }

  /** A server may show another certificate, and be another site, for another name, or client. */
  #newest(key: string): number {
    const idle = this.#idle;
    let at = idle.length - 1;
    while (at >= 0 && idle[at]!.key !== key) at--;
    return at;
  }

  /** Keeps a connection that has just become idle, if there is room for it. */
  put(side: Http1Server, session: Session): void {
    const { config, backend } = this.#server;
    this.leaveOldAddress();
    // A server that is down, perhaps to be deleted, is to have no connections; that of another destination is of no use.
    if (
      backend.context.stopping !== null ||
      this.#server.live.anywhere ||
      side.version !== this.#version ||
      isDown(this.#server) ||
      (config.maxReuse >= 0 && side.exchanges > config.maxReuse) ||
      this.#server.room?.keeps() === false
    ) {
      side.close();
    } else if (backend.proxy.httpReuse === 'never' || config.sendProxy !== 0) {
      keepOwn(session, side);
    } else if (config.poolPurgeDelayMs === 0 || this.#isFull() || !this.#wanted()) {
      side.close();
    } else {
      side.idleSince = backend.context.io.now();
      this.#idle.push(side);
      count(this.#server, CUR_IDLE, 1);
      if (!this.#timer.armed) backend.context.wheel.arm(this.#timer, side.idleSince + config.poolPurgeDelayMs);
    }
  }

  /** A connection was taken into use. */
  used(): void {
    const { backend, row } = this.#server;
    this.#mostUsed = Math.max(this.#mostUsed, backend.context.counters[row + CUR_USED]!);
    this.#needed = Math.max(this.#needed, this.#mostUsed);
  }

  /** Closes one idle connection, that of a session if there is no other. False when there is none. */
  closeOne(): boolean {
    const side = this.#idle.shift();
    if (side === undefined) return closeOneOwned(this.#server);
    count(this.#server, CUR_IDLE, -1);
    side.close();
    return true;
  }

  /** `pool-max-conn`, over all workers. */
  #isFull(): boolean {
    const { config, backend, number } = this.#server;
    return config.poolMaxConn >= 0 && backend.context.memory.sum('server', number, CUR_IDLE) >= config.poolMaxConn;
  }

  /** Whether one more idle connection may be of use: one always, else no more in all than were lately in use at once. */
  #wanted(): boolean {
    const { backend, row, config } = this.#server;
    const used = backend.context.counters[row + CUR_USED]! + 1;
    const idle = this.#idle.length;
    return idle === 0 || used + idle <= Math.max(used, this.#needed) + config.poolLowConn;
  }

  /** The server closed an idle connection. */
  remove(side: Http1Server): void {
    const at = this.#idle.lastIndexOf(side);
    if (at < 0) return;
    this.#idle.splice(at, 1);
    count(this.#server, CUR_IDLE, -1);
    this.#unneeded = Math.min(this.#unneeded, this.#idle.length);
  }

  /** Idle connections to an address that is not the server's any more are of no use. */
  leaveOldAddress(): void {
    const { version } = this.#server.live;
    if (version === this.#version) return;
    this.#version = version;
    this.clear();
  }

  /** Closes all idle connections (the server went down, soft stop). */
  clear(): void {
    for (const side of this.#idle.splice(0)) {
      count(this.#server, CUR_IDLE, -1);
      side.close();
    }
  }

  #purge(): void {
    const { config, backend } = this.#server;
    const spare = Math.min(Math.ceil(this.#unneeded / 2), this.#idle.length - config.poolLowConn);
    if (spare > 0) {
      for (const side of this.#idle.splice(0, spare)) {
        count(this.#server, CUR_IDLE, -1);
        side.close();
      }
    }
    this.#unneeded = this.#idle.length;
    this.#needed = Math.ceil((this.#needed + this.#mostUsed) / 2);
    this.#mostUsed = backend.context.counters[this.#server.row + CUR_USED]!;
    if (this.#idle.length > 0) {
      backend.context.wheel.arm(this.#timer, backend.context.io.now() + config.poolPurgeDelayMs);
    }
  }
}

function count(server: Server, counter: number, n: number): void {
  server.backend.context.counters[server.row + counter]! += n;
}
