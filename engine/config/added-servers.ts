/** Servers that the runtime API added: a reload finds them in no file, and takes them along. */

import { findProxy } from './match.ts';
import { isBackend, type Model } from './model.ts';
import type { Proxy } from './proxy-model.ts';
import type { Server } from './server-model.ts';

/**
 * `model` with the servers that `running` has and `configured`, from which it came, has not: in backends that go on, have
 * a free place, and no server of that name. A configured server that was deleted is back with its line.
 */
export function withAddedServers(model: Model, configured: Model, running: Model): Model {
  const proxies = model.proxies.map(proxy => {
    const before = isBackend(proxy) ? findProxy(running, proxy) : undefined;
    const added = before === undefined ? [] : addedTo(before, configured.proxies[before.index]!);
    const servers = [...proxy.servers];
    for (const server of added) take(proxy, servers, server);
    return { ...proxy, servers };
  });
  return { ...model, proxies };
}

function addedTo(running: Proxy, configured: Proxy): Server[] {
  return running.servers.filter(server => !server.removed && server !== configured.servers[server.index]);
}

function take({ serverSlots }: Proxy, servers: Server[], server: Server): void {
  if (servers.length >= serverSlots || servers.some(({ name }) => name === server.name)) return;
  let { id } = server;
  while (servers.some(other => other.id === id)) id++;
  servers.push({ ...server, index: servers.length, id });
}
