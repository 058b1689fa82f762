/**
 * Connections through a SOCKS 4 proxy (`socks4`, `check-via-socks4`): whoever asked hears of the connection when the proxy
 * has made the one behind it.
 *
 *   request   4, 1 (connect) | port (2) | IPv4 address (4) | user, zero-terminated
 *   reply     0 (not looked at), 90 (granted) | port, address: of no meaning
 */
import { constants } from 'node:os';
import type { Address, Chunk, Conn, ConnectOptions, Handler, Io } from './contract.ts';

const USER = 'HAProxy';
const REPLY_BYTES = 8;
const GRANTED = 90;
/** SOCKS 4a: an address that is none is followed by a name. Not needed: addresses are known here. */
const CONNECT = 1;

function requestOf({ bytes, port }: Address): Uint8Array {
  return Uint8Array.of(4, CONNECT, port >> 8, port & 255, ...bytes, ...Buffer.from(`${USER}\0`));
}

/** What becomes of the handshake, for whoever wants to know more than that there is no connection. */
export type SocksNews = 'reached' | 'denied' | 'closed';

type Tell = (news: SocksNews) => void;

/** The handler of a connection until the proxy has granted it. */
class Handshake implements Handler {
  readonly #address: Address;
  readonly #next: Handler;
  readonly #tell: Tell;
  readonly #reply: number[] = [];

  constructor(address: Address, next: Handler, tell: Tell) {
    this.#address = address;
    this.#next = next;
    this.#tell = tell;
  }

  onOpen(conn: Conn): void {
    this.#tell('reached');
    const request = requestOf(this.#address);
    conn.send(request, 0, request.length);
  }

  onData(conn: Conn, chunk: Chunk) {
    let at = chunk.start;
    while (at < chunk.end && this.#reply.length < REPLY_BYTES) this.#reply.push(chunk.bytes[at++]!);
    if (this.#reply.length < REPLY_BYTES) return;
    if (this.#reply[1] !== GRANTED) return this.#refuse(conn, 'denied');
    conn.handler = this.#next;
    this.#next.onOpen(conn);
    if (at < chunk.end && conn.alive) conn.handler.onData(conn, { ...spanOf(chunk), start: at });
  }

  onEnd(conn: Conn): void {
    this.#refuse(conn, 'closed');
  }

  onDrain(): void {}

  onClose(conn: Conn, errno: number): void {
    this.#next.onClose(conn, errno || constants.errno.ECONNREFUSED);
  }

  /** `onClose` follows. */
  #refuse(conn: Conn, why: SocksNews): void {
    this.#tell(why);
    conn.abort(true);
  }
}

function spanOf(chunk: Chunk): Chunk {
  const { bytes, start, end } = chunk;
  return { bytes, start, end, keep: () => chunk.keep(), release: () => chunk.release() };
}

/** `io.connect`, through the proxy at `via` unless that is null or the address is no IPv4 one. */
export function connectThrough(
  io: Io,
  via: Address | null,
  address: Address,
  options: ConnectOptions,
  handler: Handler,
  tell: Tell = () => {},
): Conn {
  if (via === null || address.family !== 4) return io.connect(address, options, handler);
  return io.connect(via, options, new Handshake(address, handler, tell));
}
