/** The store of one machine: a database file in the state folder. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Kind, Row } from './items.ts';
import { CacheDraft, CachedStore, type Draft, type Write } from './store.ts';

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA locking_mode = EXCLUSIVE;
  CREATE TABLE IF NOT EXISTS items (
    kind TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS revisions (revision INTEGER PRIMARY KEY);
`;

export class SqliteStore extends CachedStore {
  readonly #db: DatabaseSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #advance: StatementSync;

  /** @param path of the database, made when it is not there; `:memory:` for one that goes with the process */
  constructor(path: string) {
    super();
    this.#db = new DatabaseSync(path);
    try {
      this.#db.exec(SCHEMA);
    } catch (error) {
      throw new Error(`${path}: ${(error as Error).message} (does another 'sluice lbaas' use it?)`);
    }
    this.#put = this.#db.prepare('INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?)');
    this.#remove = this.#db.prepare('DELETE FROM items WHERE kind = ? AND id = ?');
    this.#advance = this.#db.prepare('INSERT INTO revisions VALUES (?)');
    const { last } = this.#db.prepare('SELECT max(revision) AS last FROM revisions').get() as { last: number | null };
    const rows = this.#db.prepare('SELECT kind, id, revision, body FROM items').all() as unknown as {
      kind: Kind;
      id: string;
      revision: number;
      body: string;
    }[];
    this.apply(
      rows.map(({ kind, id, revision, body }) => ({
        kind,
        id,
        row: { kind, item: JSON.parse(body), revision } as Row,
      })),
      last ?? 0,
    );
  }

  async change<T>(fn: (draft: Draft) => T): Promise<T> {
    const revision = this.revision + 1;
    const draft = new CacheDraft(this.cache, revision);
    const result = fn(draft);
    if (draft.writes.length === 0) return result;
    this.#keep(draft.writes, revision);
    this.apply(draft.writes, revision);
    return result;
  }

  #keep(writes: readonly Write[], revision: number): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      // Another process on the same file fails here: the number is taken.
      this.#advance.run(revision);
      for (const { kind, id, row } of writes) {
        if (row === null) this.#remove.run(kind, id);
        else this.#put.run(kind, id, revision, JSON.stringify(row.item));
      }
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#db.close();
  }
}
