/** What TLS needs of the master: keys that all threads share, and where each notes its native objects. */
import { randomBytes } from 'node:crypto';
import type { Model } from '../engine/config/model.ts';
import { TLS_SESSIONS_MAX } from '../engine/limits.ts';
import { newLedger } from '../engine/tls/ledger.ts';
import { newSessionMemory } from '../engine/tls/session-cache.ts';

/** Name and keys of session tickets (engine/tls/tickets.ts). */
const TICKET_KEY_BYTES = 80;

/**
 * The model with what sessions resume by: new keys for tickets, and a cache for clients without, which all workers know. As with
 * HAProxy they are those of one generation: who was let in by its rules for certificates is looked at again by those of the next.
 */
export function withResumption(model: Model): Model {
  const { cacheSize, privateCache } = model.global.tls;
  const shared = cacheSize > 0 && !privateCache && endsOf(model).some(({ tls }) => tls !== null);
  const sessions = shared ? newSessionMemory(cacheSize) : null;
  return { ...model, tls: { ...model.tls, ticketKey: new Uint8Array(randomBytes(TICKET_KEY_BYTES)), sessions } };
}

/** Whatever may speak TLS. */
function endsOf({ proxies, peers, rings, logForwards, global }: Model) {
  const servers = proxies.flatMap(proxy => proxy.servers);
  return [
    ...[...proxies, ...peers, ...logForwards].flatMap(section => section.binds),
    ...global.statsSockets,
    ...servers,
    ...servers.map(server => ({ tls: server.checkTls })),
    ...peers.flatMap(section => section.peers),
    ...rings.flatMap(ring => ring.servers),
  ];
}

/** Native objects of a thread: a connection to a client and one to a server each, and what they are made from. */
export function ledgerFor(model: Model): SharedArrayBuffer {
  const ends = endsOf(model);
  if (!ends.some(({ tls }) => tls !== null)) return newLedger(0);
  const { tls, global } = model;
  return newLedger(2 * global.maxconn + 2 * ends.length + 4 * tls.certificates.length + TLS_SESSIONS_MAX);
}
