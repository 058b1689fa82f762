/** What the persistence cookie says of a server: the name on its line, or one made of its address (`cookie ... dynamic`). */
import { latin1 } from '../http/chars.ts';
import type { Address } from '../io/contract.ts';
import { xxh64 } from '../sample/xxhash.ts';
import type { Server } from './nouns.ts';

export interface ServerCookie {
  readonly text: string;
  readonly value: Uint8Array;
  /** What prefix mode puts before the server's own value. */
  readonly prefix: Uint8Array;
}

/** The version of a server's address for which its cookie was made. */
interface Made {
  readonly version: number;
  readonly cookie: ServerCookie | null;
}

export class ServerCookies {
  readonly #dynamicKey: string | null;
  readonly #made: (Made | undefined)[] = [];

  /** `dynamicKey`: null when names are not made of addresses. */
  constructor(dynamicKey: string | null) {
    this.#dynamicKey = dynamicKey;
  }

  /** Null when the server has none. A server that was added in the place of another has its own. */
  of(server: Server): ServerCookie | null {
    const { index, cookie } = server.config;
    const { version } = server.live;
    const known = this.#made[index];
    if (known?.version === version && (cookie === null || known.cookie?.text === cookie)) return known.cookie;
    const text = cookie ?? (this.#dynamicKey === null ? null : dynamicName(this.#dynamicKey, server.live.address));
    const made = text === null ? null : { text, value: latin1(text), prefix: latin1(`${text}~`) };
    this.#made[index] = { version, cookie: made };
    return made;
  }
}

/** The same in every load balancer with the same key: a hash of key, address and port (32 bits, big-endian). */
export function dynamicName(key: string, { family, bytes, port }: Address): string | null {
  if (family === 1) return null;
  const last = Buffer.alloc(4);
  last.writeUInt32BE(port);
  const all = Buffer.concat([Buffer.from(key), bytes, last]);
  return xxh64(all, 0, all.length, 0n).toString(16).padStart(16, '0');
}
