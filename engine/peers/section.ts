/**
 * One `peers` section at work: it connects to the peers and hears them, and sees to it that what they know is learned once
 * at the start.
 *
 *   learning:  local ──finished──────────────────────────────────────────► done
 *                │ 5 s nothing from the old process                          ▲
 *                ▼                                                           │
 *              remote ──ask one peer──► finished ────────────────────────────┤
 *                ▲                        │ partial, or gone: ask another    │
 *                └────────────────────────┘                     5 s nobody ──┘
 *
 * The old process tells the new one all it knows: it connects to the address of the local peer (`handOver`).
 */
import type { Address, Conn, Handler, Io, Listening } from '../io/contract.ts';
import { PEER_STRANGERS_MAX } from '../limits.ts';
import { Timer, type TimerWheel } from '../time.ts';
import { Exchange } from './exchange.ts';
import { STATUS } from './handshake.ts';
import { Link, type LinkOwner } from './link.ts';
import { CONTROL } from './messages.ts';
import { Peer } from './peer.ts';
import { shardOf } from './shards.ts';
import { Share } from './share.ts';
import type { SharedTable } from './shared-table.ts';

export interface PeersEnv {
  readonly io: Io;
  readonly wheel: TimerWheel;
  now(): number;
  /** 0 <= random() < 1 */
  random(): number;
  readonly pid: number;
  /** `tune.peers.max-updates-at-once` */
  readonly updatesAtOnce: number;
  /** Tells the operator. */
  log(level: number, text: string): void;
}

export interface SectionSpec {
  readonly name: string;
  readonly localName: string;
  /** 0 = every peer gets all entries. */
  readonly shards: number;
  readonly peers: readonly {
    readonly name: string;
    readonly address: Address | null;
    readonly source: Address | null;
    readonly shard: number;
  }[];
  readonly tables: readonly SharedTable[];
  /** An old process may come and tell what it knows. */
  readonly succeeds: boolean;
}

export type Learning = 'local' | 'remote' | 'done';

/** How long to wait for somebody to learn from. Milliseconds. */
const RESYNC_MS = 5000;
/** Between two lines about somebody unknown. Milliseconds. */
const STRANGERS_TOLD_MS = 1000;
/** `Peer.status` */
const NOT_REACHED = -1;
const LOG_WARNING = 4;

export class Section implements LinkOwner {
  readonly name: string;
  readonly localName: string;
  readonly peers: readonly Peer[];
  readonly tables: readonly SharedTable[];
  readonly #env: PeersEnv;
  readonly #spec: SectionSpec;
  readonly #timer: Timer<Section>;
  /** Who has connected and not said who it is. */
  readonly #strangers = new Set<Link>();
  readonly #listenings: Listening[] = [];
  #learning: Learning;
  /** When we stop to wait for the next step of learning. */
  #learnBy: number;
  /** Whom we have asked for all it knows. */
  #teacher: Link | null = null;
  /** Called when the new process has what we know; null = we do not leave. */
  #handedOver: (() => void) | null = null;
  #stopped = false;
  /** When a fault of somebody unknown was told, and how many were not since. */
  #toldAt = -Infinity;
  #untold = 0;

  constructor(env: PeersEnv, spec: SectionSpec) {
    this.name = spec.name;
    this.localName = spec.localName;
    this.tables = spec.tables;
    this.#env = env;
    this.#spec = spec;
    this.peers = spec.peers.map(peer => {
      const shares = spec.tables.map((table, i) => new Share(table, i + 1));
      return new Peer({ ...peer, local: peer.name === spec.localName }, shares);
    });
    this.#learning = spec.succeeds ? 'local' : 'remote';
    this.#learnBy = env.now() + RESYNC_MS;
    for (const peer of this.peers) if (!peer.local && peer.address !== null) peer.reconnectAt = env.now();
    this.#timer = new Timer<Section>(this, section => section.#tick());
    this.#arm();
  }

  get learning(): Learning {
    return this.#learning;
  }

