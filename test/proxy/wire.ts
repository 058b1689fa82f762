/** Clients and servers of plain bytes, to see exactly what is on the wire. */
import { once } from 'node:events';
import { untilEnd } from './ending.ts';
import { network, type Served, type Socket, settle, until } from './network.ts';

/** A connection that gathers what it receives. */
export class Wire {
  readonly socket: Socket;
  received = '';
  ended = false;
  closed = false;
  error: NodeJS.ErrnoException | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', data => this.#note(() => (this.received += data)));
    socket.on('end', () => this.#note(() => (this.ended = true)));
    socket.on('close', () => this.#note(() => (this.closed = true)));
    socket.on('error', error => this.#note(() => (this.error = error)));
  }

  #note(change: () => void): void {
    change();
    network().wake();
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** Waits until `ready` holds; after `ms` throws what was received. */
  async until(ready: (wire: Wire) => boolean, ms = 5000): Promise<this> {
    if (await network().wait(() => ready(this), ms)) return this;
    throw new Error(`waited in vain; received ${JSON.stringify(this.received)}, ended ${this.ended}`);
  }

  has(text: string): Promise<this> {
    return this.until(w => w.received.includes(text));
  }

  end(): Promise<this> {
    return this.until(w => w.ended || w.closed);
  }

  /** With a reset: nobody waits for an answer any more. */
  stop(): void {
    if (!this.closed) this.socket.resetAndDestroy();
  }

  /** Gives what was received and forgets it. */
  take(): string {
    const text = this.received;
    this.received = '';
    return text;
  }
}

/** A client until the test ends. Not for tests that run at the same time: any of them may be the one that ends. */
export async function connect(port: number): Promise<Wire> {
  return untilEnd(await dial(port));
}

/** A client that its caller ends. */
export async function dial(port: number): Promise<Wire> {
  const socket = network().connect(port, true);
  const wire = new Wire(socket);
  await settle(once(socket, 'connect'));
  return wire;
}

/** Sends `request`, waits for the end of the connection, returns what came. */
export async function ask(port: number, request: string): Promise<string> {
  const wire = await connect(port);
  wire.send(request);
  await wire.end();
  wire.socket.destroy();
  return wire.received;
}

/** A server whose connections a test drives by hand, or that answers each request head with `answer`. */
export class WireServer {
  port = 0;
  readonly conns: Wire[] = [];
  /** Hears of each new connection. */
  onConn: (wire: Wire) => void = () => {};
  #served: Served | null = null;

  static async start(answer?: (request: string, wire: Wire, n: number) => string | null): Promise<WireServer> {
    const made = new WireServer();
    const served = await network().serve(true, socket => {
      const wire = new Wire(socket);
      made.conns.push(wire);
      made.onConn(wire);
      if (answer !== undefined) serve(wire, answer);
      network().wake();
    });
    made.#served = served;
    made.port = served.port;
    return made;
  }

  /** The n-th connection, once it is there. */
  async conn(n = 0): Promise<Wire> {
    await until(() => this.conns.length > n);
    return this.conns[n]!;
  }

  stop(): void {
    this.#served?.close();
    for (const wire of this.conns) wire.socket.destroy();
  }
}

/** Answers each complete request head (payloads are not looked at); null = say nothing. */
function serve(wire: Wire, answer: (request: string, wire: Wire, n: number) => string | null): void {
  let n = 0;
  wire.socket.on('data', () => {
    for (let at = wire.received.indexOf('\r\n\r\n'); at >= 0; at = wire.received.indexOf('\r\n\r\n')) {
      const head = wire.received.slice(0, at + 4);
      wire.received = wire.received.slice(at + 4);
      const text = answer(head, wire, n++);
      if (text !== null) wire.send(text);
    }
  });
  wire.socket.on('end', () => wire.socket.end());
}

/** A small 200 response. */
export function ok(body = 'ok', headers = ''): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`;
}
