/** What only some fetches want to know of a connection: randoms, secrets, names. Bytes are copies; null = there are none. */
import type { TlsConnection } from './connection.ts';
import { CTRL, openssl, pointerTo, textAt, view } from './openssl.ts';

const room = new Uint8Array(64);
const roomAt = pointerTo(room);
const length = new Uint32Array(2);
const lengthAt = pointerTo(length.buffer);

type Copy = (ssl: bigint, into: bigint, bytes: number) => number;

function copied(call: Copy, object: bigint): Uint8Array | null {
  const n = Math.min(call(object, roomAt, room.length), room.length);
  return n <= 0 ? null : room.slice(0, n);
}

export function clientRandom({ pointer }: TlsConnection): Uint8Array | null {
  return copied(openssl.SSL_get_client_random, pointer);
}

export function serverRandom({ pointer }: TlsConnection): Uint8Array | null {
  return copied(openssl.SSL_get_server_random, pointer);
}

/** TLS 1.2: the master secret. TLS 1.3: the secret of resumption. */
export function masterKey({ pointer }: TlsConnection): Uint8Array | null {
  const session = openssl.SSL_get_session(pointer);
  return session === 0n ? null : copied(openssl.SSL_SESSION_get_master_key, session);
}

export function sessionId({ pointer }: TlsConnection): Uint8Array | null {
  const session = openssl.SSL_get_session(pointer);
  if (session === 0n) return null;
  const id = openssl.SSL_SESSION_get_id(session, lengthAt);
  return length[0] === 0 ? null : new Uint8Array(view(id, length[0]!)).slice();
}

/** `tls-unique` (RFC 5929 3): the first Finished message of the handshake. */
export function uniqueId(tls: TlsConnection): Uint8Array | null {
  const own = tls.resumed();
  return copied(own ? openssl.SSL_get_finished : openssl.SSL_get_peer_finished, tls.pointer);
}

/** The group of the key exchange; '' = there was none. */
export function curve({ pointer }: TlsConnection): string {
  const group = Number(openssl.SSL_ctrl(pointer, CTRL.negotiatedGroup, 0n, 0n));
  return group === 0 ? '' : textAt(openssl.SSL_group_to_name(pointer, group));
}

/** The name that was asked for. */
export function sentName({ pointer }: TlsConnection): string {
  return textAt(openssl.SSL_get_servername(pointer, 0));
}
