/**
 * Algorithms that hash a key of the request: source, uri, url_param, hdr, rdp-cookie. The key's hash leads to a server through
 * a table (`hash-type map-based`) or a ring (`hash-type consistent`). As in HAProxy the server is kept even when it is
 * full, the request waits for it, unless `hash-preserve-affinity` says to go on; and without a key the backend's servers take turns.
 */
import { type Balancer, NONE, type Subject } from './balancer.ts';
import type { Farm } from './farm.ts';
import { nodeKey } from './node-key.ts';
import { Ring } from './ring.ts';
import type { RoundRobin } from './roundrobin.ts';
import { staticSchedule } from './static-rr.ts';

/** The hash of the subject's key, 0..2^32-1, or NO_KEY. */
export type Key = (subject: Subject) => number;
export const NO_KEY = -1;

/** `hash-type map-based`. */
export class MapBased implements Balancer {
  readonly #farm: Farm;
  readonly #key: Key;
  readonly #otherwise: RoundRobin;
  #map: Int32Array = new Int32Array(0);

  /** `otherwise` chooses when there is no key. */
  constructor(farm: Farm, key: Key, otherwise: RoundRobin) {
    this.#farm = farm;
    this.#key = key;
    this.#otherwise = otherwise;
  }

  pick(subject: Subject, avoid: number): number {
    if (this.#farm.changed()) this.#map = staticSchedule(this.#farm);
    const map = this.#map;
    if (map.length === 0) return NONE;
    const hash = this.#key(subject);
    if (hash === NO_KEY) return this.#otherwise.pick(subject, avoid);
    const place = hash % map.length;
    let last = NONE;
    for (let n = 0; n < map.length; n++) {
      const server = map[(place + n) % map.length]!;
      if (server === avoid) continue;
      if (!this.#farm.leaves(server)) return server;
      last = server;
    }
    return last === NONE ? avoid : last;
  }
}

/** `hash-type consistent`, with `hash-balance-factor`. */
export class Consistent implements Balancer {
  readonly #farm: Farm;
  readonly #key: Key;
  readonly #otherwise: RoundRobin;
  #ring: Ring | null = null;

  /** `otherwise` chooses when there is no key. */
  constructor(farm: Farm, key: Key, otherwise: RoundRobin) {
    this.#farm = farm;
    this.#key = key;
    this.#otherwise = otherwise;
  }

  pick(subject: Subject, avoid: number): number {
    const farm = this.#farm;
    if (farm.changed()) this.#ring = this.#makeRing();
    const ring = this.#ring;
    if (ring === null) return NONE;
    const hash = this.#key(subject);
    if (hash === NO_KEY) return this.#otherwise.pick(subject, avoid);
    const nearest = ring.nearest(hash);
    let last = NONE;
    for (let n = 0; n < ring.length; n++) {
      const server = ring.server(nearest + n);
      if (server === avoid || !farm.hasRoom(server)) continue;
      if (!farm.leaves(server)) return server;
      last = server;
    }
    return last === NONE ? ring.server(nearest) : last;
  }

  /** null when no server is usable. */
  #makeRing(): Ring | null {
    const { members, weights, proxy, unitsPerWeight } = this.#farm;
    if (members.length === 0) return null;
    const keys = members.map(server => nodeKey(proxy.servers[server]!, this.#farm.address(server)));
    return new Ring(members, keys, weights, unitsPerWeight);
  }
}
