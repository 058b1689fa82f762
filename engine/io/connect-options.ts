/** How connections to a server are made, by what its line and its backend say. */
import type { Model } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import type { Server, Source } from '../config/server-model.ts';
import type { ConnectOptions } from './contract.ts';
import { socketSettings } from './socket-settings.ts';

type Lines = Pick<Server, 'source' | 'tcpUserTimeoutMs' | 'congestion' | 'md5sig'>;

/** The server's own `source`, else the backend's. */
export function sourceOf(server: Lines, proxy: Pick<Proxy, 'source'>): Source | null {
  return server.source ?? proxy.source;
}

/** What all connections to the server have in common: those of checks have nothing else. */
export function connectOptions(server: Lines, proxy: Pick<Proxy, 'source'>): ConnectOptions {
  const source = sourceOf(server, proxy);
  const settings = socketSettings({ ...server, interface: source?.interface ?? '' });
  return { source: source?.address ?? null, tfo: false, settings };
}

/** What of the configuration only the io `uring` can do, each with the server that wants it. */
export function wantsRing(model: Model): string[] {
  return model.proxies.flatMap(proxy =>
    proxy.servers.flatMap(server => {
      const source = sourceOf(server, proxy);
      const words = [
        source !== null && source.usesrc !== null ? "'usesrc'" : '',
        source !== null && source.interface !== '' ? "'interface' of 'source'" : '',
        server.md5sig === '' ? '' : "'tcp-md5sig'",
      ];
      return words.filter(word => word !== '').map(word => `${word} of server '${proxy.name}/${server.name}'`);
    }),
  );
}
