/** How connections to a server are made, by what its line and its backend say. */
import type { Tune } from '../config/global-model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import type { Reach, Source } from '../config/server-model.ts';
import type { ConnectOptions, SourcePorts } from './contract.ts';
import { openNamespace } from './namespaces.ts';
import { socketSettings } from './socket-settings.ts';

type Backend = Pick<Proxy, 'source' | 'options' | 'serverKeepAlive'>;

/** The server's own `source`, else the backend's. */
export function sourceOf(server: Reach, proxy: Pick<Proxy, 'source'> | null): Source | null {
  return server.source ?? proxy?.source ?? null;
}

/** What all connections to the server have in common. `proxy`: null = it is not of a backend. */
export function connectOptions(
  server: Reach,
  proxy: Backend | null,
  tune: Tune,
  ports: SourcePorts | null,
): ConnectOptions {
  const source = sourceOf(server, proxy);
  const { rcvbufServerBytes: rcvbufBytes, sndbufServerBytes: sndbufBytes } = tune;
  const keepAlive = proxy?.options.srvtcpka ? proxy.serverKeepAlive : null;
  const settings = socketSettings({
    ...server,
    ...{ interface: source?.interface ?? '', rcvbufBytes, sndbufBytes, keepAlive },
  });
  return {
    source: source?.address ?? null,
    ports,
    tfo: false,
    settings,
    namespace: namespaceOf(server),
    mptcp: server.mptcp,
  };
}

/** The client's is for the stream to say. */
function namespaceOf({ namespace }: Reach): string {
  if (namespace === '' || namespace === '*') return '';
  openNamespace(namespace);
  return namespace;
}
