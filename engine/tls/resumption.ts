/** How OpenSSL keeps sessions and finds them again, for clients that come back without a ticket: session-cache.ts. */
import { CTRL, callback, openssl, pointerTo, SESSION_CACHE, setInt32, VERSION, view } from './openssl.ts';
import type { SessionCache } from './session-cache.ts';

/** Results of calls that write through pointers. */
const length = new Uint32Array(2);
const lengthAt = pointerTo(length.buffer);
const place = new BigUint64Array(1);
const placeAt = pointerTo(place.buffer);

/** What OpenSSL calls, in this thread only. */
interface Calls {
  readonly find: bigint;
  /** `keepOld`: but not those of TLS 1.3, whose clients have got a ticket. */
  readonly keep: bigint;
  readonly keepOld: bigint;
}

const CALLS = new WeakMap<SessionCache, Calls>();

function callsOf(cache: SessionCache): Calls {
  let calls = CALLS.get(cache);
  if (calls === undefined) {
    calls = {
      find: callback(
        ['pointer', 'pointer', 'i32', 'pointer'],
        (_ssl: bigint, id: bigint, bytes: number, copy: bigint) => find(cache, id, bytes, copy),
        'pointer',
      ),
      keep: callback(['pointer', 'pointer'], (_ssl: bigint, session: bigint) => keep(cache, session)),
      keepOld: callback(['pointer', 'pointer'], (ssl: bigint, session: bigint) =>
        openssl.SSL_version(ssl) >= VERSION['TLSv1.3'] ? NOT_TAKEN : keep(cache, session),
      ),
    };
    CALLS.set(cache, calls);
  }
  return calls;
}

/** The session is still OpenSSL's. */
const NOT_TAKEN = 0;

function keep(cache: SessionCache, session: bigint): number {
  const bytes = openssl.i2d_SSL_SESSION(session, 0n);
  const id = idOf(session);
  if (bytes <= 0 || id === null) return NOT_TAKEN;
  const der = new Uint8Array(bytes);
  place[0] = pointerTo(der);
  openssl.i2d_SSL_SESSION(session, placeAt);
  cache.put(id, der);
  return NOT_TAKEN;
}

/** Gives a session that OpenSSL frees; 0 = there is none. */
function find(cache: SessionCache, id: bigint, bytes: number, copy: bigint): bigint {
  setInt32(copy, 0, 0);
  const der = cache.find(new Uint8Array(view(id, bytes)));
  if (der === null) return 0n;
  place[0] = pointerTo(der);
  return openssl.d2i_SSL_SESSION(0n, placeAt, BigInt(der.length));
}

function idOf(session: bigint): Uint8Array | null {
  const at = openssl.SSL_SESSION_get_id(session, lengthAt);
  return length[0] === 0 ? null : new Uint8Array(view(at, length[0]!));
}

/** `cache` keeps the sessions of a context's clients; null = nothing does. `tickets`: those who can get tickets. */
export function keepSessions(ctx: bigint, cache: SessionCache | null, tickets: boolean): void {
  const mode = cache === null ? SESSION_CACHE.off : SESSION_CACHE.server | SESSION_CACHE.noInternal;
  openssl.SSL_CTX_ctrl(ctx, CTRL.sessionCacheMode, mode, 0n);
  if (cache === null) return;
  const calls = callsOf(cache);
  openssl.SSL_CTX_sess_set_new_cb(ctx, tickets ? calls.keepOld : calls.keep);
  openssl.SSL_CTX_sess_set_get_cb(ctx, calls.find);
}

/** Who broke the protocol does not come back with its session (RFC 5246 7.2.2). */
export function forgetSession(cache: SessionCache, ssl: bigint): void {
  const session = openssl.SSL_get_session(ssl);
  const id = session === 0n ? null : idOf(session);
  if (id !== null) cache.forget(id);
}
