/**
 * What a connection begins with before its client says anything: a header of the proxy in front of us, PROXY's (`accept-proxy`) or
 * NetScaler's (`accept-netscaler-cip`).
 */
import type { Address, Chunk, Conn, Handler } from '../io/contract.ts';
import { CONNECTION_ERRORS, numberOf } from './connection-errors.ts';
import { CIP_MAX_BYTES, parseCip } from './netscaler.ts';
import { ownChunk } from './own-chunk.ts';
import { parseProxyHeader, V1_MAX_BYTES, V2_MAX_BYTES } from './proxy-protocol.ts';
import type { Session, SessionDriver } from './session.ts';

/** Who speaks to whom; null where the header does not tell. */
interface Preface {
  /** Bytes it took. */
  readonly length: number;
  readonly source: Address | null;
  readonly destination: Address | null;
  /** What else a PROXY header told (proxy-fields.ts); null = nothing. */
  readonly fields: Uint8Array | null;
}

/** Its errors are names in connection-errors.ts. */
export interface Preamble {
  readonly bytesMax: number;
  /** Reads `bytes[0, end)`; 'more' = incomplete. */
  readonly parse: (bytes: Uint8Array, end: number, session: Session) => Preface | 'more' | string;
  /** The client left before it began, or in the middle; nothing more came; it is too long. */
  readonly empty: string;
  readonly cut: string;
  readonly late: string;
  readonly long: string;
}

/** What is shorter and wrong is called truncated by HAProxy: the fixed part of PROXY's version 2, that of NetScaler's. */
const PROXY_LEAST_BYTES = 16;
const CIP_LEAST_BYTES = 12;

export const PROXY: Preamble = {
  bytesMax: V2_MAX_BYTES,
  parse: (bytes, end) => {
    const parsed = parseProxyHeader(bytes, end);
    if (parsed === 'bad') return end < PROXY_LEAST_BYTES ? 'PRX_TRUNCATED' : 'PRX_NOT_HDR';
    return parsed;
  },
  ...{ empty: 'PRX_EMPTY', cut: 'PRX_TRUNCATED', late: 'PRX_TIMEOUT', long: 'PRX_NOT_HDR' },
};

export const NETSCALER: Preamble = {
  bytesMax: CIP_MAX_BYTES,
  parse: (bytes, end, { listener }) => {
    const parsed = parseCip(bytes, end, listener.bind.netscalerMagic);
    return typeof parsed === 'string' && parsed !== 'more' && end < CIP_LEAST_BYTES ? 'CIP_TRUNCATED' : parsed;
  },
  ...{ empty: 'CIP_EMPTY', cut: 'CIP_TRUNCATED', late: 'CIP_TIMEOUT', long: 'CIP_TRUNCATED' },
};

/** In the order in which they come. */
const PREAMBLES: readonly Preamble[] = [PROXY, NETSCALER];
const NONE: readonly Preamble[] = [];

/** Those of a bind line. */
export function preamblesOf(bind: { readonly acceptProxy: boolean; readonly netscalerMagic: number }) {
  const proxied = bind.acceptProxy ? withPreamble(NONE, PROXY) : NONE;
  return bind.netscalerMagic > 0 ? withPreamble(proxied, NETSCALER) : proxied;
}

export function withPreamble(known: readonly Preamble[], one: Preamble): readonly Preamble[] {
  return PREAMBLES.filter(preamble => preamble === one || known.includes(preamble));
}

/** Reads a header at the start of a session, then lets the session go on. A bad or late one ends the connection. */
export class PreambleReader implements Handler, SessionDriver {
  readonly #session: Session;
  readonly #preamble: Preamble;
  #bytes: Uint8Array = new Uint8Array(V1_MAX_BYTES + 1);
  #used = 0;
  #ended = false;

  constructor(session: Session, preamble: Preamble) {
    this.#session = session;
    this.#preamble = preamble;
    session.conn.handler = this;
    session.driver = this;
    session.wait(session.frontend.proxy.timeouts.clientMs);
  }

  onOpen(): void {}

  onData(conn: Conn, chunk: Chunk): void {
    this.#gather(chunk);
    const { bytesMax, long, parse } = this.#preamble;
    const parsed = parse(this.#bytes, this.#used, this.#session);
    if (parsed === 'more' && this.#used < bytesMax) return;
    if (typeof parsed === 'string') {
      this.#reject(parsed === 'more' ? long : parsed);
      return;
    }
    if (parsed.source !== null && parsed.destination !== null) {
      this.#session.setAddresses(parsed.source, parsed.destination);
    }
    if (parsed.fields !== null) this.#session.proxyFields = parsed.fields;
    this.#session.begin();
    const left = this.#used - parsed.length;
    if (left > 0) conn.handler.onData(conn, ownChunk(this.#bytes.slice(parsed.length, this.#used)));
  }

  onEnd(): void {
    this.#ended = true;
    this.#reject(this.#used === 0 ? this.#preamble.empty : this.#preamble.cut);
  }

  onDrain(): void {}

  onClose(): void {
    this.#session.closed();
  }

  stream(): null {
    return null;
  }

  onTimeout(): void {
    this.#reject(this.#preamble.late);
  }

  onStop(): void {}

  #reject(name: string): void {
    const { context, frontend, conn } = this.#session;
    const error = numberOf(name);
    this.#session.error = error;
    if (name !== this.#preamble.empty || !frontend.proxy.options.dontlognull) {
      context.events.sessionFailed(this.#session, CONNECTION_ERRORS[error]!.message);
    }
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
