/**
 * A stream stands between two sides. Each side turns the bytes of its connection into messages and back (HTTP/1), or
 * leaves them alone (TCP, tunnels); the stream neither knows nor cares which.
 *
 *   client conn ── ClientSide ──  Stream  ── ServerSide ── server conn
 *               requestData ──►            ──► data            (payload of the request)
 *                      data ◄──            ◄── responseData    (payload of the response)
 *
 * Flow control: whoever has HIGH_WATER_BYTES pending makes the stream pause the other side's reading.
 */
import type { Slice } from '../balance/balancer.ts';
import type { Head } from '../http/head.ts';
import type { Chunk, Conn } from '../io/contract.ts';
import type { BodyBuffer } from './body-buffer.ts';
import type { Reply } from './reply.ts';

/** A validated trailer section, its closing empty line included: `trailers[0, trailersEnd)`. */
export interface Trailers {
  readonly trailers: Uint8Array;
  readonly trailersEnd: number;
}

interface Side {
  /** null once the connection is gone or given away. */
  readonly conn: Conn | null;
  /** Payload received and not yet passed on, or in TCP the bytes that are held; null = none. Valid during one call. */
  buffered(): Slice | null;
  /** HTTP: where the payload is gathered while rules wait for it (body-wait.ts). */
  gather(): BodyBuffer;
  /** HTTP: what is gathered may take `maxBytes`. */
  gatherMore(maxBytes: number): void;
  /** Sends payload `chunk.bytes[start, end)`: chunked payload with its framing. */
  data(chunk: Chunk, start: number, end: number): void;
  /** Sends bytes of payload; they are copied. */
  write(bytes: Uint8Array, start: number, end: number): void;
  /** The message is complete. */
  end(trailers: Trailers | null): void;
  /** Stops and goes on reading from the peer. Idempotent. */
  pause(): void;
  resume(): void;
}

export interface ClientSide extends Side {
  /** Output that the client has not taken yet, bytes. */
  readonly pending: number;
  /** Nothing more will come for content rules to look at: the buffer is full, the request whole, or the client has half-closed. */
  inspected(): boolean;
  /** Sends the stream's response head, interim (1xx) or final. */
  respond(head: Head): void;
  /** False when chunked payload must be given without its framing. */
  readonly takesChunks: boolean;
  /** Sends a whole response made by us; afterwards the connection goes on only if `keep` and the request allow it. */
  reply(reply: Reply, keep: boolean): void;
  /** Sends the head of a response that we make piece by piece with `write`, then `end`. `chunked`: `write` is given chunks. */
  open(reply: Reply, chunked: boolean): void;
  /** TCP: from here on the client speaks HTTP, and its stream is HTTP's (manual 4, HTTP upgrades). */
  upgrade(): void;
  /** From here on both directions are plain bytes: an upgraded connection or a CONNECT tunnel. */
  tunnel(): void;
  /** The stream is over: the next request, or the end of the connection. */
  done(): void;
}

export interface ServerSide extends Side {
  /** The connection had served another exchange before this one. */
  readonly reused: boolean;
  /** HTTP: a part of a response head has come. */
  readonly partial: boolean;
  /** The connection is ready: sends what opens the exchange (in HTTP the request head). */
  request(): void;
  /** Nobody is there to ask for more: half-closes the connection. */
  shut(): void;
  tunnel(): void;
  /** The stream lets go: an orderly finished connection goes back to its pool, any other is closed. */
  release(): void;
}
