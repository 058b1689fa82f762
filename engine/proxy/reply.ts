/** A whole response of our own, with the Connection header that fits. Made once and used for many streams. */
import { statusOf } from '../http/errors.ts';
import { withConnection } from '../http/reply.ts';

const ZERO = 48;

export class Reply {
  /** As logged and counted: an error stays what it is when its page is a redirect. */
  readonly status: number;
  /** Without a Connection header; empty = the connection closes without a response. */
  readonly plain: Uint8Array;
  /** The connection must close after it. */
  readonly closes: boolean;
  #close: Uint8Array | null = null;
  #keepAlive: Uint8Array | null = null;

  constructor(plain: Uint8Array, closes = false, status = statusOf(plain)) {
    this.plain = plain;
    this.closes = closes || plain.length === 0;
    this.status = status;
  }

  /**
   * The bytes for a client of HTTP/1.`version` whose connection goes on (`keep`) or closes. A page may be HTTP/1.0 itself, where
   * closing goes without saying.
   */
  bytes(keep: boolean, version: number): Uint8Array {
    const { plain } = this;
    const old = plain[7] === ZERO;
    if (!keep) {
      if (old || plain.length === 0) return plain;
      this.#close ??= withConnection(plain, 'close');
      return this.#close;
    }
    if (version === 1 && !old) return plain;
    this.#keepAlive ??= withConnection(plain, 'keep-alive');
    return this.#keepAlive;
  }
}
