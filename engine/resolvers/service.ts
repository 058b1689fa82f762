/**
 * SRV records and the servers that live by them: each record has a server of its own, as long as there are servers
 * (manual 5.3.1). A record is a host and a port; another port is another record.
 */
import { LOG_NOTICE } from '../health/log.ts';
import { setWeight } from '../health/state.ts';
import { serverWord } from '../health/target.ts';
import type { ResolverEnv } from './env.ts';
import type { NamedServer } from './named-server.ts';
import type { ServiceRecord } from './packet.ts';
import { holdMs, type Requester, type Resolution, type Section } from './resolution.ts';

const REMOVED = 'entry removed from SRV record';
const BY_ADDITIONAL = 'DNS additional record';
/** Weights of records are 16 bits, those of servers end at 256. */
const WEIGHT_UNIT = 256;

export class Service implements Requester {
  readonly servers: NamedServer[] = [];
  readonly #env: ResolverEnv;
  readonly #section: Section;
  /** Has the host of a server looked up, or no more. */
  readonly #lookUp: (server: NamedServer, name: string | null) => void;
  readonly #records = new Map<NamedServer, string>();

  constructor(env: ResolverEnv, section: Section, lookUp: (server: NamedServer, name: string | null) => void) {
    this.#env = env;
    this.#section = section;
    this.#lookUp = lookUp;
  }

  resolved({ records }: Resolution): boolean {
    const services = new Map(records.flatMap(r => ('host' in r ? [[keyOf(r), r] as const] : [])));
    for (const [server, key] of this.#records) if (!services.has(key)) this.#release(server);
    const held = new Map(Array.from(this.#records, ([server, key]) => [key, server]));
    const free = new Set(this.servers.filter(server => !this.#records.has(server)));
    let changed = false;
    for (const [key, record] of services) {
      const server = held.get(key) ?? this.#place(record, free);
      if (server !== null) changed = this.#follow(server, record) || changed;
    }
    return changed;
  }

  failed({ status, lastValidMs }: Resolution): void {
    if (this.#env.now() - lastValidMs < holdMs(this.#section.config, status)) return;
    for (const server of [...this.#records.keys()]) this.#release(server);
  }

  remove(server: NamedServer): void {
    this.#records.delete(server);
    this.servers.splice(this.servers.indexOf(server), 1);
  }

  /** A free server for a record: the one that is there already, from before a restart of this thread, else the first. */
  #place(record: ServiceRecord, free: Set<NamedServer>): NamedServer | null {
    const { host, port, address } = record;
    let server: NamedServer | null = null;
    for (const candidate of free) {
      server ??= candidate;
      if (address === null || !candidate.isAt(address, port)) continue;
      server = candidate;
      break;
    }
    if (server === null) return null;
    free.delete(server);
    this.#records.set(server, keyOf(record));
    if (server.name === host.toLowerCase()) return server;
    const { proxy, server: config } = server.target;
    const text = `${proxy.name}/${config.name} changed its FQDN from ${server.name ?? '(null)'} to ${host} by 'SRV record'`;
    this.#env.log(LOG_NOTICE, proxy.index, text);
    server.rename(host);
    return server;
  }

  /** Brings the server in line with its record; true when its address is another one now. */
  #follow(server: NamedServer, { host, port, weight, address }: ServiceRecord): boolean {
    const { target, naming } = server;
    const wanted = Math.ceil(weight / WEIGHT_UNIT);
    if (!naming.ignoreWeight && serverWord(this.#env.memory, target, 'uweight') !== wanted) {
      setWeight(this.#env, target, wanted);
    }
    if (address === null) {
      server.listenOn(port);
      this.#lookUp(server, host);
      return false;
    }
    this.#lookUp(server, null);
    const changed = server.move(address, port, BY_ADDITIONAL);
    server.settle();
    return changed;
  }

  #release(server: NamedServer): void {
    this.#records.delete(server);
    this.#lookUp(server, null);
    server.lose(REMOVED, 0);
    server.rename(null);
  }
}

function keyOf({ host, port }: ServiceRecord): string {
  return `${host}:${port}`;
}
