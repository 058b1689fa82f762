/** How queries get to one name server and answers back: as datagrams, or over a TCP connection (RFC 7766). */
import type { Address, Chunk, Conn, Handler } from '../io/contract.ts';
import type { ResolverEnv } from './env.ts';

export interface Channel {
  send(query: Uint8Array): void;
  /** Nothing comes afterwards. */
  close(): void;
}

export interface ChannelHandler {
  onAnswer(bytes: Uint8Array): void;
  /** The server cannot be reached, or has gone: what was asked over this channel has no answer. */
  onLost(): void;
}

/** The socket takes datagrams of the server only, from a port that the system chose for it. */
export function udpChannel(env: ResolverEnv, server: Address, handler: ChannelHandler): Channel {
  return env.openDatagrams(server, {
    onDatagram(bytes) {
      env.io.wake();
      handler.onAnswer(bytes);
    },
    onLost() {
      env.io.wake();
      handler.onLost();
    },
  });
}

const LENGTH_BYTES = 2;
/** The longest message, and its length. */
const FRAME_BYTES = LENGTH_BYTES + 65_535;

/** Messages with their length before them, any number of them on their way at a time. */
export class TcpChannel implements Channel, Handler {
  readonly #handler: ChannelHandler;
  readonly #conn: Conn;
  /** What has come of the next answers; no more than a message is ever kept. */
  #got = new Uint8Array(0);
  #closed = false;

  constructor({ io }: ResolverEnv, server: Address, handler: ChannelHandler) {
    this.#handler = handler;
    this.#conn = io.connect(server, { source: null, tfo: false }, this);
  }

  send(query: Uint8Array): void {
    this.#conn.send(Uint8Array.of(query.length >> 8, query.length & 0xff), 0, LENGTH_BYTES);
    this.#conn.send(query, 0, query.length);
  }

  close(): void {
    this.#closed = true;
    this.#conn.abort(false);
  }

  onOpen(): void {}
  onDrain(): void {}

  onData(_: Conn, { bytes, start, end }: Chunk): void {
    const all = new Uint8Array(this.#got.length + end - start);
    all.set(this.#got);
    all.set(bytes.subarray(start, end), this.#got.length);
    let at = 0;
    while (!this.#closed && all.length - at >= LENGTH_BYTES) {
      const next = at + LENGTH_BYTES + ((all[at]! << 8) | all[at + 1]!);
      if (next > all.length) break;
      this.#handler.onAnswer(all.subarray(at + LENGTH_BYTES, next));
      at = next;
    }
    this.#got = all.slice(at, at + FRAME_BYTES);
  }

  onEnd(conn: Conn): void {
    conn.close();
  }

  onClose(): void {
    if (!this.#closed) this.#handler.onLost();
    this.#closed = true;
  }
}
