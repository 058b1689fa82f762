/** A backend and its shared memory, as small as balancing needs them; and subjects made of plain requests. */
import type { Slice, Subject } from '../../engine/balance/balancer.ts';
import { createBalancer } from '../../engine/balance/index.ts';
import type { Balance, HashType, Proxy } from '../../engine/config/proxy-model.ts';
import type { HashKey, Server } from '../../engine/config/server-model.ts';
import { nowhere } from '../../engine/io/address.ts';
import type { Address } from '../../engine/io/contract.ts';
import { Memory, type Topology } from '../../engine/shm/memory.ts';
import { PROXY, SERVER } from '../../engine/shm/words.ts';

export interface ServerSpec {
  readonly weight?: number;
  readonly id?: number;
  readonly backup?: boolean;
  /** In maintenance from the start. */
  readonly disabled?: boolean;
  readonly maxconn?: number;
  readonly minconn?: number;
  readonly maxqueue?: number;
  readonly hashKey?: HashKey;
  readonly guid?: string;
  readonly address?: Address;
}

export interface FarmSpec {
  readonly balance: Partial<Balance> & Pick<Balance, 'algorithm'>;
  readonly hash?: Partial<HashType>;
  readonly servers: readonly ServerSpec[];
  readonly allbackups?: boolean;
  readonly fullconn?: number;
}

/** What a client sends. Without `payload` it is an HTTP request. */
export interface Request {
  /** IPv4 or IPv6 in text. */
  readonly source?: string;
  readonly method?: string;
  readonly uri?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
  /** Raw bytes, one character each, of a TCP client. */
  readonly payload?: string;
  /** The value of the expression of `balance hash`. */
  readonly hashed?: string;
}

export function proxyOf(spec: FarmSpec): Proxy {
  const balance: Balance = {
    name: '',
    expression: null,
    converters: [],
    lenBytes: 0,
    depth: 0,
    whole: false,
    pathOnly: false,
    domainOnly: false,
    checkPostBytes: 0,
    draws: 2,
    ...spec.balance,
  };
  const plain = { method: 'map-based', fn: 'sdbm', avalanche: false, balanceFactor: 0, affinity: 'always' } as const;
  const hash: HashType = { ...plain, ...spec.hash };
  const servers = spec.servers.map((server, index) => ({
    index,
    name: `s${index + 1}`,
    id: server.id ?? index + 1,
    weight: server.weight ?? 1,
    backup: server.backup ?? false,
    maxconn: server.maxconn ?? 0,
    minconn: server.minconn ?? 0,
    maxqueue: server.maxqueue ?? 0,
    hashKey: server.hashKey ?? 'id',
    guid: server.guid ?? null,
    address: server.address ?? nowhere(0),
  }));
  const options = { allbackups: spec.allbackups ?? false };
  // Only the members that balancing reads.
  return {
    index: 0,
    name: 'farm',
    balance,
    hash,
    options,
    fullconn: spec.fullconn ?? 0,
    servers: servers as unknown as Server[],
  } as unknown as Proxy;
}

/** The shared words of one backend, and as many balancers over them as there are workers. */
export class TestFarm {
  readonly proxy: Proxy;
  readonly memory: Memory;
  readonly #topology: Topology;

  constructor(spec: FarmSpec) {
    this.proxy = proxyOf(spec);
    const servers = spec.servers.length;
    this.memory = Memory.create({ workers: 1, proxies: 1, listeners: 0, servers, rings: 0, nameservers: 0, ports: 0 });
    this.#topology = { firstListener: new Int32Array(2), firstServer: Int32Array.of(0, servers) };
    spec.servers.forEach((server, i) => {
      this.set(i, 'eweight', server.disabled ? 0 : (server.weight ?? 1));
      this.set(i, 'maxconn', server.maxconn ?? 0);
    });
  }

  balancer(seed = 1) {
    return createBalancer(this.memory, this.#topology, this.proxy, seed);
  }

  set(server: number, word: keyof typeof SERVER.at, value: number): void {
    this.memory.words[this.memory.server(server) + SERVER.at[word]] = value;
  }

  setProxy(word: keyof typeof PROXY.at, value: number): void {
    this.memory.words[this.memory.proxy(0) + PROXY.at[word]] = value;
  }

  /** Changes a weight (0 = out of use) as the control worker does: the word, then the generation. */
  weigh(server: number, weight: number): void {
    this.set(server, 'eweight', weight);
    Atomics.add(this.memory.words, this.memory.proxy(0) + PROXY.at.generation, 1);
  }

  /** A stream goes to `server`, or leaves it (-1). */
  serve(server: number, streams = 1): void {
    Atomics.add(this.memory.words, this.memory.server(server) + SERVER.at.served, streams);
    Atomics.add(this.memory.words, this.memory.proxy(0) + PROXY.at.be_served, streams);
    Atomics.add(this.memory.words, this.memory.proxy(0) + PROXY.at.be_sess, streams);
  }
}

export function subjectOf(request: Request): Subject {
  const headers = request.headers ?? [];
  return {
    source: () => (request.source === undefined ? null : addressBytes(request.source)),
    uri: () => slice(request.payload === undefined ? (request.uri ?? '/') : undefined),
    header: name => slice(headers.find(([key]) => key.toLowerCase() === name)?.[1].trim()),
    body: () => slice(request.method === 'POST' ? request.body : undefined),
    payload: () => slice(request.payload),
    hashed: () => slice(request.hashed),
  };
}

/** A slice that does not begin at 0, as those of a stream. */
function slice(text: string | undefined): Slice | null {
  if (text === undefined) return null;
  return { bytes: Buffer.from(`##${text}##`, 'latin1'), start: 2, end: 2 + text.length };
}

/** The 4 or 16 bytes of an address whose zero groups are written out. */
export function addressBytes(text: string): Uint8Array {
  if (text.includes('.')) return Uint8Array.from(text.split('.'), Number);
  return Uint8Array.from(
    text.split(':').flatMap(group => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]),
  );
}
