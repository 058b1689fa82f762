/** Getting a stream its connection to the chosen server: a pooled one, or a new one. */
import { CONNECT } from '../shm/counters.ts';
import { Http1Server } from './http1-server.ts';
import { RawServer } from './raw.ts';
import { ServerText } from './server-text.ts';
import { optionsFor, poolKey } from './source-address.ts';
import type { Stream } from './stream.ts';
import { targetAddress } from './target-address.ts';
import { connectServer, serverName } from './tls-server.ts';

const POOL_NAMES = new ServerText();

/** True when the stream got a connection that is ready; false when one is being opened, or will be when there is room for it. */
export function openServerSide(stream: Stream): boolean {
  const server = stream.server!;
  const name = server.usesTls ? serverName(stream, server) : '';
  const options = optionsFor(stream, server);
  const { poolName } = server.config;
  const pool = poolName === null ? name : POOL_NAMES.of(stream, server, poolName);
  const key = poolKey(pool, options, stream.serverMarks);
  if (stream.http) {
    const pooled = server.pool.take(stream, key);
    if (pooled !== null) {
      stream.serverSide = pooled;
      pooled.attach(stream);
      stream.serverTls = server.usesTls ? pooled.conn : null;
      return true;
    }
  }
  if (stream.http && server.room?.take(stream) === false) return false;
  stream.countServer(CONNECT);
  const address = targetAddress(stream, server);
  if (stream.http) {
    const side = new Http1Server(server, key);
    side.attach(stream);
    stream.serverSide = side;
    side.conn = connectServer(stream, server, address, options, name, side);
  } else {
    const side = new RawServer(stream, server);
    stream.serverSide = side;
    side.conn = connectServer(stream, server, address, options, name, side);
  }
  stream.serverTls = server.usesTls ? stream.serverSide.conn : null;
  return false;
}
