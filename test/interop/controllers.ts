/** Stand-ins for what OpenStack's controllers run, each controller on a loopback address of its own. */
import http from 'node:http';
import net from 'node:net';

/** Where each service listens, as scripts/ha/examples/openstack.cfg has it. */
export const PORTS = { galera: 3306, clustercheck: 9200, rabbitmq: 5672, keystonePublic: 5000, keystoneAdmin: 35357 };
type Service = keyof typeof PORTS;

export class Controller {
  readonly name: string;
  readonly #address: string;
  readonly #servers = new Map<Service, net.Server>();
  readonly #sockets = new Map<net.Socket, Service>();
  /** What clustercheck says of the database. */
  synced = true;
  /** What keystone answers. */
  keystone = 200;

  constructor(name: string, address: string) {
    this.name = name;
    this.#address = address;
  }

  /** Those of `services` that do not run already. */
  async start(services = Object.keys(PORTS) as readonly Service[]): Promise<void> {
    for (const service of services) {
      if (this.#servers.has(service)) continue;
      const server = this.#make(service);
      server.on('connection', (socket: net.Socket) => {
        this.#sockets.set(
          socket.on('error', () => {}),
          service,
        );
        socket.once('close', () => this.#sockets.delete(socket));
      });
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(PORTS[service], this.#address, resolve);
      });
      this.#servers.set(service, server);
    }
  }

  /** As if they had crashed: nobody listens, connections are reset. */
  async stop(services = Object.keys(PORTS) as readonly Service[]): Promise<void> {
    for (const service of services) {
      const server = this.#servers.get(service);
      if (!this.#servers.delete(service)) continue;
      const closed = new Promise(resolve => server!.close(resolve));
      for (const [socket, of] of this.#sockets) if (of === service) socket.resetAndDestroy();
      await closed;
    }
  }

  #make(service: Service): net.Server {
    // A database and a message broker speak first; or nearly.
    if (service === 'galera' || service === 'rabbitmq') return net.createServer(socket => socket.write(this.name));
    return http.createServer((_request, response) => {
      const [code, text] =
        service !== 'clustercheck'
          ? [this.keystone, this.name]
          : this.synced
            ? [200, 'Galera Cluster Node is synced.\n']
            : [503, 'Galera Cluster Node is not synced.\n'];
      response.writeHead(code, { connection: 'close', 'content-type': 'text/plain' }).end(text);
    });
  }
}

/** A client of a database or a broker: who greeted it, and whether the connection is open. */
export class Session {
  greeting = '';
  open = true;
  readonly #socket: net.Socket;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('data', bytes => (this.greeting += bytes));
    socket.on('error', () => {});
    socket.once('close', () => (this.open = false));
  }

  /** Resolves when it was greeted, or when the connection ended without. */
  static async start(address: string, service: Service): Promise<Session> {
    const session = new Session(net.connect(PORTS[service], address));
    while (session.open && session.greeting === '') await new Promise(resolve => setTimeout(resolve, 5));
    return session;
  }

  end(): void {
    this.#socket.destroy();
  }
}
