/** Where a server is reached. */
import type { Address } from '../io/contract.ts';
import type { Server } from './nouns.ts';
import type { Stream } from './stream.ts';

/** The server's address; a port that was left out or given as an offset is the client's destination port (manual 5.2). */
export function targetAddress(stream: Stream, server: Server): Address {
  const { address, portRelative, portOffset } = server.config;
  if (!portRelative) return address;
  const destination = stream.session.destination();
  return { family: address.family, bytes: address.bytes, port: ((destination?.port ?? 0) + portOffset) & 0xffff };
}
