/** Connections to servers over TLS (`ssl` of a `server` line). */
import { parseIp } from '../io/address.ts';
import type { Address, Conn, ConnectOptions, Handler } from '../io/contract.ts';
import { connectThrough } from '../io/socks4.ts';
import { compileText, type Value } from '../rules/format.ts';
import { Standpoint } from '../sample/context.ts';
import { connectTls, TlsConn } from '../tls/conn.ts';
import type { TlsConnection } from '../tls/connection.ts';
import type { TlsContext } from '../tls/context.ts';
import type { TlsEnd } from '../tls/end.ts';
import type { Server } from './nouns.ts';
import { field } from './proxy-fields.ts';
import { proxyHeader } from './proxy-protocol.ts';
import { fieldsFor } from './proxy-tlvs.ts';
import { proxyRules } from './rules.ts';
import { ServerText } from './server-text.ts';
import type { Stream } from './stream.ts';
import { countHandshake, enterTls, leaveTls } from './tls-account.ts';

const HERE = new Standpoint();
const NAMES = new ServerText();

/** The name that a connection for `stream` sends (`sni`); '' = none. */
export function serverName(stream: Stream, server: Server): string {
  const { tls } = server.config;
  if (tls === null || tls.sni === null) return '';
  const name = NAMES.of(stream, server, tls.sni);
  return tls.sniIsHost && isAddress(name) ? '' : name;
}

/** As a Host may have it, its port cut off: of an IPv6 address only the bracket is left. */
function isAddress(host: string): boolean {
  return host.startsWith('[') || parseIp(host, 0) !== null;
}

/** Receivers take headers of some 16 KiB; what has no room is left out. */
const OWN_FIELDS_BYTES_MAX = 15_360;
const OWN_FIELDS = new WeakMap<Server, readonly { readonly type: number; readonly value: Value }[]>();

/** `set-proxy-v2-tlv-fmt`, filled in. */
function ownFields(stream: Stream, server: Server): Uint8Array[] {
  if (server.config.proxyFields.length === 0) return [];
  let own = OWN_FIELDS.get(server);
  if (own === undefined) {
    const { context, proxy } = server.backend;
    const { env } = proxyRules(context, proxy);
    own = server.config.proxyFields.map(({ type, format }) => ({ type, value: compileText(format, env) }));
    OWN_FIELDS.set(server, own);
  }
  let room = OWN_FIELDS_BYTES_MAX;
  return own.flatMap(({ type, value }) => {
    // Lent until the next one is made.
    const bytes = value(HERE.at(stream)).slice();
    room -= bytes.length;
    return room < 0 ? [] : field(type, bytes);
  });
}

/** `send-proxy`: who the client is. Null = nobody is told. */
export function introduction(stream: Stream, server: Server): Uint8Array | null {
  const { sendProxy, proxyOptions } = server.config;
  if (sendProxy === 0) return null;
  const fields = sendProxy === 2 ? fieldsFor(stream, proxyOptions, ownFields(stream, server)) : undefined;
  return proxyHeader(sendProxy, stream.session.source(), stream.session.destination(), fields);
}

/** A new connection to the server, with TLS where it has `ssl`; `name` is what `serverName` gave. */
export function connectServer(
  stream: Stream,
  server: Server,
  address: Address,
  options: ConnectOptions,
  name: string,
  handler: Handler,
): Conn {
  const { io } = stream.context;
  const connect = (under: Handler): Conn => connectThrough(io, server.config.socks4, address, options, under);
  return server.usesTls ? connectTls(io, new ServerEnd(stream, server, name), handler, connect) : connect(handler);
}

/** `allow-0rtt`: for clients that did it themselves and know what 425 means, or where we try again when it was for nothing. */
function maySendEarly({ session, attempts, backend }: Stream, server: Server): boolean {
  if (server.config.tls?.early !== true) return false;
  if (session.conn instanceof TlsConn && session.conn.earlyReceived) return true;
  return attempts === 0 && backend!.proxy.retryOn.includes('0rtt-rejected');
}

class ServerEnd implements TlsEnd {
  readonly client = true;
  readonly #server: Server;
  readonly #name: string;
  /** What goes before TLS. */
  readonly #introduction: Uint8Array | null;
  readonly #admitted: boolean;
  /** Whose request may go as early data, until the handshake is over; null = none may. */
  #early: Stream | null;

  constructor(stream: Stream, server: Server, name: string) {
    this.#server = server;
    this.#name = name;
    this.#introduction = introduction(stream, server);
    this.#admitted = enterTls(stream.context);
    this.#early = maySendEarly(stream, server) ? stream : null;
  }

  context(): TlsContext | null {
    return this.#admitted ? this.#server.tls!.context() : null;
  }

  prepare(tls: TlsConnection, under: Conn): void {
    const first = this.#introduction;
    if (first !== null) under.send(first, 0, first.length);
    this.#server.tls!.prepare(tls, this.#name, undefined, this.#early !== null);
  }

  done(conn: TlsConn): void {
    const { backend, row } = this.#server;
    countHandshake(backend.context, conn, backend.row, row);
    if (conn.failure === 'earlyRejected') {
      // The next attempt is not to meet the same end.
      this.#server.tls!.forgetSession(this.#name);
      if (this.#early!.serverSide?.conn === conn) this.#early!.earlyRejected = true;
    }
    this.#early = null;
  }

  heard(conn: TlsConn): void {
    this.#server.tls!.keepSession(conn, this.#name);
  }

  gone(): void {
    if (this.#admitted) leaveTls(this.#server.backend.context);
  }
}
