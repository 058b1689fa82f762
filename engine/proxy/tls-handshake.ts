/** `ssl`: a session that begins with a TLS handshake. */
import type { Conn, Handler } from '../io/contract.ts';
import { acceptTls, TlsConn } from '../tls/conn.ts';
import type { TlsConnection } from '../tls/connection.ts';
import type { TlsContext } from '../tls/context.ts';
import type { TlsEnd } from '../tls/end.ts';
import type { Hello } from '../tls/hello.ts';
import { staple } from '../tls/staple.ts';
import { ALL_GOOD } from '../tls/verify.ts';
import { CONNECTION_ERRORS } from './connection-errors.ts';
import type { Session, SessionDriver } from './session.ts';
import { countHandshake, enterTls, leaveTls } from './tls-account.ts';

/** Names of connection errors. */
type Why =
  | 'SSL_EMPTY'
  | 'SSL_ABORT'
  | 'SSL_TIMEOUT'
  | 'SSL_TOO_MANY'
  | 'SSL_CA_FAIL'
  | 'SSL_CRT_FAIL'
  | 'SSL_HANDSHAKE';

/** Does the handshake of a session, then lets the session start. */
export class TlsHandshake implements TlsEnd, Handler, SessionDriver {
  readonly client = false;
  readonly captureBytes: number;
  readonly hesitates: boolean;
  readonly #session: Session;
  #said = false;

  constructor(session: Session) {
    const { context, conn, frontend } = session;
    this.#session = session;
    this.captureBytes = context.model.global.tls.captureBytes;
    this.hesitates = frontend.proxy.options.abortonclose ?? true;
    session.driver = this;
    if (!enterTls(context)) {
      conn.handler = this;
      this.#reject('SSL_TOO_MANY');
      conn.abort(true);
      return;
    }
    session.conn = acceptTls(context.io, conn, this);
    session.conn.handler = this;
    const { clientHsMs, clientMs } = frontend.proxy.timeouts;
    session.wait(clientHsMs || clientMs);
  }

  // --- what the TLS connection asks ---

  context(hello: Hello): TlsContext | null {
    return this.#session.listener.tls!.choose(hello);
  }

  prepare(tls: TlsConnection): void {
    staple(tls);
  }

  done(conn: TlsConn): void {
    const { context, listener, frontend } = this.#session;
    countHandshake(context, conn, frontend.row, listener.row);
    if (conn.failure === 'none') this.#session.start();
    else this.#reject(whyOf(conn));
  }

  settled(): void {
    this.#session.driver?.stream()?.handshakeDone();
  }

  gone(): void {
    leaveTls(this.#session.context);
  }

  // --- until the session starts ---

  onOpen(): void {}
  onData(): void {}
  onEnd(): void {}
  onDrain(): void {}

  onClose(): void {
    this.#session.closed();
  }

  stream(): null {
    return null;
  }

  onTimeout(): void {
    this.#reject('SSL_TIMEOUT');
    this.#session.conn.abort(false);
  }

  onStop(): void {}

  #reject(why: Why): void {
    if (this.#said) return;
    this.#said = true;
    const { dontlognull } = this.#session.frontend.proxy.options;
    const number = CONNECTION_ERRORS.findIndex(({ name }) => name === why);
    this.#session.error = number;
    if (why === 'SSL_EMPTY' && dontlognull) return;
    this.#session.context.events.sessionFailed(this.#session, CONNECTION_ERRORS[number]!.message);
  }
}

function whyOf({ failure, tls }: TlsConn): Why {
  if (failure === 'empty') return 'SSL_EMPTY';
  if (failure === 'aborted') return 'SSL_ABORT';
  const { own, authority } = tls?.verified ?? ALL_GOOD;
  return authority !== 0 ? 'SSL_CA_FAIL' : own !== 0 ? 'SSL_CRT_FAIL' : 'SSL_HANDSHAKE';
}

/** What the client has sent is early data, and may be a replay. */
export function isEarly(conn: Conn): boolean {
  return conn instanceof TlsConn && conn.early;
}
