/** What an owner of TLS connections has to say, at either end. */
import type { Conn } from '../io/contract.ts';
import type { TlsConn } from './conn.ts';
import type { TlsConnection } from './connection.ts';
import type { TlsContext } from './context.ts';
import type { Hello } from './hello.ts';

/** Which end of TLS a connection is, and what its owner has to say before the handshake. */
export interface TlsEnd {
  /** We speak first. */
  readonly client: boolean;
  /** How much of what a client's hello offers is kept (`tune.ssl.capture-buffer-size`); not given = nothing. */
  readonly captureBytes?: number;
  /** A client whose end comes with its hello is not answered (`option abortonclose`): no handshake can come of it. */
  readonly hesitates?: boolean;
  /**
   * The context, once it can be known: for an accepted connection by the client's hello, else `NO_HELLO`. Null = nobody
   * is to be shown.
   */
  context(hello: Hello): TlsContext | null;
  /** Settings of this very connection, before the handshake. `conn` is that of the io: what is sent there goes before. */
  prepare?(tls: TlsConnection, conn: Conn): void;
  /** The handshake is complete (or `early`), or failed (`conn.failure`). */
  done?(conn: TlsConn): void;
  /** The handshake is complete that was not yet when `done` was told: early data had come. */
  settled?(conn: TlsConn): void;
  /** The first plaintext has come. */
  heard?(conn: TlsConn): void;
  /** The connection is gone, `onClose` was told. */
  gone?(conn: TlsConn): void;
}

/**
 * Why there was no handshake: `empty` = the peer left before it had said hello, `aborted` = the connection broke before that, or
 * ended with it,
 * `earlyRejected` = the server would not read early data.
 */
export type TlsFailure = 'none' | 'failed' | 'empty' | 'aborted' | 'noName' | 'earlyRejected';
