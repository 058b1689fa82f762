/** Where a server is reached. */
import type { Address } from '../io/contract.ts';
import type { Server } from './nouns.ts';
import type { Stream } from './stream.ts';

/** The server's address; a port that was left out or given as an offset is the client's destination port (manual 5.2). */
export function targetAddress(stream: Stream, { live }: Server): Address {
  const { address } = live;
  if (!live.relative) return address;
  const destination = stream.session.destination();
  return { family: address.family, bytes: address.bytes, port: ((destination?.port ?? 0) + live.offset) & 0xffff };
}
