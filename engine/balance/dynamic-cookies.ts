/**
 * Names of servers that are made of their addresses (`cookie ... dynamic`, `dynamic-cookie-key`). Whether and with which key a
 * backend makes them can be changed at run time; every thread follows (shm/change-log.ts).
 */
import { isBackend } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import type { Address } from '../io/contract.ts';
import { xxh64 } from '../sample/xxhash.ts';
import type { Change, ChangeLog, Follower } from '../shm/change-log.ts';

// Records: `ref` is the index of the backend. The value of KEY is the key, its `number` 1 = there is none; `number` of DYNAMIC is
// 0 or 1.
const KEY = 48;
const DYNAMIC = 49;

interface Setting {
  dynamic: boolean;
  key: string | null;
  /** Changes with the others. */
  version: number;
}

export class DynamicCookies implements Follower {
  readonly kinds = [KEY, DYNAMIC];
  readonly #log: ChangeLog;
  readonly #settings: Setting[];

  constructor(proxies: readonly Proxy[], log: ChangeLog) {
    this.#log = log;
    this.#settings = proxies.map(configured);
    log.follow(this);
  }

  /** Changes with the names of the backend. */
  version(proxy: number): number {
    return this.#of(proxy).version;
  }

  /** The name that a server of the backend has without one on its line; null = none. */
  name(proxy: number, address: Address): string | null {
    const { dynamic, key } = this.#of(proxy);
    return dynamic && key !== null ? dynamicName(key, address) : null;
  }

  /** In force in all threads when it returns true; false = there is no room. */
  setKey(proxy: number, key: string): boolean {
    return this.#log.change(() => this.#log.append(KEY, proxy, 0, 0, undefined, Buffer.from(key)));
  }

  /** Another backend has this place, and none of the settings of the one before. */
  begin(proxy: Proxy): void {
    this.#settings[proxy.index] = { ...configured(proxy), version: this.#of(proxy.index).version + 1 };
  }

  /** Says so to threads that start later, which read what was told of the one before. */
  tellBegin(proxy: Proxy): boolean {
    return this.#log.change(() => append(this.#log, proxy.index, configured(proxy)));
  }

  setDynamic(proxy: number, dynamic: boolean): boolean {
    return this.#log.change(() => this.#log.append(DYNAMIC, proxy, 0, dynamic ? 1 : 0));
  }

  apply({ kind, ref, number, bytes, mid, end }: Change): void {
    const setting = this.#settings[ref]!;
    setting.version++;
    if (kind === KEY) setting.key = number === 1 ? null : Buffer.from(bytes.subarray(mid, end)).toString();
    else setting.dynamic = number === 1;
  }

  snapshot(log: ChangeLog): void {
    for (const [proxy, setting] of this.#settings.entries()) if (setting.version > 0) append(log, proxy, setting);
  }

  /** Appends what was changed of backends that another configuration has, and of whose cookies it says the same. */
  bequeath(log: ChangeLog, before: readonly Proxy[], now: readonly Proxy[]): void {
    for (const { index, name } of before) {
      const heir = now.find(proxy => proxy.name === name && isBackend(proxy));
      const setting = this.#settings[index]!;
      if (setting.version === 0 || heir === undefined) continue;
      const [then, after] = [configured(before[index]!), configured(heir)];
      if (then.dynamic === after.dynamic && then.key === after.key) append(log, heir.index, setting);
    }
  }

  #of(proxy: number): Setting {
    if (this.#log.behind) this.#log.catchUp();
    return this.#settings[proxy]!;
  }
}

function append(log: ChangeLog, proxy: number, { dynamic, key }: Setting): void {
  log.append(DYNAMIC, proxy, 0, dynamic ? 1 : 0);
  log.append(KEY, proxy, 0, key === null ? 1 : 0, undefined, Buffer.from(key ?? ''));
}

function configured({ cookie, dynamicCookieKey }: Proxy): Setting {
  return { dynamic: cookie?.dynamic ?? false, key: dynamicCookieKey, version: 0 };
}

/** The same in every load balancer with the same key: a hash of key, address and port (32 bits, big-endian). */
export function dynamicName(key: string, { family, bytes, port }: Address): string | null {
  if (family === 1) return null;
  const last = Buffer.alloc(4);
  last.writeUInt32BE(port);
  const all = Buffer.concat([Buffer.from(key), bytes, last]);
  return xxh64(all, 0, all.length, 0n).toString(16).padStart(16, '0');
}
