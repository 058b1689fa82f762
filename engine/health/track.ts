/** Which servers follow which (`track`): the model only says it the other way round. */
import { type Model, placings } from '../config/model.ts';
import { type StateEnv, type Target, targetOf } from './target.ts';

const NOBODY: readonly Target[] = [];

/** The servers that track one, by its number; good while no server is added or deleted. */
interface Trackers {
  readonly changes: number;
  readonly of: ReadonlyMap<number, readonly Target[]>;
}

const TRACKERS = new WeakMap<Model, Trackers>();

function findTrackers(env: StateEnv): ReadonlyMap<number, readonly Target[]> {
  const found = new Map<number, Target[]>();
  for (const proxy of env.model.proxies) {
    for (const server of proxy.servers) {
      if (server.track === null || server.removed) continue;
      const tracked = env.topology.firstServer[server.track.proxy]! + server.track.server;
      const list = found.get(tracked) ?? [];
      list.unshift(targetOf(env, proxy, server));
      found.set(tracked, list);
    }
  }
  return found;
}

/** The servers that have the state of this one; HAProxy's order: the last line first. */
export function trackersOf(env: StateEnv, t: Target): readonly Target[] {
  const changes = placings();
  let trackers = TRACKERS.get(env.model);
  if (trackers?.changes !== changes) {
    trackers = { changes, of: findTrackers(env) };
    TRACKERS.set(env.model, trackers);
  }
  return trackers.of.get(t.number) ?? NOBODY;
}

/** The server that this one tracks; null = none. */
export function trackedBy(env: StateEnv, t: Target): Target | null {
  const { track } = t.server;
  if (track === null) return null;
  const proxy = env.model.proxies[track.proxy]!;
  return targetOf(env, proxy, proxy.servers[track.server]!);
}

/** How the log of a tracking server tells why. */
export function via(tracked: Target): string {
  return ` via ${tracked.proxy.name}/${tracked.server.name}`;
}
