/**
 * The store: all items, and changes of them. A change is a function over a draft of the items: what it throws undoes it,
 * else all it did is kept in one transaction, together with the number of the revision that it makes.
 *
 *     change(fn) ──► fn(draft) ──► keep(writes, revision) ──► items ──► watchers hear which trees changed
 */
import type { Items, Kind, Row } from './items.ts';

export interface Reader {
  get<K extends Kind>(kind: K, id: string): Items[K] | undefined;
  list<K extends Kind>(kind: K): Items[K][];
  /** Everything of one tree. */
  tree(root: string): Row[];
}

/** The items of one kind in a tree. */
export function inTree<K extends Kind>(reader: Pick<Reader, 'tree'>, root: string, kind: K): Items[K][] {
  return reader.tree(root).flatMap(row => (row.kind === kind ? [row.item as unknown as Items[K]] : []));
}

export interface Draft extends Reader {
  put<K extends Kind>(kind: K, item: Items[K]): void;
  remove(kind: Kind, id: string): void;
  /** Trees that the change has touched so far. */
  roots(): ReadonlySet<string>;
}

export interface Store extends Reader {
  /** Of the last change. */
  readonly revision: number;
  /** @throws what `fn` throws, or that the change cannot be kept; then nothing has changed */
  change<T>(fn: (draft: Draft) => T): Promise<T>;
  /** `heard` is called after each change with the trees it touched. */
  watch(heard: (roots: ReadonlySet<string>) => void): void;
  close(): void;
}

/** What a change writes: the row, or that there is none any more. */
export interface Write {
  readonly kind: Kind;
  readonly id: string;
  readonly row: Row | null;
}

type Table = Map<string, Row>;

/** The items in memory, with an index by tree. */
class ItemCache implements Reader {
  readonly #tables = new Map<Kind, Table>();
  readonly #trees = new Map<string, Set<Row>>();

  get<K extends Kind>(kind: K, id: string): Items[K] | undefined {
    return this.row(kind, id)?.item;
  }

  row<K extends Kind>(kind: K, id: string): Row<K> | undefined {
    return this.#tables.get(kind)?.get(id) as Row<K> | undefined;
  }

  list<K extends Kind>(kind: K): Items[K][] {
    return [...(this.#tables.get(kind)?.values() ?? [])].map(row => row.item as Items[K]);
  }

  tree(root: string): Row[] {
    return [...(this.#trees.get(root) ?? [])];
  }

  /** Applies writes; returns the trees that they touch. */
  apply(writes: Iterable<Write>): Set<string> {
    const roots = new Set<string>();
    for (const { kind, id, row } of writes) {
      const before = this.row(kind, id);
      if (before !== undefined) this.#drop(before, roots);
      if (row !== null) this.#add(row, roots);
    }
    return roots;
  }

  #drop(row: Row, roots: Set<string>): void {
    const { root, id } = row.item;
    this.#tables.get(row.kind)!.delete(id);
    const tree = this.#trees.get(root)!;
    tree.delete(row);
    if (tree.size === 0) this.#trees.delete(root);
    roots.add(root);
  }

  #add(row: Row, roots: Set<string>): void {
    const { root, id } = row.item;
    const table: Table = this.#tables.get(row.kind) ?? new Map();
    this.#tables.set(row.kind, table.set(id, row));
    const tree = this.#trees.get(root) ?? new Set();
    this.#trees.set(root, tree.add(row));
    roots.add(root);
  }
}

/** A draft over the cache: reads see what was written to the draft. */
export class CacheDraft implements Draft {
  readonly #cache: ItemCache;
  readonly #revision: number;
  readonly #writes = new Map<string, Write>();

  /** @param revision that the change will make */
  constructor(cache: ItemCache, revision: number) {
    this.#cache = cache;
    this.#revision = revision;
  }

  get writes(): readonly Write[] {
    return [...this.#writes.values()];
  }

  get<K extends Kind>(kind: K, id: string): Items[K] | undefined {
    const write = this.#writes.get(`${kind} ${id}`);
    return write === undefined ? this.#cache.get(kind, id) : (write.row?.item as Items[K] | undefined);
  }

  list<K extends Kind>(kind: K): Items[K][] {
    const written = this.writes.filter(write => write.kind === kind);
    if (written.length === 0) return this.#cache.list(kind);
    const ids = new Set(written.map(({ id }) => id));
    const rest = this.#cache.list(kind).filter(item => !ids.has(item.id));
    return [...rest, ...written.flatMap(({ row }) => (row === null ? [] : [row.item as Items[K]]))];
  }

  tree(root: string): Row[] {
    const rest = this.#cache.tree(root).filter(row => !this.#writes.has(`${row.kind} ${row.item.id}`));
    return [...rest, ...this.writes.flatMap(({ row }) => (row?.item.root === root ? [row] : []))];
  }

  roots(): ReadonlySet<string> {
    const items = this.writes.flatMap(({ kind, id, row }) => [row?.item, this.#cache.get(kind, id)]);
    return new Set(items.flatMap(item => (item === undefined ? [] : [item.root])));
  }

  put<K extends Kind>(kind: K, item: Items[K]): void {
    const row = { kind, item, revision: this.#revision } as Row;
    this.#writes.set(`${kind} ${item.id}`, { kind, id: item.id, row });
  }

  remove(kind: Kind, id: string): void {
    this.#writes.set(`${kind} ${id}`, { kind, id, row: null });
  }
}

/** A store with all its items in memory: what is read, and who hears of changes. How a change is kept is the store's own. */
export abstract class CachedStore implements Store {
  protected readonly cache = new ItemCache();
  readonly #watchers: ((roots: ReadonlySet<string>) => void)[] = [];
  #revision = 0;

  get revision(): number {
    return this.#revision;
  }

  get<K extends Kind>(kind: K, id: string): Items[K] | undefined {
    return this.cache.get(kind, id);
  }

  list<K extends Kind>(kind: K): Items[K][] {
    return this.cache.list(kind);
  }

  tree(root: string): Row[] {
    return this.cache.tree(root);
  }

  watch(heard: (roots: ReadonlySet<string>) => void): void {
    this.#watchers.push(heard);
  }

  abstract change<T>(fn: (draft: Draft) => T): Promise<T>;
  abstract close(): void;

  /** Writes that are kept become what is read. */
  protected apply(writes: readonly Write[], revision: number): void {
    const roots = this.cache.apply(writes);
    this.#revision = Math.max(this.#revision, revision);
    for (const heard of this.#watchers) heard(roots);
  }
}
