/** Places for backends that the runtime API adds: in the model as in shared memory they are there from the start. */
import { ADDED_BACKENDS_MAX } from '../limits.ts';
import type { Model } from './model.ts';
import type { Proxy } from './proxy-model.ts';

/** `model` with ADDED_BACKENDS_MAX spare places at its end, where a `defaults` section can make a backend. */
export function withSparePlaces(model: Model): Model {
  const like = model.defaults
    .flatMap(({ backends }) => Object.values(backends))
    .find(backend => typeof backend !== 'string');
  if (like === undefined) return model;
  const first = model.proxies.length;
  const spares = Array.from({ length: ADDED_BACKENDS_MAX }, (_, n) => spare(like, first + n));
  return { ...model, proxies: [...model.proxies, ...spares] };
}

/** Nobody: what stands in a place that is free. */
export function spare(like: Proxy, index: number): Proxy {
  return { ...nobody(like, index), kind: 'spare' };
}

/** What stands in the place of a backend of the configuration that was deleted: what has been counted there stays its own. */
export function removed(proxy: Proxy): Proxy {
  return { ...nobody(proxy, proxy.index), kind: 'removed' };
}

/** As many places of servers as `like`: the numbers of those behind it do not move. */
function nobody(like: Proxy, index: number): Proxy {
  return { ...like, index, name: '', id: 0, guid: null, disabled: true, servers: [], defaultServers: [] };
}
