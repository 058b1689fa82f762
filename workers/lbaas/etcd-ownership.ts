/**
 * Which controller runs which tree. A controller lives as long as its lease in etcd; a tree belongs to the host that its
 * owner's key names, and the key ends with the lease. A tree without owner is taken by the host that a hash of both prefers
 * among those that live, so that they share the trees and do not fight for each. A host that cannot keep its lease alive lets go
 * of its trees before the others may take them.
 */
import { createHash } from 'node:crypto';
import type { Health } from '../../engine/lbaas/health.ts';
import { every, monotonicMs } from '../../engine/time.ts';

import type { EtcdClient } from './etcd-client.ts';
import type { Log } from './log.ts';
import type { Ownership } from './ownership.ts';

/** Counters are told to the others this often; states when they change. */
const PUBLISH_MS = 10_000;

/** One of the controllers. */
export interface Member {
  readonly host: string;
  /** After so long without a word of it others take its trees. */
  readonly ttlSeconds: number;
  /** Called whenever its lease has been kept. */
  readonly alive: () => void;
}

export class EtcdOwnership implements Ownership {
  readonly #client: EtcdClient;
  readonly #log: Log;
  readonly #host: string;
  readonly #ttlSeconds: number;
  readonly #alive: () => void;
  readonly #keys: { readonly hosts: string; readonly owners: string; readonly health: string };
  readonly #hosts = new Set<string>();
  readonly #owners = new Map<string, string>();
  readonly #health = new Map<string, Health>();
  readonly #watchers: ((root: string) => void)[] = [];
  /** Trees whose key has our lease. */
  readonly #mine = new Set<string>();
  readonly #published = new Map<string, { readonly states: string; readonly ms: number }>();
  #roots: () => readonly string[] = () => [];
  #lease = '';
  /** When the lease was kept alive last, as of before the call. Milliseconds. */
  #aliveMs = 0;
  #timer: { cancel(): void } | null = null;
  #looking = false;
  #again = false;
  #stopped = false;

  constructor(client: EtcdClient, prefix: string, { host, ttlSeconds, alive }: Member, log: Log) {
    this.#client = client;
    this.#log = log;
    this.#host = host;
    this.#ttlSeconds = ttlSeconds;
    this.#alive = alive;
    this.#keys = { hosts: `${prefix}hosts/`, owners: `${prefix}owners/`, health: `${prefix}health/` };
  }

  owns(root: string): boolean {
    return this.#mine.has(root);
  }

  watch(heard: (root: string) => void): void {
    this.#watchers.push(heard);
  }

  healthOf(root: string): Health | null {
    return this.#health.get(root) ?? null;
  }

  hostOf(root: string): string | null {
    return this.#owners.get(root) ?? null;
  }

