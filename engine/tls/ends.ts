/** TLS for those who want nothing of it but that it is there: peers, log servers, the runtime API. */
import type { BindTls, GlobalTls, ServerTls } from '../config/tls-model.ts';
import type { Conn, Handler, Io } from '../io/contract.ts';
import { acceptTls, connectTls } from './conn.ts';
import type { TlsEnd } from './end.ts';
import { TlsListener } from './listener.ts';
import { TlsServer } from './server.ts';
import { staple } from './staple.ts';
import type { TlsStore } from './store.ts';

/** Of connections that come in on a bind line; `identity` tells their sessions from those of others. */
export function bindEnd(store: TlsStore, tls: BindTls | null, global: GlobalTls, identity: string): TlsEnd | null {
  if (tls === null) return null;
  const listener = new TlsListener(store, tls, global, identity);
  return { client: false, context: hello => listener.choose(hello), prepare: staple };
}

/** Of connections to a server. */
export function serverEnd(store: TlsStore, tls: ServerTls | null): TlsEnd | null {
  if (tls === null) return null;
  const server = new TlsServer(store, tls);
  const name = tls.sniName ?? '';
  return {
    client: true,
    context: () => server.context(),
    prepare: connection => server.prepare(connection, name),
    heard: conn => server.keepSession(conn, name),
  };
}

/** An accepted connection, with TLS over it where there is an end. */
export function acceptOver(io: Io, conn: Conn, end: TlsEnd | null): Conn {
  return end === null ? conn : acceptTls(io, conn, end);
}

/** What `connect` makes, with TLS over it where there is an end. */
export function connectOver(io: Io, handler: Handler, end: TlsEnd | null, connect: (under: Handler) => Conn): Conn {
  return end === null ? connect(handler) : connectTls(io, end, handler, connect);
}
