/** TLS to one server in one thread: its context, and the sessions that can be resumed, by the name that was sent. */
import type { ServerTls } from '../config/tls-model.ts';
import { TLS_SESSIONS_MAX } from '../limits.ts';
import { wireProtocols } from './alpn.ts';
import type { TlsConn } from './conn.ts';
import type { TlsConnection } from './connection.ts';
import { clientContext, type TlsContext } from './context.ts';
import { Handle } from './handle.ts';
import { CTRL, openssl, pointerTo } from './openssl.ts';
import type { TlsStore } from './store.ts';

/** TLSEXT_NAMETYPE_host_name. */
const HOST_NAME = 0n;

export class TlsServer {
  readonly settings: ServerTls;
  readonly #store: TlsStore;
  readonly #sessions = new Map<string, Handle>();
  #context: TlsContext | null = null;
  #generation = -1;

  constructor(store: TlsStore, settings: ServerTls) {
    this.settings = settings;
    this.#store = store;
  }

  context(): TlsContext {
    const { generation } = this.#store;
    if (this.#context === null || this.#generation !== generation) {
      this.free();
      this.#generation = generation;
      this.#context = clientContext(this.#store, this.settings);
    }
    return this.#context;
  }

  /**
   * Before the handshake: the name that is sent ('' = none), whom the certificate must be for, the session to resume.
   * `alpn`: protocols offered instead of those of the settings; [] = those. `early`: what is said at once may go as early data.
   */
  prepare(tls: TlsConnection, name: string, alpn: readonly string[] = [], early = false): void {
    const { pointer } = tls;
    if (alpn.length > 0) {
      const protocols = wireProtocols(alpn);
      openssl.SSL_set_alpn_protos(pointer, protocols, protocols.length);
    }
    if (name !== '')
      openssl.SSL_ctrl(pointer, CTRL.serverName, HOST_NAME, pointerTo(Buffer.from(`${name}\0`, 'latin1')));
    const { verify, verifyHost, reuse } = this.settings;
    const host = verifyHost ?? name;
    if (verify !== 'none' && host !== '') openssl.SSL_set1_host(pointer, host);
    const session = reuse ? this.#sessions.get(name) : undefined;
    if (session === undefined) return;
    openssl.SSL_set_session(pointer, session.pointer);
    if (early) tls.earlyRoom = openssl.SSL_SESSION_get_max_early_data(session.pointer);
  }

  /** The server has spoken, so that its tickets have come: the session is kept for the next connection. */
  keepSession({ tls }: TlsConn, name: string): void {
    if (!this.settings.reuse || tls === null || tls.freed) return;
    const session = openssl.SSL_get1_session(tls.pointer);
    if (session === 0n) return;
    if (openssl.SSL_SESSION_is_resumable(session) !== 1) {
      openssl.SSL_SESSION_free(session);
      return;
    }
    this.forgetSession(name);
    if (this.#sessions.size >= TLS_SESSIONS_MAX) this.forgetSession(this.#sessions.keys().next().value!);
    this.#sessions.set(name, new Handle('session', session, openssl.SSL_SESSION_free));
  }

  forgetSession(name: string): void {
    this.#sessions.get(name)?.free();
    this.#sessions.delete(name);
  }

  free(): void {
    for (const session of this.#sessions.values()) session.free();
    this.#sessions.clear();
    this.#context?.free();
    this.#context = null;
  }
}