  hosts(): readonly string[] {
    return [...this.#hosts];
  }

  publish(root: string, health: Health): void {
    const before = this.#published.get(root);
    const states = JSON.stringify(health.members);
    const ms = monotonicMs();
    if (before !== undefined && before.states === states && ms - before.ms < PUBLISH_MS) return;
    this.#published.set(root, { states, ms });
    const operation = { key: this.#keys.health + root, value: JSON.stringify(health), lease: this.#lease };
    this.#client
      .transact([{ key: this.#keys.owners + root, value: this.#host }], [operation])
      .catch(error => this.#log('warning', (error as Error).message));
  }

  /** Takes a lease and the trees that are ours; goes on with both. @param roots all trees there are */
  async start(roots: () => readonly string[]): Promise<void> {
    this.#roots = roots;
    await this.#join();
    await this.#claimAll();
    this.#timer = every((this.#ttlSeconds * 1000) / 3, () => void this.#keepAlive());
  }

  /** The trees stay ours until the lease ends: a controller that starts again soon finds them. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** All keys are about to be told again. */
  forget(): void {
    this.#hosts.clear();
    this.#owners.clear();
    this.#health.clear();
  }

  /** A key below the prefix was put or, with null, deleted. */
  hear(key: string, value: string | null): void {
    const { hosts, owners, health } = this.#keys;
    if (key.startsWith(hosts)) {
      const host = key.slice(hosts.length);
      if (value === null) this.#hosts.delete(host);
      else this.#hosts.add(host);
      this.look();
    } else if (key.startsWith(owners)) this.#hearOwner(key.slice(owners.length), value);
    else if (key.startsWith(health)) {
      const root = key.slice(health.length);
      if (value === null) this.#health.delete(root);
      else this.#health.set(root, JSON.parse(value) as Health);
    }
  }

  #hearOwner(root: string, host: string | null): void {
    if (host === null) this.#owners.delete(root);
    else this.#owners.set(root, host);
    if (host !== this.#host && this.#mine.delete(root)) this.#tell(root);
    if (host === null) this.look();
  }

  /** Looks for trees without owner, soon. */
  look(): void {
    if (this.#timer === null || this.#stopped) return;
    this.#again = true;
    if (this.#looking) return;
    void this.#claimLoop();
  }

  async #claimLoop(): Promise<void> {
    this.#looking = true;
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        await this.#claimAll();
      }
    } catch (error) {
      this.#log('warning', (error as Error).message);
    }
    this.#looking = false;
  }

  async #claimAll(): Promise<void> {
    const there = new Set(this.#roots());
    for (const root of this.#mine) {
      if (!there.has(root)) await this.#letGo(root);
    }
    for (const root of there) if (!this.#mine.has(root)) await this.#claim(root);
  }

  /** A tree without owner that prefers us, or that was ours before we started again. */
  async #claim(root: string): Promise<void> {
    const owner = this.#owners.get(root);
    if (owner === undefined ? preferred(root, this.#hosts) !== this.#host : owner !== this.#host) return;
    const key = this.#keys.owners + root;
    const lease = this.#lease;
    const compare = owner === undefined ? ({ key, absent: true } as const) : ({ key, value: this.#host } as const);
    const taken = await this.#client.transact([compare], [{ key, value: this.#host, lease }]);
    if (taken === null || lease !== this.#lease) return;
    this.#owners.set(root, this.#host);
    this.#mine.add(root);
    this.#tell(root);
  }

  /** The tree is gone: so is what was kept about it. */
  async #letGo(root: string): Promise<void> {
    this.#mine.delete(root);
    this.#published.delete(root);
    const { owners, health } = this.#keys;
    await this.#client.transact(
      [{ key: owners + root, value: this.#host }],
      [owners, health].map(prefix => ({ key: prefix + root, value: null })),
    );
    this.#tell(root);
  }

  #tell(root: string): void {
    for (const heard of this.#watchers) heard(root);
  }

  async #join(): Promise<void> {
    const now = monotonicMs();
    this.#lease = await this.#client.grant(this.#ttlSeconds);
    this.#aliveMs = now;
    this.#alive();
    await this.#client.transact([], [{ key: this.#keys.hosts + this.#host, value: this.#host, lease: this.#lease }]);
    this.#hosts.add(this.#host);
  }

  async #keepAlive(): Promise<void> {
    const now = monotonicMs();
    try {
      if (this.#lease !== '' && (await this.#client.keepAlive(this.#lease))) {
        this.#aliveMs = now;
        this.#alive();
      } else {
        this.#loseAll('its lease in etcd has ended');
        await this.#join();
      }
      // Also for what could not be taken before.
      this.look();
    } catch (error) {
      this.#log('warning', (error as Error).message);
      // The lease may end before the next try: then another host has the trees.
      const left = this.#aliveMs + this.#ttlSeconds * 1000 - monotonicMs();
      if (left < (this.#ttlSeconds * 1000) / 3) this.#loseAll('etcd does not answer');
    }
  }

  #loseAll(why: string): void {
    this.#lease = '';
    if (this.#mine.size > 0) this.#log('error', `lets go of ${this.#mine.size} load balancers: ${why}`);
    const lost = [...this.#mine];
    this.#mine.clear();
    this.#published.clear();
    for (const root of lost) this.#tell(root);
  }
}

/** The host that a tree would go to: rendezvous hashing, so that few trees would move when a host comes or goes. */
function preferred(root: string, hosts: ReadonlySet<string>): string | null {
  let best: string | null = null;
  let most = '';
  for (const host of hosts) {
    const weight = createHash('sha1').update(`${root} ${host}`).digest('hex');
    if (best === null || weight > most) {
      best = host;
      most = weight;
    }
  }
  return best;
}
