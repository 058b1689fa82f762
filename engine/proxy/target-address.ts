/** Where a server is reached. */
import type { Address } from '../io/contract.ts';
import type { Server } from './nouns.ts';
import type { Stream } from './stream.ts';

/**
 * The server's address; a port that was left out or given as an offset is the client's destination port, and an address of
 * only zeros is the client's destination (manual 4.2, `server`; `set-dst` may have changed it).
 */
export function targetAddress(stream: Stream, { live }: Server): Address {
  const { address, relative, anywhere } = live;
  if (!relative && !anywhere) return address;
  const destination = stream.session.destination();
  const port = relative ? ((destination?.port ?? 0) + live.offset) & 0xffff : address.port;
  const { family, bytes } = anywhere && destination !== null && destination.family !== 1 ? destination : address;
  return { family, bytes, port };
}
