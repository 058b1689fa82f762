/** `option abortonclose`: clients whose end comes with their hello. */
import { expect, test } from 'vitest';
import { heapChunk, NOBODY } from '../../engine/io/common.ts';
import type { Conn, Io, Layer } from '../../engine/io/contract.ts';
import { acceptTls, type TlsConn } from '../../engine/tls/conn.ts';
import { TlsConnection } from '../../engine/tls/connection.ts';
import { NO_HELLO } from '../../engine/tls/hello.ts';
import { pointerTo } from '../../engine/tls/openssl.ts';
import * as wire from '../../engine/tls/wire.ts';
import { TLS_CLIENT, TLS_SERVER } from './ends.ts';

/** What a client says first. */
function hello(): Uint8Array {
  const client = new TlsConnection(TLS_CLIENT.context(NO_HELLO)!, true);
  client.handshake();
  const bytes = new Uint8Array(wire.produced());
  wire.take(pointerTo(bytes), bytes.length);
  client.free();
  return bytes;
}

/** One turn of the loop: a hello in so many pieces, and perhaps the client's end. */
function turn(pieces: number, ends: boolean, hesitates: boolean) {
  const layers: Layer[] = [];
  const io = { take: heapChunk, now: () => 1, settle: (layer: Layer) => layers.push(layer) };
  let sent = 0;
  const under = {
    handler: NOBODY,
    pending: 0,
    forward(_chunk: unknown, start: number, end: number) {
      sent += end - start;
    },
    resume() {},
    close() {},
  };
  const conn: TlsConn = acceptTls(io as unknown as Io, under as unknown as Conn, { ...TLS_SERVER, hesitates });
  const bytes = hello();
  const cut = (i: number) => Math.floor((i * bytes.length) / pieces);
  for (let i = 0; i < pieces; i++) {
    const keeps = { keep() {}, release() {} };
    conn.onData(conn, { bytes, start: cut(i), end: cut(i + 1), ...keeps });
  }
  if (ends) conn.onEnd();
  for (const layer of layers) layer.settle();
  const { failure } = conn;
  conn.onClose(conn, 0);
  return { answered: sent > 0, failure };
}

test.each([1, 3])('a hello in %i pieces', pieces => {
  expect(turn(pieces, true, true)).toEqual({ answered: false, failure: 'aborted' });
  expect(turn(pieces, false, true)).toEqual({ answered: true, failure: 'none' });
  expect(turn(pieces, true, false)).toEqual({ answered: true, failure: 'failed' });
});
