/**
 * The store that several controllers share: an etcd. Every controller has all items in memory, kept up by a watch.
 *
 *     /sluice/lbaas/revision        the number of the last change; every change compares and advances it
 *                   trees/<root>    all items of a tree, a list of rows; `common`: those of none
 *                   hosts/<host>    controllers that live              ┐
 *                   owners/<root>   the host that runs a tree          ├ end with the lease of their host
 *                   health/<root>   what that host knows of its process┘
 *
 * A change whose comparison fails was made from old items: it is made again from the new ones.
 */
import type { Row } from '../../engine/lbaas/items.ts';
import { CacheDraft, CachedStore, type Draft, type Write } from '../../engine/lbaas/store.ts';
import { type Compare, EtcdClient, type KeyEvent, type Operation } from './etcd-client.ts';
import { EtcdOwnership, type Member } from './etcd-ownership.ts';
import type { Log } from './log.ts';
import { sleep } from './processes.ts';

export const PREFIX = '/sluice/lbaas/';
const REVISION = `${PREFIX}revision`;
const TREES = `${PREFIX}trees/`;
const COMMON = 'common';

/** How often a change is made again that others were quicker than. */
const TRIES_MAX = 50;
/** Until a watch that ended is begun again; how long a change waits for one that it has missed. Milliseconds. */
const AGAIN_MS = 500;
const MISSED_MAX_MS = 5_000;

export class EtcdStore extends CachedStore {
  readonly ownership: EtcdOwnership;
  readonly #client: EtcdClient;
  readonly #log: Log;
  readonly #ending = new AbortController();
  readonly #waiting: (() => void)[] = [];
  /** Changes go one after the other. */
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(client: EtcdClient, ownership: EtcdOwnership, log: Log) {
    super();
    this.#client = client;
    this.ownership = ownership;
    this.#log = log;
  }

  /** Reads everything, and takes the trees that are this host's. Rejects when etcd does not answer. */
  static async open(url: string, member: Member, log: Log): Promise<EtcdStore> {
    const client = new EtcdClient(url);
    const ownership = new EtcdOwnership(client, PREFIX, member, log);
    const store = new EtcdStore(client, ownership, log);
    const revision = await store.#load();
    await ownership.start(() => store.#roots());
    void store.#follow(revision + 1);
    return store;
  }

  close(): void {
    this.#ending.abort();
    this.ownership.stop();
  }

  change<T>(fn: (draft: Draft) => T): Promise<T> {
    const done = this.#queue.then(() => this.#change(fn));
    this.#queue = done.catch(() => {});
    return done;
  }

  async #change<T>(fn: (draft: Draft) => T): Promise<T> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const before = this.revision;
      const draft = new CacheDraft(this.cache, before + 1);
      const result = fn(draft);
      const { writes } = draft;
      if (writes.length === 0) return result;
      const kept = await this.#client.transact([was(before)], this.#operations(draft, writes, before + 1));
      if (kept !== null) {
        if (this.revision === before) this.apply(writes, before + 1);
        return result;
      }
      await this.#newer(before);
    }
    throw new Error('etcd: other controllers change too much at the same time');
  }

  /** The trees that writes touch, each as a whole. */
  #operations(draft: CacheDraft, writes: readonly Write[], revision: number): Operation[] {
    const roots = new Set<string>();
    for (const { kind, id, row } of writes) {
      const old = this.cache.get(kind, id);
      if (old !== undefined) roots.add(old.root);
      if (row !== null) roots.add(row.item.root);
    }
    const trees = [...roots].map(root => {
      const rows = draft.tree(root);
      return { key: TREES + (root || COMMON), value: rows.length === 0 ? null : JSON.stringify(rows) };
    });
    return [{ key: REVISION, value: String(revision) }, ...trees];
  }

  protected override apply(writes: readonly Write[], revision: number): void {
    super.apply(writes, revision);
    for (const resolve of this.#waiting.splice(0)) resolve();
    this.ownership.look();
  }

  /** Resolves when the watch has brought another revision than `revision`, or in a while. */
  async #newer(revision: number): Promise<void> {
    const deadline = sleep(MISSED_MAX_MS);
    if (this.revision !== revision) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    await Promise.race([promise, deadline]);
  }

  #roots(): string[] {
    return [...this.cache.list('loadbalancer'), ...this.cache.list('v1pool')].map(({ id }) => id);
  }

  /** Reads all keys; returns etcd's own revision. */
  async #load(): Promise<number> {
    const { rows, revision } = await this.#client.range(PREFIX);
    const keys = new Set(rows.map(({ key }) => key));
    const gone = [...this.#roots(), COMMON].map(root => TREES + root).filter(key => !keys.has(key));
    this.ownership.forget();
    this.#hear([...rows, ...gone.map(key => ({ key, value: null }))]);
    return revision;
  }

  async #follow(from: number): Promise<void> {
    let next = from;
    while (!this.#ending.signal.aborted) {
      try {
        await this.#client.watch(PREFIX, next, this.#ending.signal, (events, revision) => {
          next = revision + 1;
          this.#hear(events);
        });
      } catch (error) {
        if (this.#ending.signal.aborted) return;
        this.#log('warning', (error as Error).message);
        await sleep(AGAIN_MS);
        if ((error as Error).message.includes('compacted')) next = (await this.#load().catch(() => next - 1)) + 1;
      }
    }
  }

  #hear(events: readonly KeyEvent[]): void {
    const writes: Write[] = [];
    let revision = this.revision;
    for (const { key, value } of events) {
      if (key === REVISION) revision = Number(value);
      else if (key.startsWith(TREES)) writes.push(...this.#treeWrites(key.slice(TREES.length), value));
      else this.ownership.hear(key, value);
    }
    if (writes.length > 0 || revision !== this.revision) this.apply(writes, revision);
  }

  /** What differs between a tree as it is and as it has become. */
  #treeWrites(name: string, value: string | null): Write[] {
    const rows = value === null ? [] : (JSON.parse(value) as Row[]);
    const there = new Set(rows.map(({ kind, item }) => `${kind} ${item.id}`));
    const root = name === COMMON ? '' : name;
    const gone = this.cache.tree(root).filter(({ kind, item }) => !there.has(`${kind} ${item.id}`));
    const changed = rows.filter(
      ({ kind, item, revision }) => (this.cache.row(kind, item.id)?.revision ?? -1) < revision,
    );
    return [
      ...gone.map(({ kind, item }) => ({ kind, id: item.id, row: null })),
      ...changed.map(row => ({ kind: row.kind, id: row.item.id, row })),
    ];
  }
}

/** The revision is still the one that a change was made from. */
function was(revision: number): Compare {
  return revision === 0 ? { key: REVISION, absent: true } : { key: REVISION, value: String(revision) };
}
