/** Clients and servers of plain bytes, to see exactly what is on the wire. */
import { once } from 'node:events';
import net from 'node:net';

/** A connection that gathers what it receives. */
export class Wire {
  readonly socket: net.Socket;
  received = '';
  ended = false;
  closed = false;
  error: NodeJS.ErrnoException | null = null;
  #wake: (() => void)[] = [];

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', data => this.#note(() => (this.received += data)));
    socket.on('end', () => this.#note(() => (this.ended = true)));
    socket.on('close', () => this.#note(() => (this.closed = true)));
    socket.on('error', error => this.#note(() => (this.error = error)));
  }

  #note(change: () => void): void {
    change();
    for (const wake of this.#wake.splice(0)) wake();
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** Waits until `ready` holds; after `ms` throws what was received. */
  async until(ready: (wire: Wire) => boolean, ms = 5000): Promise<this> {
    const deadline = Date.now() + ms;
    while (!ready(this)) {
      if (Date.now() > deadline) {
        throw new Error(`waited in vain; received ${JSON.stringify(this.received)}, ended ${this.ended}`);
      }
      // What is waited for may also happen elsewhere: look again soon.
      const timer = setTimeout(() => this.#note(() => {}), 10);
      await new Promise<void>(resolve => this.#wake.push(resolve));
      clearTimeout(timer);
    }
    return this;
  }

  has(text: string): Promise<this> {
    return this.until(w => w.received.includes(text));
  }

  end(): Promise<this> {
    return this.until(w => w.ended || w.closed);
  }

  /** Gives what was received and forgets it. */
  take(): string {
    const text = this.received;
    this.received = '';
    return text;
  }
}

export async function connect(port: number): Promise<Wire> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const wire = new Wire(socket);
  await once(socket, 'connect');
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
  readonly port: number;
  readonly conns: Wire[] = [];
  /** Hears of each new connection. */
  onConn: (wire: Wire) => void = () => {};
  readonly #server: net.Server;
  #wake: (() => void)[] = [];

  private constructor(server: net.Server) {
    this.#server = server;
    this.port = (server.address() as net.AddressInfo).port;
    server.on('connection', socket => {
      const wire = new Wire(socket);
      this.conns.push(wire);
      this.onConn(wire);
      for (const wake of this.#wake.splice(0)) wake();
    });
  }

  static async start(answer?: (request: string, wire: Wire, n: number) => string | null): Promise<WireServer> {
    const server = net.createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const made = new WireServer(server);
    if (answer !== undefined) server.on('connection', () => serve(made.conns[made.conns.length - 1]!, answer));
    return made;
  }

  /** The n-th connection, once it is there. */
  async conn(n = 0): Promise<Wire> {
    while (this.conns.length <= n) await new Promise<void>(resolve => this.#wake.push(resolve));
    return this.conns[n]!;
  }

  stop(): void {
    this.#server.close();
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