  get learnBy(): number {
    return this.#learnBy;
  }

  get teacher(): Link | null {
    return this.#teacher;
  }

  /** Hears peers on a listening descriptor, which is the section's from now on. */
  listen(fd: number, burst: number): void {
    this.#listenings.push(this.#env.io.listen(fd, burst, conn => this.#accept(conn)));
  }

  /** Sends what has changed in the tables of this process. */
  push(): void {
    this.tables.forEach((table, i) => {
      table.drain(slot => {
        for (const peer of this.peers) if (!peer.local || peer.link !== null) peer.shares[i]!.pending.add(slot);
      });
    });
    for (const { link } of this.peers) link?.flush();
  }

  /**
   * This process leaves and another of its name takes over: hears nobody any more, and tells that process all entries. Calls
   * `done` once, when it has them or cannot be reached.
   */
  handOver(done: () => void): void {
    this.#stopped = true;
    for (const listening of this.#listenings.splice(0)) listening.close();
    for (const { link } of this.peers) link?.end(null);
    const local = this.peers.find(peer => peer.local);
    this.#handedOver = done;
    if (local === undefined || local.address === null) this.#leave();
    else this.#connect(local, local.address);
  }

  /** Ends all at once. */
  stop(): void {
    this.#stopped = true;
    this.#env.wheel.forget(this.#timer);
    for (const listening of this.#listenings.splice(0)) listening.close();
    for (const { link } of this.peers) link?.end(null, true);
    for (const link of this.#strangers) link.end(null, true);
  }

  greeted(link: Link, name: string): number {
    const peer = this.peers.find(other => other.name === name);
    if (peer === undefined) return STATUS.UNKNOWN_PEER;
    if (peer.shunnedUntil > this.#env.now()) return STATUS.TRY_AGAIN;
    // Our old self comes once; of two connections with another peer the later one stays.
    if (peer.link !== null) {
      if (peer.local) return STATUS.TRY_AGAIN;
      peer.counters.collisions++;
      peer.link.end(null);
      peer.reconnectAt = Infinity;
    }
    this.#strangers.delete(link);
    peer.link = link;
    link.peer = peer;
    peer.status = STATUS.OK;
    return STATUS.OK;
  }

  up(link: Link, timed: boolean): Exchange {
    const peer = link.peer!;
    const now = this.#env.now();
    peer.handshakeAt = now;
    peer.counters.connections++;
    const exchange = new Exchange(peer.shares, timed, {
      wants: (share, key) => peer.shard === 0 || shardOf(share.table, key, this.#spec.shards) === peer.shard,
      taught: complete => this.#taught(link, complete),
      confirmed: () => {
        if (this.#handedOver !== null) link.end(null);
      },
      upToDate: () => this.#learning === 'done',
    });
    link.exchange = exchange;
    if (peer.local && link.outgoing) exchange.teach();
    else if (peer.local && this.#learning === 'local') this.#learnUntil(now + RESYNC_MS);
    this.#ask();
    return exchange;
  }

  heard(link: Link): void {
    if (link === this.#teacher || link.peer!.local) this.#learnUntil(this.#env.now() + RESYNC_MS);
  }

  over(link: Link, fault: string | null): void {
    this.#strangers.delete(link);
    const { peer, exchange } = link;
    if (peer === null) {
      if (fault !== null) this.#blameStranger(fault);
      return;
    }
    if (peer.link !== link) return;
    peer.link = null;
    if (exchange !== null) for (const share of peer.shares) share.restart();
    else if (peer.status === STATUS.OK || peer.status === 0) peer.status = NOT_REACHED;
    const now = this.#env.now();
    const retryAt = peer.ended(now, exchange !== null, fault !== null, this.#env.random);
    if (fault !== null) {
      const seconds = Math.round((retryAt - now) / 1000);
      this.#tell(`connection with peer ${peer.name} ended, next in ${seconds}s: ${fault}.`);
    }
    if (this.#teacher === link) {
      this.#teacher = null;
      this.#learnUntil(now + RESYNC_MS);
      this.#ask();
    }
    if (this.#handedOver !== null) this.#leave();
    else if (!peer.local && peer.address !== null && !this.#stopped) {
      peer.reconnectAt = retryAt;
      this.#arm();
    }
  }

  #accept(conn: Conn): void {
    if (this.#strangers.size >= PEER_STRANGERS_MAX) {
      conn.handler = DEAF;
      conn.abort(true);
      return;
    }
    const link = new Link(this.#env, this, null);
    link.conn = conn;
    conn.handler = link;
    this.#strangers.add(link);
  }

  #connect(peer: Peer, address: Address): void {
    const link = new Link(this.#env, this, peer);
    peer.link = link;
    peer.reconnectAt = Infinity;
    link.conn = this.#env.io.connect(address, { source: peer.source, tfo: false }, link);
  }

  /** At most one line a second: who is not known may come as often as he likes. */
  #blameStranger(fault: string): void {
    const now = this.#env.now();
    if (now < this.#toldAt + STRANGERS_TOLD_MS) {
      this.#untold++;
      return;
    }
    const more = this.#untold === 0 ? '' : ` (and ${this.#untold} more)`;
    this.#tell(`connection refused: ${fault}${more}.`);
    this.#toldAt = now;
    this.#untold = 0;
  }

  #tell(text: string): void {
    this.#env.log(LOG_WARNING, `Peers section ${this.name}: ${text}`);
  }

  /** Asks a peer at random for all it knows, when that is what we wait for. */
  #ask(): void {
    if (this.#learning !== 'remote' || this.#teacher !== null) return;
    const able = this.peers.filter(({ link, local, notUpToDate }) => link?.exchange && !local && !notUpToDate);
    const chosen = able[Math.floor(this.#env.random() * able.length)];
    if (chosen === undefined) return;
    this.#teacher = chosen.link;
    this.#learnUntil(this.#env.now() + RESYNC_MS);
    chosen.link!.exchange!.control(CONTROL.resyncRequest);
    chosen.link!.flush();
  }

  #taught({ peer }: Link, complete: boolean): void {
    if (peer!.link === this.#teacher) this.#teacher = null;
    else if (!peer!.local) return;
    if (complete) this.#finish();
    else {
      peer!.notUpToDate = true;
      this.#learnUntil(this.#env.now() + RESYNC_MS);
      this.#ask();
    }
  }

  #learnUntil(at: number): void {
    if (this.#learning === 'done') return;
    this.#learnBy = at;
    this.#arm();
  }

  #finish(): void {
    this.#learning = 'done';
    this.#teacher = null;
  }

  #arm(): void {
    if (this.#stopped) return;
    let next = this.#learning === 'done' ? Infinity : this.#learnBy;
    for (const { link, reconnectAt } of this.#connecting) if (link === null) next = Math.min(next, reconnectAt);
    this.#env.wheel.arm(this.#timer, next);
  }

  /** While the old process is waited for, nobody else is called. */
  get #connecting(): readonly Peer[] {
    return this.#learning === 'local' ? [] : this.peers;
  }

  #tick(): void {
    const now = this.#env.now();
    if (this.#learning !== 'done' && now >= this.#learnBy) {
      if (this.#learning === 'local') {
        this.#learning = 'remote';
        this.#learnBy = now + RESYNC_MS;
        this.#ask();
      } else this.#finish();
    }
    for (const peer of this.#connecting) {
      if (peer.reconnectAt <= now && peer.link === null) this.#connect(peer, peer.address!);
    }
    this.#arm();
  }

  #leave(): void {
    const done = this.#handedOver;
    this.#handedOver = null;
    this.#env.wheel.forget(this.#timer);
    for (const link of this.#strangers) link.end(null, true);
    done?.();
  }
}

/** Of a connection that is not wanted. */
const DEAF: Handler = { onOpen() {}, onData() {}, onEnd() {}, onDrain() {}, onClose() {} };
