/**
 * The sessions open in a worker, oldest first:
 *
 *   first ──► session ⇄ session ⇄ session ◄── last
 *
 * A list through the sessions themselves. A Set would copy its table over and over while thousands come and go in a second,
 * and each old table, once the collector has moved it to the old generation, keeps all later ones and their sessions alive.
 */
import type { Session } from './session.ts';

export class Sessions {
  #first: Session | null = null;
  #last: Session | null = null;
  /** How many there are. */
  size = 0;

  add(session: Session): void {
    session.older = this.#last;
    if (this.#last === null) this.#first = session;
    else this.#last.newer = session;
    this.#last = session;
    this.size++;
  }

  delete(session: Session): void {
    const { older, newer } = session;
    if (older === null) this.#first = newer;
    else older.newer = newer;
    if (newer === null) this.#last = older;
    else newer.older = older;
    session.older = null;
    session.newer = null;
    this.size--;
  }

  /** The one it stands at may be deleted meanwhile. */
  *[Symbol.iterator](): Generator<Session> {
    for (let session = this.#first; session !== null; ) {
      const { newer } = session;
      yield session;
      session = newer;
    }
  }
}
