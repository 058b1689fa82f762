/**
 * Names at run time (manual 5.3), in the control thread: asks the name servers of the `resolvers` sections, moves servers
 * to the addresses that come, and answers `do-resolve`.
 *
 *   server line ──► NamedServer ──┐                    ┌── Nameserver ── UDP, TCP
 *   SRV name ─────► Service ──────┼──► Resolution ─────┤
 *   do-resolve ───────────────────┘   (one per name)   └── Nameserver
 */
import type { Resolvers as ResolversConfig } from '../config/server-model.ts';
import { type Target, targetOf } from '../health/target.ts';
import type { Address } from '../io/contract.ts';
import { ASKED_NAMES_MAX, ASKED_WAITING_MAX, NAME_BURST, NAME_SPACING_MS } from '../limits.ts';
import type { ResolverEnv } from './env.ts';
import { NamedServer, Taken } from './named-server.ts';
import { Nameserver } from './nameserver.ts';
import { type QueryType, queryName } from './packet.ts';
import { BY_CACHE, type Requester, Resolution } from './resolution.ts';
import { Service } from './service.ts';

export type { ResolverEnv } from './env.ts';
export { COUNTERS, type Counter } from './nameserver.ts';

/** Where a server's address comes from, for `show servers state`. */
export interface Origin {
  readonly name: string | null;
  readonly service: string | null;
}

export interface Names {
  /** For statistics: what is counted, in the order of the configuration. */
  readonly sections: readonly { readonly config: ResolversConfig; readonly nameservers: readonly Nameserver[] }[];
  /** The name of a server that has one, as it is now. */
  originOf(target: Target): Origin;
  /** `set server fqdn`: looks another name up for it from now on. Or why not. */
  rename(target: Target, name: string): 'renamed' | 'same' | 'not resolved' | 'a service' | 'bad name';
  /** The server does not answer where it is: perhaps it has moved. */
  suspect(target: Target): void;
  remove(target: Target): void;
  /** `do-resolve`: calls `done` at once or later with an address, or with null. */
  lookUp(section: number, name: string, prefer: 4 | 6, done: (address: Address | null) => void): void;
  clearCounters(): void;
  stop(): void;
}

class NameSection {
  readonly config: ResolversConfig;
  readonly nameservers: readonly Nameserver[];
  readonly #env: ResolverEnv;
  readonly #resolutions = new Map<string, Resolution>();
  #waiting = 0;
  /** When the next name may be asked for that servers live by. */
  #nextStart = -Infinity;

  /** @param first number of its first name server */
  constructor(env: ResolverEnv, config: ResolversConfig, first: number) {
    this.#env = env;
    this.config = config;
    this.nameservers = config.nameservers.map(
      (server, i) => new Nameserver(env, server, config.payloadBytes, first + i),
    );
  }

