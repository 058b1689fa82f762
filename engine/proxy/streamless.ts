/** Connections to servers that no stream leads to: peers and log servers. What their lines say holds for them as for others. */
import type { Tune } from '../config/global-model.ts';
import type { Reach } from '../config/server-model.ts';
import { connectOptions } from '../io/connect-options.ts';
import type { Address, Chunk, Conn, Handler, Io } from '../io/contract.ts';
import { connectThrough } from '../io/socks4.ts';
import { ownPortsOf } from '../shm/source-ports.ts';
import { connectOver, serverEnd } from '../tls/ends.ts';
import type { TlsStore } from '../tls/store.ts';
import { CRC_BYTES, field, TLV } from './proxy-fields.ts';
import { proxyHeader } from './proxy-protocol.ts';

/** Connects `handler` to the address. */
export type Call = (io: Io, address: Address, handler: Handler) => Conn;

export function callOf(reach: Reach, tune: Tune, store: TlsStore): Call {
  const options = connectOptions(reach, null, tune, ownPortsOf(reach));
  const end = serverEnd(store, reach.tls);
  const header = headerOf(reach);
  return (io, address, handler) =>
    connectOver(io, handler, end, next => {
      const first = header === null ? next : new Introduction(header, next);
      return connectThrough(io, reach.socks4, address, options, first);
    });
}

/** `send-proxy`: there is no client to tell of. */
function headerOf({ sendProxy, proxyOptions }: Reach): Uint8Array | null {
  if (sendProxy === 0) return null;
  const sum = proxyOptions.includes('crc32c') ? field(TLV.CRC32, new Uint8Array(CRC_BYTES)) : [];
  return proxyHeader(sendProxy, null, null, Buffer.concat(sum));
}

/** Sends the header before anything else, then leaves the connection to its owner. */
class Introduction implements Handler {
  readonly #header: Uint8Array;
  readonly #next: Handler;

  constructor(header: Uint8Array, next: Handler) {
    this.#header = header;
    this.#next = next;
  }

  onOpen(conn: Conn): void {
    conn.send(this.#header, 0, this.#header.length);
    conn.handler = this.#next;
    this.#next.onOpen(conn);
  }

  onData(_conn: Conn, _chunk: Chunk): void {}
  onEnd(): void {}
  onDrain(): void {}

  onClose(conn: Conn, errno: number): void {
    this.#next.onClose(conn, errno);
  }
}
