/** The responses that Sluice makes itself when something fails: HAProxy's pages, `errorfile`, `errorloc` (manual 4.2). */
import type { Proxy } from '../config/proxy-model.ts';
import { closesConnection, earlyErrorPage, errorLocation, errorPage, statusOf } from '../http/errors.ts';
import { withConnection } from '../http/reply.ts';

/** A whole response, with the Connection header that fits. Made once and used for many streams. */
export class Reply {
  /** As logged and counted: an error stays what it is when its page is a redirect. */
  readonly status: number;
  readonly #plain: Uint8Array;
  /** The connection must close after it. */
  readonly closes: boolean;
  #close: Uint8Array | null = null;
  #keepAlive: Uint8Array | null = null;

  constructor(bytes: Uint8Array, closes = false, status = statusOf(bytes)) {
    this.#plain = bytes;
    this.closes = closes;
    this.status = status;
  }

  /** The response without a Connection header. */
  get plain(): Uint8Array {
    return this.#plain;
  }

  /** The bytes for a client of HTTP/1.`version` whose connection goes on (`keep`) or closes. */
  bytes(keep: boolean, version: number): Uint8Array {
    if (!keep) {
      this.#close ??= withConnection(this.#plain, 'close');
      return this.#close;
    }
    if (version === 1) return this.#plain;
    this.#keepAlive ??= withConnection(this.#plain, 'keep-alive');
    return this.#keepAlive;
  }
}

/** The error responses of one proxy, by status. */
export class ErrorReplies {
  readonly #proxy: Proxy;
  readonly #replies = new Map<number, Reply>();

  constructor(proxy: Proxy) {
    this.#proxy = proxy;
  }

  /** For a request that was understood. */
  get(status: number): Reply {
    let reply = this.#replies.get(status);
    if (reply === undefined) {
      const configured = this.#configured(status);
      reply = new Reply(configured ?? errorPage(status, null), configured === null && closesConnection(status), status);
      this.#replies.set(status, reply);
    }
    return reply;
  }

  /** For what could not be read as a request: the connection closes after it. */
  early(status: number): Uint8Array {
    return this.#configured(status) === null ? earlyErrorPage(status) : this.get(status).bytes(false, 1);
  }

  #configured(status: number): Uint8Array | null {
    const page = this.#proxy.errorPages.find(p => p.status === status);
    if (page === undefined) return null;
    return page.redirect === null ? page.bytes : errorLocation(page.redirect.status, page.redirect.location);
  }
}
