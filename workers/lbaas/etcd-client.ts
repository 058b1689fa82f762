/**
 * A client of etcd's HTTP/JSON gateway, API v3: the few calls that we need. Keys and values are base64 on the wire, 64-bit
 * numbers are text.
 */

/** How long a call may take. */
const CALL_MAX_MS = 5_000;

interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly modRevision: number;
}

/** A key that was put, or deleted: then its value is null. */
export interface KeyEvent {
  readonly key: string;
  readonly value: string | null;
}

export type Compare =
  | { readonly key: string; readonly absent: true }
  | { readonly key: string; readonly value: string }
  | { readonly key: string; readonly modRevision: number };

export interface Operation {
  readonly key: string;
  /** Null deletes. */
  readonly value: string | null;
  /** The key goes when the lease ends. */
  readonly lease?: string;
}

interface WireKeyValue {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision?: string;
}

interface Header {
  readonly revision?: string;
}

const to64 = (text: string) => Buffer.from(text).toString('base64');
const from64 = (text: string) => Buffer.from(text, 'base64').toString('utf8');

/** The first key behind all that begin with `prefix`. */
function rangeEnd(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

function keyValue({ key, value = '', mod_revision = '0' }: WireKeyValue): KeyValue {
  return { key: from64(key), value: from64(value), modRevision: Number(mod_revision) };
}

export class EtcdClient {
  readonly #url: string;

  /** @param url `http://127.0.0.1:2379` */
  constructor(url: string) {
    this.#url = url.replace(/\/$/, '');
  }

  /** Everything below a prefix, and the revision of the store that it is of. */
  async range(prefix: string): Promise<{ rows: readonly KeyValue[]; revision: number }> {
    const answer = await this.#call<{ header?: Header; kvs?: readonly WireKeyValue[] }>('kv/range', {
      key: to64(prefix),
      range_end: to64(rangeEnd(prefix)),
    });
    return { rows: (answer.kvs ?? []).map(keyValue), revision: Number(answer.header?.revision ?? 0) };
  }

  /** Does all operations, or none when a comparison fails. Returns the store's revision, or null when it failed. */
  async transact(compares: readonly Compare[], operations: readonly Operation[]): Promise<number | null> {
    const answer = await this.#call<{ header?: Header; succeeded?: boolean }>('kv/txn', {
      compare: compares.map(wireCompare),
      success: operations.map(({ key, value, lease }) =>
        value === null
          ? { request_delete_range: { key: to64(key) } }
          : { request_put: { key: to64(key), value: to64(value), ...(lease === undefined ? {} : { lease }) } },
      ),
    });
    return answer.succeeded === true ? Number(answer.header?.revision ?? 0) : null;
  }

  /** @returns the id of a lease that ends `ttlSeconds` after it was kept alive last */
  async grant(ttlSeconds: number): Promise<string> {
    return (await this.#call<{ ID: string }>('lease/grant', { TTL: ttlSeconds })).ID;
  }

  /** @returns whether the lease still was */
  async keepAlive(lease: string): Promise<boolean> {
    const { result } = await this.#call<{ result?: { TTL?: string } }>('lease/keepalive', { ID: lease });
    return Number(result?.TTL ?? 0) > 0;
  }

  async revoke(lease: string): Promise<void> {
    await this.#call('lease/revoke', { ID: lease });
  }

  /**
   * Calls `heard` with what changes below a prefix, the changes of one transaction together, until the connection ends or
   * `signal` says so. Rejects then; `compacted` in the message: the past is gone, all must be read again.
   */
  async watch(
    prefix: string,
    fromRevision: number,
    signal: AbortSignal,
    heard: (events: readonly KeyEvent[], revision: number) => void,
  ): Promise<never> {
    const create_request = {
      key: to64(prefix),
      range_end: to64(rangeEnd(prefix)),
      start_revision: String(fromRevision),
    };
    const response = await fetch(`${this.#url}/v3/watch`, {
      method: 'POST',
      body: JSON.stringify({ create_request }),
      signal,
    });
    if (!response.ok || response.body === null) throw new Error(`etcd: watch: ${response.status}`);
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of response.body) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop()!;
      for (const line of lines) if (line !== '') hear(JSON.parse(line), heard);
    }
    throw new Error('etcd: the watch ended');
  }

  async #call<T>(path: string, body: object): Promise<T> {
    const response = await fetch(`${this.#url}/v3/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(CALL_MAX_MS),
    });
    const answer = (await response.json()) as T & { error?: string };
    if (!response.ok) throw new Error(`etcd: ${path}: ${answer.error ?? response.status}`);
    return answer;
  }
}

function wireCompare(compare: Compare): object {
  const key = to64(compare.key);
  if ('absent' in compare) return { key, target: 'CREATE', result: 'EQUAL', create_revision: '0' };
  if ('value' in compare) return { key, target: 'VALUE', result: 'EQUAL', value: to64(compare.value) };
  return { key, target: 'MOD', result: 'EQUAL', mod_revision: String(compare.modRevision) };
}

interface WatchLine {
  readonly result?: {
    readonly header?: Header;
    readonly canceled?: boolean;
    readonly compact_revision?: string;
    readonly events?: readonly { readonly type?: string; readonly kv: WireKeyValue }[];
  };
  readonly error?: { readonly message?: string };
}

function hear({ result, error }: WatchLine, heard: (events: readonly KeyEvent[], revision: number) => void): void {
  if (error !== undefined) throw new Error(`etcd: watch: ${error.message}`);
  if (result?.compact_revision !== undefined && result.compact_revision !== '0')
    throw new Error('etcd: watch: compacted');
  if (result?.canceled === true) throw new Error('etcd: the watch was cancelled');
  const events = (result?.events ?? []).map(({ type, kv }) => ({
    key: from64(kv.key),
    value: type === 'DELETE' ? null : from64(kv.value ?? ''),
  }));
  if (events.length > 0) heard(events, Number(result?.header?.revision ?? 0));
}
