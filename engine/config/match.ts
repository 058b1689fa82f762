/**
 * Which things of a configuration are those of an earlier one, by their `guid`, else: proxies by name and side; listeners
 * by address, else by name; servers by name. What is found keeps its counts and its state when a configuration is reloaded.
 */
import { topology } from '../shm/memory.ts';
import type { Matches } from '../shm/past.ts';
import { type Bind, isBackend, isFrontend, isThere, type Model } from './model.ts';
import type { Proxy } from './proxy-model.ts';
import type { Server } from './server-model.ts';

type Test<T> = (a: T, b: T) => boolean;

const LISTENER_TESTS: readonly Test<Bind>[] = [
  (a, b) => a.guid !== null && a.guid === b.guid,
  (a, b) => a.text === b.text,
  (a, b) => a.name === b.name,
];

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
      pair(proxy.binds, old.binds, LISTENER_TESTS).forEach((there, i) => {
        if (there >= 0) listeners[now.firstListener[proxy.index]! + i] = then.firstListener[old.index]! + there;
      });
    }
    for (const [server, was] of sameServers(proxy.servers, old.servers)) {
      servers[now.firstServer[proxy.index]! + server.index] = then.firstServer[old.index]! + was.index;
    }
  }
  return { proxies, listeners, servers };
}

/** The proxy of `model` that `proxy` was. */
export function findProxy(model: Model, proxy: Proxy): Proxy | undefined {
  const { guid, name } = proxy;
  if (!isThere(proxy)) return undefined;
  if (guid !== null) {
    const same = model.proxies.find(other => other.guid === guid);
    if (same !== undefined) return same;
  }
  const named = model.proxies.filter(
    other => isThere(other) && other.name === name && (guid === null || other.guid === null),
  );
  return (
    named.find(other => other.kind === proxy.kind) ??
    named.find(other => (isFrontend(other) && isFrontend(proxy)) || (isBackend(other) && isBackend(proxy)))
  );
}

/** The servers that were there before, and which they were: there may be thousands. */
function sameServers(now: readonly Server[], then: readonly Server[]): Map<Server, Server> {
  const there = then.filter(({ removed }) => !removed);
  const byGuid = new Map(there.filter(({ guid }) => guid !== null).map(server => [server.guid, server]));
  const byName = new Map(there.map(server => [server.name, server]));
  const here = now.filter(({ removed }) => !removed);
  const found = new Map<Server, Server>();
  for (const server of here) {
    const was = server.guid === null ? undefined : byGuid.get(server.guid);
    if (was !== undefined) found.set(server, was);
  }
  const taken = new Set(found.values());
  for (const server of here) {
    const was = byName.get(server.name);
    if (was === undefined || found.has(server) || taken.has(was)) continue;
    // Who has another id is somebody else.
    if (server.guid === null || was.guid === null) found.set(server, was);
  }
  return found;
}

/** For each of `now` its place in `then`, by the first of `tests` that one passes; each place is given once. */
function pair<T>(now: readonly T[], then: readonly T[], tests: readonly Test<T>[]): number[] {
  const found = now.map(() => -1);
  for (const test of tests) {
    now.forEach((one, i) => {
      if (found[i]! >= 0) return;
      found[i] = then.findIndex((other, at) => !found.includes(at) && test(one, other));
    });
  }
  return found;
}
