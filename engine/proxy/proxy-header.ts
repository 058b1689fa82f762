/** `accept-proxy`: a session that begins with a PROXY header (proxy-protocol.ts). */
import type { Chunk, Conn, Handler } from '../io/contract.ts';
import { errorOfMessage } from './connection-errors.ts';
import { ownChunk } from './own-chunk.ts';
import { parseProxyHeader, V1_MAX_BYTES, V2_MAX_BYTES } from './proxy-protocol.ts';
import type { Session, SessionDriver } from './session.ts';

/** What the log says (HAProxy's words). */
const BAD_HEADER = 'Received something which does not look like a PROXY protocol header';
const NOTHING_CAME = 'Connection closed while waiting for PROXY protocol header';
const TOO_LATE = 'Timeout while waiting for PROXY protocol header';

/** Reads the header at the start of a session, then lets the session start. A bad or late one ends the connection. */
export class ProxyHeaderReader implements Handler, SessionDriver {
  readonly #session: Session;
  #bytes: Uint8Array = new Uint8Array(V1_MAX_BYTES + 1);
  #used = 0;
  #ended = false;

  constructor(session: Session) {
    this.#session = session;
    session.conn.handler = this;
    session.driver = this;
    session.wait(session.frontend.proxy.timeouts.clientMs);
  }

  onOpen(): void {}

  onData(conn: Conn, chunk: Chunk): void {
    this.#gather(chunk);
    const parsed = parseProxyHeader(this.#bytes, this.#used);
    if (parsed === 'more' && this.#used < V2_MAX_BYTES) return;
    if (parsed === 'more' || parsed === 'bad') {
      this.#reject(BAD_HEADER);
      return;
    }
    if (parsed.source !== null && parsed.destination !== null) {
      this.#session.setAddresses(parsed.source, parsed.destination);
    }
    this.#session.proxyFields = parsed.fields;
    this.#session.begin();
    const left = this.#used - parsed.length;
    if (left > 0) conn.handler.onData(conn, ownChunk(this.#bytes.slice(parsed.length, this.#used)));
  }

  onEnd(): void {
    this.#ended = true;
    this.#reject(this.#used === 0 ? NOTHING_CAME : BAD_HEADER);
  }

  onDrain(): void {}

  onClose(): void {
    this.#session.closed();
  }

  stream(): null {
    return null;
  }

  onTimeout(): void {
    this.#reject(TOO_LATE);
  }

  onStop(): void {}

  #reject(why: string): void {
    const { context, frontend, conn } = this.#session;
    this.#session.error = errorOfMessage(why);
    if (why !== NOTHING_CAME || !frontend.proxy.options.dontlognull) context.events.sessionFailed(this.#session, why);
    conn.abort(!this.#ended);
  }

  #gather(chunk: Chunk): void {
    const n = chunk.end - chunk.start;
    if (this.#used + n > this.#bytes.length) {
      const more = new Uint8Array(Math.max(2 * this.#bytes.length, this.#used + n));
      more.set(this.#bytes);
      this.#bytes = more;
    }
    this.#bytes.set(chunk.bytes.subarray(chunk.start, chunk.end), this.#used);
    this.#used += n;
  }
}
