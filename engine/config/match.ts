/**
 * Which things of a configuration are those of an earlier one: proxies by their `guid`, else by name and side; listeners
 * by address, else by name; servers by name. What is found keeps its counts and its state when a configuration is reloaded.
 */
import { topology } from '../shm/memory.ts';
import type { Matches } from '../shm/past.ts';
import { isBackend, isFrontend, type Model } from './model.ts';
import type { Proxy } from './proxy-model.ts';

/** For each number of a thing in `model`: its number in `before`, -1 = it is new. */
export function match(model: Model, before: Model): Matches {
  const now = topology(model);
  const then = topology(before);
  const proxies = Int32Array.from(model.proxies, proxy => findProxy(before, proxy)?.index ?? -1);
  const listeners = new Int32Array(now.firstListener.at(-1)!).fill(-1);
  const servers = new Int32Array(now.firstServer.at(-1)!).fill(-1);
  for (const proxy of model.proxies) {
    const old = before.proxies[proxies[proxy.index]!];
    if (old === undefined) continue;
    if (isFrontend(proxy) && isFrontend(old)) {
      pair(proxy.binds, old.binds, [(a, b) => a.text === b.text, (a, b) => a.name === b.name]).forEach((there, i) => {
        if (there >= 0) listeners[now.firstListener[proxy.index]! + i] = then.firstListener[old.index]! + there;
      });
    }
    const places = new Map(old.servers.filter(({ removed }) => !removed).map(({ name, index }) => [name, index]));
    for (const { name, index, removed } of proxy.servers) {
      const there = removed ? undefined : places.get(name);
      if (there !== undefined) servers[now.firstServer[proxy.index]! + index] = then.firstServer[old.index]! + there;
    }
  }
  return { proxies, listeners, servers };
}

/** The proxy of `model` that `proxy` was. */
export function findProxy(model: Model, proxy: Proxy): Proxy | undefined {
  const { guid, name } = proxy;
  if (guid !== null) {
    const same = model.proxies.find(other => other.guid === guid);
    if (same !== undefined) return same;
  }
  const named = model.proxies.filter(other => other.name === name && (guid === null || other.guid === null));
  return (
    named.find(other => other.kind === proxy.kind) ??
    named.find(other => (isFrontend(other) && isFrontend(proxy)) || (isBackend(other) && isBackend(proxy)))
  );
}

/** For each of `now` its place in `then`, by the first of `tests` that one passes; each place is given once. */
function pair<T>(now: readonly T[], then: readonly T[], tests: readonly ((a: T, b: T) => boolean)[]): number[] {
  const found = now.map(() => -1);
  for (const test of tests) {
    now.forEach((one, i) => {
      if (found[i]! >= 0) return;
      found[i] = then.findIndex((other, at) => !found.includes(at) && test(one, other));
    });
  }
  return found;
}
