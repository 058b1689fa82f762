/** How connections to a server are made, by what its line and its backend say. */
import type { Tune } from '../config/global-model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import type { Server, Source } from '../config/server-model.ts';
import type { ConnectOptions } from './contract.ts';
import { socketSettings } from './socket-settings.ts';

type Lines = Pick<Server, 'source' | 'tcpUserTimeoutMs' | 'congestion' | 'md5sig'>;

/** The server's own `source`, else the backend's. */
export function sourceOf(server: Lines, proxy: Pick<Proxy, 'source'>): Source | null {
  return server.source ?? proxy.source;
}

/** What all connections to the server have in common: those of checks have nothing else, not even `tune`. */
export function connectOptions(server: Lines, proxy: Pick<Proxy, 'source'>, tune?: Tune): ConnectOptions {
  const source = sourceOf(server, proxy);
  const { rcvbufServerBytes: rcvbufBytes = 0, sndbufServerBytes: sndbufBytes = 0 } = tune ?? {};
  const settings = socketSettings({ ...server, interface: source?.interface ?? '', rcvbufBytes, sndbufBytes });
  return { source: source?.address ?? null, tfo: false, settings };
}
