/** Getting a stream its connection to the chosen server: a pooled one, or a new one. */
import type { Address } from '../io/contract.ts';
import { CONNECT } from '../shm/counters.ts';
import { Http1Server } from './http1-server.ts';
import type { Server } from './nouns.ts';
import { RawServer } from './raw.ts';
import type { Stream } from './stream.ts';

/** True when the stream got a connection that is ready; false when one is being opened. */
export function openServerSide(stream: Stream): boolean {
  const server = stream.server!;
  if (stream.http) {
    const pooled = server.pool.take(stream);
    if (pooled !== null) {
      stream.serverSide = pooled;
      pooled.attach(stream);
      return true;
    }
  }
  stream.countServer(CONNECT);
  const { io } = stream.context;
  const address = targetAddress(stream, server);
  if (stream.http) {
    const side = new Http1Server(server);
    side.attach(stream);
    stream.serverSide = side;
    side.conn = io.connect(address, server.connectOptions, side);
  } else {
    const side = new RawServer(stream, server);
    stream.serverSide = side;
    side.conn = io.connect(address, server.connectOptions, side);
  }
  const { srvtcpka } = server.backend.proxy.options;
  if (srvtcpka) stream.serverSide.conn!.keepAlive(0, 0, 0);
  return false;
}

/** The server's address; a port that was left out or given as an offset is the client's destination port (manual 5.2). */
export function targetAddress(stream: Stream, server: Server): Address {
  const { address, portRelative, portOffset } = server.config;
  if (!portRelative) return address;
  const destination = stream.session.destination();
  return { family: address.family, bytes: address.bytes, port: ((destination?.port ?? 0) + portOffset) & 0xffff };
}
