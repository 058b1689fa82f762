/** A server whose address comes from name servers: which of the addresses it takes, and what becomes of it without one. */
import type { Naming } from '../config/server-model.ts';
import { LOG_NOTICE } from '../health/log.ts';
import { lookAgain } from '../health/operator.ts';
import { setResolved, setUnresolved } from '../health/state.ts';
import { subject } from '../health/state-texts.ts';
import { serverWord, setServerWord, type Target } from '../health/target.ts';
import { hostText, isNowhere } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { inNetwork } from '../proxy/networks.ts';
import { LiveAddress, writeAddress } from '../shm/server-address.ts';
import { ADMIN_NAMED, ADMIN_RESOLUTION_MAINT, SERVER } from '../shm/words.ts';
import type { ResolverEnv } from './env.ts';
import { holdMs, type Requester, type Resolution, type Section, type Status } from './resolution.ts';

/** Why a server is in maintenance, word for word as HAProxy's logs have it. */
const CAUSES: Readonly<Partial<Record<Status, string>>> = {
  nx: 'DNS NX status',
  timeout: 'DNS timeout status',
  refused: 'DNS refused status',
};
const NO_ADDRESS = 'No IP for server ';

/** How many servers of a backend are in each place. */
export class Taken {
  readonly #counts = new Map<string, number>();

  count(place: string): number {
    return this.#counts.get(place) ?? 0;
  }

  move(from: string | null, to: string | null): void {
    if (from === to) return;
    if (from !== null) this.#add(from, -1);
    if (to !== null) this.#add(to, 1);
  }

  #add(place: string, n: number): void {
    const count = this.count(place) + n;
    if (count > 0) this.#counts.set(place, count);
    else this.#counts.delete(place);
  }
}

export class NamedServer implements Requester {
  readonly target: Target;
  readonly naming: Naming;
  /** The host name that it has now; null = that of no record of its service. */
  name: string | null;
  /** What looks the name up; null = nothing does, its address came along with its service. */
  resolution: Resolution | null = null;
  readonly #env: ResolverEnv;
  readonly #section: Section;
  /** Where those of its backend are. */
  readonly #taken: Taken;
  #seat: string | null = null;
  readonly #live: LiveAddress;

  constructor(env: ResolverEnv, section: Section, target: Target, taken: Taken) {
    this.#env = env;
    this.#section = section;
    this.target = target;
    this.naming = target.server.naming!;
    this.name = target.server.hostname?.toLowerCase() ?? null;
    this.#taken = taken;
    this.#live = new LiveAddress(env.memory, target.number, target.server);
    this.#sitDown();
  }

  /** Where it is now; null = nowhere. */
  get address(): Address | null {
    const { address } = this.#live;
    return isNowhere(address) ? null : address;
  }

  /** The port, or the offset to that of the client. */
  get port(): number {
    return this.#live.relative ? this.#live.offset : this.#live.address.port;
  }

  isAt(address: Address, port: number): boolean {
    const now = this.address;
    return now !== null && port === this.port && hostText(now) === hostText(address);
  }

  /** Another port, wherever it is. */
  listenOn(port: number): void {
    if (port !== this.port) this.#write(this.address, port);
  }

  resolved(resolution: Resolution, by: string): boolean {
    const { address } = this;
    this.#sitDown();
    const chosen = this.#choose(resolution);
    if (chosen === null) {
      this.lose(NO_ADDRESS);
      return false;
    }
    const changed = this.move(chosen, this.port, by);
    if (!this.#isLost) return changed;
    this.settle();
    const text = `${subject(this.target)} administratively READY thanks to valid DNS answer.`;
    this.#env.log(LOG_NOTICE, this.target.proxy.index, text);
    return changed || address === null;
  }

  /** A valid answer that is not too old makes up for the failure (`hold`). */
  failed({ status, lastValidMs }: Resolution): void {
    if (this.#env.now() - lastValidMs < holdMs(this.#section.config, status)) return;
    this.lose(CAUSES[status] ?? 'unspecified DNS error');
  }

  /** Gives it an address; true when that is another one than before. `by` says in the log where it comes from. */
  move(to: Address, port: number, by: string): boolean {
    const { target } = this;
    const from = this.address;
    const sameHost = from !== null && hostText(from) === hostText(to);
    if (sameHost && port === this.port) return false;
    this.#write(to, port);
    if (sameHost) return false;
    const was = from === null ? '(none)' : hostText(from);
    const text = `${target.proxy.name}/${target.server.name} changed its IP from ${was} to ${hostText(to)} by ${by}.`;
    this.#env.log(LOG_NOTICE, target.proxy.index, text);
    return true;
  }

  /** Back from maintenance, if it was there for want of an address. */
  settle(): void {
    setResolved(this.#env, this.target, this.name!);
  }

  /** Into maintenance, and from now on nowhere. */
  lose(cause: string, port = this.port): void {
    if (!this.#isLost) setUnresolved(this.#env, this.target, cause);
    if (this.address !== null || port !== this.port) this.#write(null, port);
  }

  /** Another name than the configuration's: an operator's, or that of a service's record. */
  rename(name: string | null): void {
    this.name = name;
    const admin = serverWord(this.#env.memory, this.target, 'admin');
    setServerWord(this.#env.memory, this.target, 'admin', admin | ADMIN_NAMED);
    this.#sitDown();
  }

  get #isLost(): boolean {
    return (serverWord(this.#env.memory, this.target, 'admin') & ADMIN_RESOLUTION_MAINT) !== 0;
  }

  #write(to: Address | null, port: number): void {
    const { memory } = this.#env;
    const { relative } = this.#live;
    const { family, bytes } = to ?? { family: 1, bytes: NO_BYTES };
    const at = memory.server(this.target.number) + SERVER.at.addr;
    writeAddress(memory.words, at, { family, bytes, port, relative });
    this.#sitDown();
    lookAgain(this.#env, this.target);
  }

  /** The address that it has, if that is still one of them; else the one that fits best. Null when there is none for it. */
  #choose({ records, hosts }: Resolution): Address | null {
    const now = this.address;
    if (now !== null && hosts.has(hostText(now))) return now;
    let best: Address | null = null;
    let bestScore = -Infinity;
    for (const { address } of records) {
      const used = address === null ? 0 : this.#taken.count(this.#place(address));
      if (address === null || (used > 0 && !this.naming.allowDuplicates)) continue;
      const score = this.#preference(address) + 1 / (used + 1);
      if (score <= bestScore) continue;
      best = address;
      bestScore = score;
    }
    return best;
  }

  /** What two servers have in common that are in each other's way. Records of a service may differ by their ports only. */
  #place(address: Address): string {
    const port = this.naming.service === null ? '' : this.port;
    return `${this.name} ${port} ${hostText(address)}`;
  }

  /** Tells the others where it is: an operator may have moved it. */
  #sitDown(): void {
    const { address } = this;
    const place = address === null ? null : this.#place(address);
    this.#taken.move(this.#seat, place);
    this.#seat = place;
  }

  /** The family counts more than the network. */
  #preference(address: Address): number {
    const { prefer, networks } = this.naming;
    const near = networks.some(network => inNetwork(address, network.address, network.prefixBits));
    return (address.family === prefer ? 4 : 0) + (near ? 2 : 0);
  }
}

const NO_BYTES = new Uint8Array(0);
