/** What the runtime API made of the servers and no file says: a reload takes it along. */

import { findProxy } from './match.ts';
import { isBackend, type Model } from './model.ts';
import type { Proxy } from './proxy-model.ts';
import type { Server } from './server-model.ts';

/**
 * `model` with what `running` has and `configured`, from which it came, has not: names that servers got (`set server fqdn`),
 * where the file says the same address as before, and servers that were added, in backends that go on, have a free place, and no server
 * of that name. A configured server that was deleted is back with its line.
 */
export function withRuntimeServers(model: Model, configured: Model, running: Model): Model {
  const proxies = model.proxies.map(proxy => {
    const before = isBackend(proxy) ? findProxy(running, proxy) : undefined;
    if (before === undefined) return proxy;
    const changed = changedOf(before, configured.proxies[before.index]?.servers ?? []);
    const servers = proxy.servers.map(server => renamed(server, changed));
    for (const server of changed) take(proxy, servers, server, trackIn(model, running, server.server.track));
    return { ...proxy, servers };
  });
  return { ...model, proxies };
}

/** A server of `running` that is not as `configured` has it. */
interface Changed {
  readonly server: Server;
  /** What its line says, which may have another name and host name; null = it has none. */
  readonly line: Server | null;
}

function changedOf(running: Proxy, configured: readonly Server[]): Changed[] {
  return running.servers
    .filter(server => !server.removed && server !== configured[server.index])
    .map(server => {
      const line = configured[server.index];
      return { server, line: line?.file === server.file && line.line === server.line ? line : null };
    });
}

function renamed(server: Server, changed: readonly Changed[]): Server {
  const found = changed.find(({ line }) => line?.name === server.name && line.text === server.text);
  return found === undefined ? server : { ...server, hostname: found.server.hostname };
}

/** What an added server tracks, in the new model; undefined = that is gone. */
function trackIn(model: Model, running: Model, track: Server['track']): Server['track'] | undefined {
  if (track === null) return null;
  const before = running.proxies[track.proxy]!;
  const proxy = model.proxies.find(({ name, servers }) => name === before.name && servers.length > 0);
  const found = proxy?.servers.find(({ name }) => name === before.servers[track.server]!.name);
  return found === undefined ? undefined : { proxy: proxy!.index, server: found.index };
}

function take(
  { serverSlots }: Proxy,
  servers: Server[],
  { server, line }: Changed,
  track: Server['track'] | undefined,
): void {
  if (track === undefined) return;
  if (line !== null || servers.length >= serverSlots || servers.some(({ name }) => name === server.name)) return;
  let { id } = server;
  while (servers.some(other => other.id === id)) id++;
  servers.push({ ...server, index: servers.length, id, track });
}
