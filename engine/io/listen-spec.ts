/** How a socket listens, by what its `bind` line, its frontend and the global section say. */
import type { Global, Tune } from '../config/global-model.ts';
import type { Bind, ListenWords } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import type { ListenSpec } from './bind.ts';

interface Common {
  readonly reusePort: boolean;
  readonly tune: Pick<Tune, 'rcvbufClientBytes' | 'sndbufClientBytes'>;
}

/** What all listening sockets have in common: those of the control thread have nothing else. */
export function listenSpec<B extends ListenWords>(bind: B, { reusePort, tune }: Common): B & ListenSpec {
  const { rcvbufClientBytes: rcvbufBytes, sndbufClientBytes: sndbufBytes } = tune;
  return { ...bind, reusePort, rcvbufBytes, sndbufBytes, delayAck: false, keepAlive: null };
}

export function frontendSpec(bind: Bind, proxy: Proxy, global: Global): Bind & ListenSpec {
  const { mode, inspectDelayMs, options, clientKeepAlive } = proxy;
  const delayAck = options.tcpSmartAccept ?? (mode === 'http' || inspectDelayMs > 0);
  const backlog = bind.backlog || proxy.backlog || bind.maxconn || proxy.maxconn || global.maxconn;
  return { ...listenSpec(bind, global), backlog, delayAck, keepAlive: options.clitcpka ? clientKeepAlive : null };
}
