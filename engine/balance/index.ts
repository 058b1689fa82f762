/** The balancer that a backend's `balance` asks for. */
import type { Balance, BalanceAlgorithm, HashType, Proxy } from '../config/proxy-model.ts';
import type { Memory, Topology } from '../shm/memory.ts';
import type { Balancer } from './balancer.ts';
import { expressionKey } from './expression.ts';
import { Farm } from './farm.ts';
import { First } from './first.ts';
import { type Hash, hashFor } from './hash.ts';
import { hdrKey } from './hdr.ts';
import { Consistent, type Key, MapBased } from './keyed.ts';
import { LeastConn } from './leastconn.ts';
import { Random, xorshift } from './random.ts';
import { rdpCookieKey } from './rdp-cookie.ts';
import { RoundRobin } from './roundrobin.ts';
import { sourceKey } from './source.ts';
import { staticSchedule } from './static-rr.ts';
import { Sticky } from './sticky.ts';
import { uriKey } from './uri.ts';
import { urlParamKey } from './url-param.ts';

export { type Balancer, FULL, NONE, type Slice, type Subject } from './balancer.ts';
export { dynamicMaxconn } from './maxconn.ts';

/** One balancer per backend and worker. A second farm is for what takes over when there is no key. */
type Make = (farm: Farm, another: Farm, seed: number) => Balancer;

const ALGORITHMS: Record<BalanceAlgorithm, Make> = {
  roundrobin: farm => new RoundRobin(farm),
  'static-rr': farm => new RoundRobin(farm, staticSchedule),
  leastconn: farm => new LeastConn(farm),
  first: farm => new First(farm),
  random: (farm, _, seed) => new Random(farm, xorshift(seed)),
  source: keyed((_, __, type) => sourceKey(type)),
  uri: keyed(uriKey),
  url_param: keyed(urlParamKey),
  hdr: keyed(hdrKey),
  'rdp-cookie': keyed(rdpCookieKey),
  hash: keyed((_, hash) => expressionKey(hash)),
  'log-hash': keyed((_, hash) => expressionKey(hash)),
  sticky: farm => new Sticky(farm),
};

function keyed(make: (balance: Balance, hash: Hash, type: HashType) => Key): Make {
  return (farm, another) => {
    const { balance, hash: type } = farm.proxy;
    const key = make(balance, hashFor(type), type);
    return type.method === 'consistent'
      ? new Consistent(farm, key, new RoundRobin(another))
      : new MapBased(farm, key, new RoundRobin(another, staticSchedule));
  };
}

/** The balancer of backend `proxy` in this worker. `seed` is where `random` begins: give each worker its own. */
export function createBalancer(memory: Memory, topology: Topology, proxy: Proxy, seed = 1): Balancer {
  const { algorithm } = proxy.balance;
  return ALGORITHMS[algorithm](new Farm(memory, topology, proxy), new Farm(memory, topology, proxy), seed);
}
