/** What the persistence cookie says of a server: the name on its line, or one made of its address (`cookie ... dynamic`). */
import type { DynamicCookies } from '../balance/dynamic-cookies.ts';
import { latin1 } from '../http/chars.ts';
import type { Server } from './nouns.ts';

export interface ServerCookie {
  readonly text: string;
  readonly value: Uint8Array;
  /** What prefix mode puts before the server's own value. */
  readonly prefix: Uint8Array;
}

/** The versions of a server's address and of the backend's settings for which its cookie was made. */
interface Made {
  readonly version: number;
  readonly settings: number;
  readonly cookie: ServerCookie | null;
}

export class ServerCookies {
  readonly #dynamic: DynamicCookies;
  readonly #proxy: number;
  readonly #made: (Made | undefined)[] = [];

  /** `proxy`: the index of the backend. */
  constructor(dynamic: DynamicCookies, proxy: number) {
    this.#dynamic = dynamic;
    this.#proxy = proxy;
  }

  /** Null when the server has none. A server that was added in the place of another has its own. */
  of(server: Server): ServerCookie | null {
    const { index, cookie } = server.config;
    const { version } = server.live;
    const settings = this.#dynamic.version(this.#proxy);
    const known = this.#made[index];
    const same = known?.version === version && known.settings === settings;
    if (same && (cookie === null || known.cookie?.text === cookie)) return known.cookie;
    const text = cookie ?? this.#dynamic.name(this.#proxy, server.live.address);
    const made = text === null ? null : { text, value: latin1(text), prefix: latin1(`${text}~`) };
    this.#made[index] = { version, settings, cookie: made };
    return made;
  }
}
