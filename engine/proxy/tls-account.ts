/** What TLS connections leave in the counters, and the limits they are under (`maxsslconn`, `maxsslrate`). */
import { raise } from '../shm/atomics.ts';
import { CUM_TLS, CUR_TLS, TLS_FAILED, TLS_LOOKUPS, TLS_MISSES, TLS_REUSED, TLS_SESS } from '../shm/counters.ts';
import { rateAdd } from '../shm/rate.ts';
import { PROCESS } from '../shm/words.ts';
import type { TlsConn } from '../tls/conn.ts';
import type { SessionCache } from '../tls/session-cache.ts';
import type { Context } from './nouns.ts';

/** Takes the place of one TLS connection, to a client or to a server; false when there is none. The gauge stands right beside the word. */
export function enterTls({ words, counters, at, row }: Context): boolean {
  const before = Atomics.add(words, at + PROCESS.at.tls_conns, 1);
  counters[row + CUR_TLS]! += 1;
  const limit = Atomics.load(words, at + PROCESS.at.maxsslconn);
  if (limit !== 0 && before >= limit) {
    counters[row + CUR_TLS]! -= 1;
    Atomics.sub(words, at + PROCESS.at.tls_conns, 1);
    return false;
  }
  raise(words, at + PROCESS.at.tls_conns_max, before + 1);
  counters[row + CUM_TLS]! += 1;
  return true;
}

export function leaveTls({ words, counters, at, row }: Context): void {
  counters[row + CUR_TLS]! -= 1;
  Atomics.sub(words, at + PROCESS.at.tls_conns, 1);
}

/** A handshake is over: counted in the rows, those of a frontend and its listener or of a backend and its server. */
export function countHandshake(context: Context, conn: TlsConn, ...rows: readonly number[]): void {
  const { counters, worker } = context;
  if (!conn.client) countLookups(context, conn.tls?.context.sessions ?? null);
  const failed = conn.failure !== 'none';
  const resumed = !failed && conn.tls!.resumed();
  const counter = failed ? TLS_FAILED : resumed ? TLS_REUSED : TLS_SESS;
  for (const row of rows) {
    counters[row + counter]! += 1;
    // A resumed session counts as a session, too.
    if (resumed) counters[row + TLS_SESS]! += 1;
  }
  if (failed) return;
  const now = context.io.now();
  if (conn.client) {
    if (!resumed) rateAdd(counters, context.tlsServerKeyRate, context.tlsServerKeyRate[worker]!, now, 1);
    return;
  }
  rateAdd(counters, context.tlsRate, context.tlsRate[worker]!, now, 1);
  if (!resumed) rateAdd(counters, context.tlsKeyRate, context.tlsKeyRate[worker]!, now, 1);
}

function countLookups({ counters, row }: Context, sessions: SessionCache | null): void {
  if (sessions === null || sessions.lookups === 0) return;
  counters[row + TLS_LOOKUPS]! += sessions.lookups;
  counters[row + TLS_MISSES]! += sessions.misses;
  sessions.lookups = sessions.misses = 0;
}
