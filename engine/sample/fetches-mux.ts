/**
 * Fetches of what carries streams over connections (manual 7.3.3, 7.3.4), as it is with TCP and HTTP/1: a connection carries one
 * stream at a time, nobody resets one alone, and what is wrong in it ends the connection at once. Nothing comes from a cache.
 */
import type { Stream } from '../proxy/stream.ts';
import { CAUSE } from '../proxy/termination.ts';
import { type FetchRow, plain } from './row.ts';
import { bytesOf } from './sample.ts';

const NOTHING = bytesOf('');

/** A connection to a server was made for the stream. */
function reached({ connectedAt }: Stream): boolean {
  return connectedAt !== 0;
}

export const MUX_FETCHES: readonly FetchRow[] = [
  plain('fs.aborted', 'bool', 'clientSession', 'The client has aborted the stream.', ({ stream }, out) => {
    return stream !== null && out.setBool(stream.cause === CAUSE.client);
  }),
  plain('bs.aborted', 'bool', 'serverSession', 'The server has aborted the stream.', ({ stream }, out) => {
    return stream !== null && out.setBool(stream.cause === CAUSE.server && reached(stream));
  }),
  plain('fs.rst_code', 'sint', 'clientSession', 'The code of the reset: there is none in TCP and HTTP/1.', () => false),
  plain('bs.rst_code', 'sint', 'serverSession', 'The code of the reset: there is none in TCP and HTTP/1.', () => false),
  plain('fc_glitches', 'sint', 'clientSession', 'Oddities of the client that were put up with: none.', (_, out) =>
    out.setInt(0),
  ),
  plain('bc_glitches', 'sint', 'serverSession', 'Oddities of the server that were put up with: none.', (ctx, out) => {
    return ctx.stream !== null && reached(ctx.stream) && out.setInt(0);
  }),
  plain(
    'fc_settings_streams_limit',
    'sint',
    'clientSession',
    'Streams that the connection may carry at a time.',
    (_, out) => out.setInt(1),
  ),
  plain(
    'bc_settings_streams_limit',
    'sint',
    'serverSession',
    'Streams that the connection may carry at a time.',
    (ctx, out) => {
      return ctx.stream !== null && reached(ctx.stream) && out.setInt(1);
    },
  ),
  plain('res.cache_hit', 'bool', 'response', 'The response comes from a cache: never.', (_, out) => out.setBool(false)),
  plain('res.cache_name', 'str', 'response', 'The cache that it comes from: none.', (_, out) =>
    out.setStr(NOTHING, 0, 0),
  ),
];