  types(kind: 4 | 6 | 'service'): readonly QueryType[] {
    if (kind === 'service') return ['SRV'];
    const { dnsAcceptFamily } = this.#env.model.global;
    if (dnsAcceptFamily === 'ipv6') return ['AAAA'];
    if (dnsAcceptFamily === 'ipv4' || (dnsAcceptFamily === 'auto' && !this.#env.hasIpv6())) return ['A'];
    return kind === 6 ? ['AAAA', 'A'] : ['A', 'AAAA'];
  }

  /** The resolution of a name, from now on one of `requester`. */
  join(name: string, kind: 4 | 6 | 'service', requester: Requester): Resolution {
    const resolution = this.#resolutions.get(`${kind} ${name}`) ?? this.#make(name, kind);
    resolution.requesters.add(requester);
    return resolution;
  }

  /** Asks for a name at last: a few at once, the others soon, so that no name server drowns in them. */
  begin(resolution: Resolution): void {
    const now = this.#env.now();
    this.#nextStart = Math.max(this.#nextStart, now - NAME_BURST * NAME_SPACING_MS) + NAME_SPACING_MS;
    if (this.#nextStart <= now) resolution.start();
    else resolution.startAfter(this.#nextStart - now);
  }

  leave(resolution: Resolution, requester: Requester): void {
    resolution.requesters.delete(requester);
    if (resolution.idle) this.#drop(resolution);
  }

  /** The address of a name, out of what is known or by asking. Null too when too much is asked already. */
  lookUp(name: string, prefer: 4 | 6, done: (address: Address | null) => void) {
    const known = this.#resolutions.get(`${prefer} ${name}`);
    if (known?.fresh) return done(oneOf(known));
    if (this.#waiting >= ASKED_WAITING_MAX || (known === undefined && !this.#makeRoom())) return done(null);
    const resolution = known ?? this.#make(name, prefer);
    this.#waiting++;
    resolution.once(() => {
      this.#waiting--;
      done(resolution.status === 'valid' ? oneOf(resolution) : null);
    });
  }

  stop(): void {
    for (const resolution of this.#resolutions.values()) resolution.stop();
    for (const server of this.nameservers) server.stop();
  }

  #make(name: string, kind: 4 | 6 | 'service'): Resolution {
    const resolution = new Resolution(this.#env, this, name, kind);
    this.#resolutions.set(`${kind} ${name}`, resolution);
    return resolution;
  }

  #drop(resolution: Resolution): void {
    resolution.stop();
    this.#resolutions.delete(`${resolution.kind} ${resolution.name}`);
  }

  /** Room for a name that a rule asks for: the oldest that nobody needs goes. */
  #makeRoom(): boolean {
    if (this.#resolutions.size < ASKED_NAMES_MAX) return true;
    for (const resolution of this.#resolutions.values()) {
      if (!resolution.idle) continue;
      this.#drop(resolution);
      return true;
    }
    return false;
  }
}

/** The addresses take turns. */
function oneOf(resolution: Resolution): Address | null {
  const { records } = resolution;
  const record = records[resolution.turn++ % records.length];
  return record?.address ?? null;
}

class RunningNames implements Names {
  readonly sections: readonly NameSection[];
  readonly #servers = new Map<Target['server'], NamedServer>();
  readonly #services = new Map<string, { readonly service: Service; readonly resolution: Resolution }>();

  constructor(env: ResolverEnv) {
    let first = 0;
    this.sections = env.model.resolvers.map(config => {
      const section = new NameSection(env, config, first);
      first += config.nameservers.length;
      return section;
    });
    for (const proxy of env.model.proxies) {
      if (proxy.disabled) continue;
      const taken = new Taken();
      for (const server of proxy.servers) {
        if (server.naming && !server.removed) this.#add(env, targetOf(env, proxy, server), taken);
      }
    }
  }

  #add(env: ResolverEnv, target: Target, taken: Taken): void {
    const naming = target.server.naming!;
    const section = this.sections[naming.resolvers]!;
    const server = new NamedServer(env, section, target, taken);
    this.#servers.set(target.server, server);
    if (naming.service === null) this.#follow(server, server.name);
    else
      this.#serviceOf(env, section, `${target.proxy.index} ${naming.resolvers}`, naming.service).servers.push(server);
  }

  /** One per backend: the servers of two backends do not share the records. */
  #serviceOf(env: ResolverEnv, section: NameSection, backend: string, name: string): Service {
    const key = `${backend} ${name}`;
    const known = this.#services.get(key);
    if (known !== undefined) return known.service;
    const service = new Service(env, section, (server, host) => this.#follow(server, host));
    const resolution = section.join(name.toLowerCase(), 'service', service);
    this.#services.set(key, { service, resolution });
    section.begin(resolution);
    return service;
  }

  /** From now on the server goes where `name` leads; null = nowhere by itself. */
  #follow(server: NamedServer, name: string | null): void {
    const section = this.sections[server.naming.resolvers]!;
    const old = server.resolution;
    if (old?.name === name || (old === null && name === null)) return;
    server.resolution = null;
    if (old !== null) section.leave(old, server);
    if (name === null) return;
    server.resolution = section.join(name, server.naming.prefer, server);
    if (server.resolution.status === 'valid') server.resolved(server.resolution, BY_CACHE);
    else section.begin(server.resolution);
  }

  originOf({ server }: Target): Origin {
    const named = this.#servers.get(server);
    return { name: named === undefined ? server.hostname : named.name, service: server.naming?.service ?? null };
  }

  rename({ server }: Target, text: string): ReturnType<Names['rename']> {
    const named = this.#servers.get(server);
    if (named === undefined) return 'not resolved';
    if (named.naming.service !== null) return 'a service';
    const name = queryName(text);
    if (name === null) return 'bad name';
    if (name === named.name) return 'same';
    named.rename(name);
    this.#follow(named, name);
    return 'renamed';
  }

  suspect({ server }: Target): void {
    this.#servers.get(server)?.resolution?.start();
  }

  remove({ server }: Target): void {
    const named = this.#servers.get(server);
    if (named === undefined) return;
    this.#follow(named, null);
    for (const { service } of this.#services.values()) if (service.servers.includes(named)) service.remove(named);
    this.#servers.delete(server);
  }

  lookUp(section: number, text: string, prefer: 4 | 6, done: (address: Address | null) => void): void {
    const name = queryName(text);
    if (name === null) done(null);
    else this.sections[section]!.lookUp(name, prefer, done);
  }

  clearCounters(): void {
    for (const { nameservers } of this.sections) for (const server of nameservers) server.clear();
  }

  stop(): void {
    for (const section of this.sections) section.stop();
  }
}

/** Begins to ask. Nothing is done, and no socket opened, where no server has a name to be resolved. */
export function startNames(env: ResolverEnv): Names {
  return new RunningNames(env);
}
