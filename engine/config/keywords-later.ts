/** Proxy keywords that are known and refused for now: stickiness, filters, TLS and their kin. */
import type { ProxyDraft } from './draft.ts';
import { type Keyword, later } from './keyword.ts';

/** [name, sections, syntax, what it does]. */
const LATER: readonly (readonly [string, string, string, string])[] = [
  // Rules.
  ['quic-initial', 'DFL', '<action> [{ if | unless } <condition>]', 'Acts on the first QUIC packet.'],
  ['use-fcgi-app', 'LB', '<name>', 'Speaks FastCGI to the servers.'],
];

export const LATER_PROXY: readonly Keyword<ProxyDraft>[] = LATER.map(row => later(...row));
