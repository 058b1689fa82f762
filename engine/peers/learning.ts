/**
 * Learning once, at the start, all that others know.
 *
 *   local ──finished──────────────────────────────────────► done
 *     │ 5 s nothing from our old self                         ▲
 *     ▼                                                       │
 *   remote ──ask a peer──► finished ──────────────────────────┤
 *     ▲                      │ partial, or gone: ask another  │
 *     └──────────────────────┘                    5 s nobody ─┘
 */
import type { Link } from './link.ts';
import { CONTROL } from './messages.ts';
import type { Peer } from './peer.ts';

export type LearningState = 'local' | 'remote' | 'done';

/** Where there are no others, there is nobody to learn from. */
function nextState(peers: readonly Peer[]): LearningState {
  return peers.every(({ local }) => local) ? 'done' : 'remote';
}

/** How long to wait for the next step. Milliseconds. */
const RESYNC_MS = 5000;

interface LearningEnv {
  now(): number;
  random(): number;
}

export class Learning {
  state: LearningState;
  /** When the wait for the next step is over. Milliseconds. */
  by: number;
  /** Whom we have asked for all it knows. */
  teacher: Link | null = null;
  readonly #env: LearningEnv;
  readonly #peers: readonly Peer[];

  /** `succeeds`: our old self may come and tell. */
  constructor(env: LearningEnv, peers: readonly Peer[], succeeds: boolean) {
    this.state = succeeds ? 'local' : nextState(peers);
    this.by = env.now() + RESYNC_MS;
    this.#env = env;
    this.#peers = peers;
  }

  /** Somebody is there who could be asked. Asks one at random for all it knows, when that is what we wait for. */
  ask(): void {
    if (this.state !== 'remote' || this.teacher !== null) return;
    const able = this.#peers.filter(({ link, local, notUpToDate }) => link?.exchange && !local && !notUpToDate);
    const link = able[Math.floor(this.#env.random() * able.length)]?.link;
    if (!link) return;
    this.teacher = link;
    this.#wait();
    link.exchange!.control(CONTROL.resyncRequest);
    link.flush();
  }

  /** Something came on `link`: whoever teaches is waited for. */
  heard(link: Link): void {
    if (link === this.teacher || link.peer!.local) this.#wait();
  }

  /** `link` has told all it knows; `complete`: it was itself up to date. */
  taught(link: Link, complete: boolean): void {
    const peer = link.peer!;
    if (link === this.teacher) this.teacher = null;
    else if (!peer.local) return;
    if (complete) this.state = 'done';
    else {
      peer.notUpToDate = true;
      this.#wait();
      this.ask();
    }
  }

  /** `link` is gone. */
  lost(link: Link): void {
    if (this.teacher !== link) return;
    this.teacher = null;
    this.#wait();
    this.ask();
  }

  /** Time goes by. */
  tick(now: number): void {
    if (this.state === 'done' || now < this.by) return;
    if (this.state === 'remote') {
      this.state = 'done';
      this.teacher = null;
    } else {
      this.state = nextState(this.#peers);
      this.#wait();
      this.ask();
    }
  }

  #wait(): void {
    this.by = this.#env.now() + RESYNC_MS;
  }
}
