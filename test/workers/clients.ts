/** Clients that ask for ever and notice every answer that is cut, wrong or missing. For reloads under load. */
import http from 'node:http';
import net from 'node:net';

/** What all clients together have seen. */
export interface Tally {
  connections: number;
  answers: number;
  readonly failures: string[];
}

export const newTally = (): Tally => ({ connections: 0, answers: 0, failures: [] });

/** Failures that are kept to be shown. */
const FAILURES_MAX = 100;

/** How a kind of client behaves. */
export interface Kind {
  readonly path: string;
  /** One request per connection. */
  readonly short: boolean;
  /** Milliseconds between an answer and the next request. */
  readonly pauseMs: number;
}

export const KEEP_ALIVE: Kind = { path: '/small', short: false, pauseMs: 0 };
export const SHORT: Kind = { path: '/small', short: true, pauseMs: 1 };
export const LONG: Kind = { path: '/slow', short: false, pauseMs: 0 };
/** Idle for longer than a worker that stops waits for the next request. */
export const LAZY: Kind = { path: '/small', short: false, pauseMs: 700 };

/** One client after the other on the same place, until `stop`. */
export class Client {
  readonly #port: number;
  readonly #kind: Kind;
  readonly #tally: Tally;
  readonly #ended = Promise.withResolvers<void>();
  #socket: net.Socket | null = null;
  #received = '';
  #body = 0;
  #asked = false;
  /** When the last answer came, and the last request went. */
  #answeredAt = 0;
  #askedAt = 0;
  #stopping = false;

  constructor(port: number, kind: Kind, tally: Tally) {
    this.#port = port;
    this.#kind = kind;
    this.#tally = tally;
    this.#connect();
  }

  /** Asks no more; resolves when the last answer is there. */
  stop(): Promise<void> {
    this.#stopping = true;
    if (!this.#asked) this.#end();
    return this.#ended.promise;
  }

  #end(): void {
    this.#socket?.destroy();
    this.#socket = null;
    this.#ended.resolve();
  }

  #connect(): void {
    const socket = net.connect(this.#port, '127.0.0.1');
    this.#socket = socket;
    this.#received = '';
    this.#body = -1;
    this.#answeredAt = 0;
    socket.setNoDelay();
    socket.on('connect', () => {
      this.#tally.connections++;
      this.#ask();
    });
    socket.on('data', bytes => this.#take(bytes.toString('latin1')));
    socket.on('error', error => this.#lost(socket, (error as NodeJS.ErrnoException).code ?? String(error)));
    socket.on('close', () => this.#lost(socket, 'closed'));
    this.#asked = true;
  }

  #ask(): void {
    this.#asked = true;
    this.#askedAt = Date.now();
    const { path, short } = this.#kind;
    this.#socket?.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n${short ? 'Connection: close\r\n' : ''}\r\n`);
  }

  #take(text: string): void {
    this.#received += text;
    if (this.#body < 0) {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!this.#received.startsWith('HTTP/1.1 200 ')) this.#fail(this.#received.slice(0, 40));
      this.#body = Number(/content-length: (\d+)/i.exec(this.#received)?.[1] ?? 0) + end + 4;
    }
    if (this.#received.length < this.#body) return;
    this.#answered(/^connection: close\r$/im.test(this.#received.slice(0, this.#received.indexOf('\r\n\r\n') + 2)));
  }

  #answered(last: boolean): void {
    this.#tally.answers++;
    this.#answeredAt = Date.now();
    this.#asked = false;
    this.#received = '';
    this.#body = -1;
    if (this.#stopping) {
      this.#end();
      return;
    }
    if (last || this.#kind.short) {
      this.#socket?.destroy();
      this.#socket = null;
    }
    setTimeout(() => this.#next(), this.#kind.pauseMs);
  }

  #next(): void {
    if (this.#stopping) this.#end();
    else if (this.#socket === null) this.#connect();
    else this.#ask();
  }

  /** The connection is gone: a failure if an answer was to come. */
  #lost(socket: net.Socket, why: string): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    if (!this.#asked) return;
    const idle =
      this.#answeredAt === 0 ? 'first request' : `asked ${this.#askedAt - this.#answeredAt} ms after an answer`;
    const { path, pauseMs } = this.#kind;
    this.#fail(
      `${path} (pause ${pauseMs}) ${why} after ${this.#received.length} bytes; ${idle}, ${Date.now() - this.#askedAt} ms ago`,
    );
    this.#asked = false;
    if (this.#stopping) this.#end();
    else this.#connect();
  }

  #fail(why: string): void {
    if (this.#tally.failures.length < FAILURES_MAX) this.#tally.failures.push(why);
  }
}

/** A server with a small answer and a slow one (256 KiB within `slowMs`). */
export async function startServer(slowMs: number): Promise<{ readonly port: number; readonly server: http.Server }> {
  const server = http.createServer((request, response) => {
    if (request.url !== '/slow') return void response.end('small');
    response.setHeader('Content-Length', PIECES * PIECE.length);
    let sent = 0;
    const next = () => {
      if (++sent === PIECES) response.end(PIECE);
      else {
        response.write(PIECE);
        setTimeout(next, slowMs / PIECES);
      }
    };
    next();
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as net.AddressInfo).port, server };
}

const PIECES = 16;
const PIECE = Buffer.alloc(16_384, 'x');
