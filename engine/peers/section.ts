/**
 * One `peers` section at work: it connects to the peers and hears them, tells them what changes, and learns from them.
 *
 * A process that leaves tells the one that takes over all it knows: it connects to the address of the local peer.
 */
import type { Address, Conn, Handler, Io, Listening } from '../io/contract.ts';
import { PEER_STRANGERS_MAX } from '../limits.ts';
import type { Call } from '../proxy/streamless.ts';
import { Timer, type TimerWheel } from '../time.ts';
import type { TlsEnd } from '../tls/end.ts';
import { acceptOver } from '../tls/ends.ts';
import { Exchange } from './exchange.ts';
import { STATUS } from './handshake.ts';
import { Learning } from './learning.ts';
import { Link, type LinkOwner } from './link.ts';
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
  /** Tells the operator something about a section, by its index. */
  log(level: number, section: number, text: string): void;
}

export interface SectionSpec {
  /** Its number among all. */
  readonly index: number;
  readonly name: string;
  readonly localName: string;
  /** 0 = every peer gets all entries. */
  readonly shards: number;
  readonly peers: readonly {
    readonly name: string;
    readonly address: Address | null;
    readonly shard: number;
    /** Connects to it. */
    readonly call: Call;
  }[];
  readonly tables: readonly SharedTable[];
  /** An old process may come and tell what it knows. */
  readonly succeeds: boolean;
}

/** Between two lines about somebody unknown. Milliseconds. */
const STRANGERS_TOLD_MS = 1000;
/** How often the successor is called, and when: our own sockets must be closed by then. Milliseconds. */
const HAND_OVER_TRIES = 5;
const HAND_OVER_MS = 100;
/** Two that begin at once have found each other within this time. */
const CROSSING_MS = 1000;
/** `Peer.status` */
const NOT_REACHED = -1;
const LOG_WARNING = 4;

export class Section implements LinkOwner {
  readonly index: number;
  readonly name: string;
  readonly localName: string;
  readonly peers: readonly Peer[];
  readonly tables: readonly SharedTable[];
  readonly learning: Learning;
  readonly #env: PeersEnv;
  readonly #spec: SectionSpec;
  readonly #timer: Timer<Section>;
  /** Who has connected and not said who it is. */
  readonly #strangers = new Set<Link>();
  readonly #listenings: Listening[] = [];
  /** Called when the new process has what we know; null = we do not leave. */
  #handedOver: (() => void) | null = null;
  #tries = HAND_OVER_TRIES;
  #stopped = false;
  /** When a fault of somebody unknown was told, and how many were not since. */
  #toldAt = -Infinity;
  #untold = 0;

  constructor(env: PeersEnv, spec: SectionSpec) {
    this.index = spec.index;
    this.name = spec.name;
    this.localName = spec.localName;
    this.tables = spec.tables;
    this.#env = env;
    this.#spec = spec;
    this.peers = spec.peers.map(peer => {
      const shares = spec.tables.map((table, i) => new Share(table, i + 1));
      return new Peer({ ...peer, local: peer.name === spec.localName }, shares);
    });
    this.learning = new Learning(env, this.peers, spec.succeeds);
    for (const peer of this.peers) if (!peer.local && peer.address !== null) peer.reconnectAt = env.now();
    this.#timer = new Timer<Section>(this, section => section.#tick());
    this.#arm();
  }

  /** Hears peers on a listening descriptor, which is the section's from now on; over TLS where there is an end. */
  listen(fd: number, burst: number, tls: TlsEnd | null = null): void {
    this.#listenings.push(this.#env.io.listen(fd, burst, conn => this.#accept(conn, tls)));
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
    this.#handedOver = done;
    if (this.#successor === null) this.#leave();
    else this.#env.wheel.arm(this.#timer, this.#env.now() + HAND_OVER_MS);
  }

  /** Where the process that takes over hears us, if there is one. */
  get #successor(): Peer | null {
    return this.peers.find(({ local, address }) => local && address !== null) ?? null;
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
      if (peer.local || this.#insists(peer.link, link, peer)) return STATUS.TRY_AGAIN;
      peer.counters.collisions++;
      peer.link.end(null);
    }
    peer.reconnectAt = Infinity;
    this.#strangers.delete(link);
    peer.link = link;
    link.peer = peer;
    peer.status = STATUS.OK;
    return STATUS.OK;
  }

  /**
   * Two that call each other at once would each give way: the call of the lesser name stays. It may be answered while the
   * other is still on its way; and it does not insist again, for perhaps nobody answers it.
   */
  #insists(call: Link, other: Link, { name, handshakeAt }: Peer): boolean {
    const crossing = call.state === 'waiting' || (call.state === 'up' && this.#env.now() < handshakeAt + CROSSING_MS);
    if (!call.outgoing || !crossing || call.insisted || this.localName > name) return false;
    call.insisted = other.givesWay = true;
    return true;
  }

  up(link: Link, timed: boolean): Exchange {
    const peer = link.peer!;
    const now = this.#env.now();
    peer.handshakeAt = now;
    peer.counters.connections++;
    const exchange = new Exchange(peer.shares, timed, {
      wants: (share, key) => peer.shard === 0 || shardOf(share.table, key, this.#spec.shards) === peer.shard,
      taught: complete => this.learning.taught(link, complete),
      confirmed: () => {
        if (this.#handedOver !== null) this.#leave();
      },
      upToDate: () => this.learning.state === 'done',
    });
    link.exchange = exchange;
    if (peer.local && link.outgoing) exchange.teach();
    this.learning.heard(link);
    this.learning.ask();
    return exchange;
  }

  heard(link: Link): void {
    this.learning.heard(link);
  }

  over(link: Link, fault: string | null): void {
    this.#strangers.delete(link);
    const { peer, exchange } = link;
    if (peer === null) {
      if (fault !== null && !link.givesWay) this.#blameStranger(fault);
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
    this.learning.lost(link);
    if (this.#handedOver !== null) this.#again(link);
    else if (!peer.local && peer.address !== null && !this.#stopped) {
      peer.reconnectAt = retryAt;
      this.#arm();
    }
  }

  #accept(under: Conn, tls: TlsEnd | null): void {
    if (this.#strangers.size >= PEER_STRANGERS_MAX) {
      under.handler = DEAF;
      under.abort(true);
      return;
    }
    const link = new Link(this.#env, this, null);
    const conn = acceptOver(this.#env.io, under, tls);
    link.conn = conn;
    conn.handler = link;
    this.#strangers.add(link);
  }

  #connect(peer: Peer, address: Address): void {
    const link = new Link(this.#env, this, peer);
    peer.link = link;
    peer.reconnectAt = Infinity;
    link.conn = peer.call(this.#env.io, address, link);
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
    this.#env.log(LOG_WARNING, this.index, `Peers section ${this.name}: ${text}`);
  }

  /** While our old self is waited for, nobody else is called. */
  get #callable(): readonly Peer[] {
    return this.learning.state === 'local' ? [] : this.peers.filter(({ link }) => link === null);
  }

  #arm(): void {
    if (this.#stopped) return;
    const { state, by } = this.learning;
    const calls = this.#callable.map(({ reconnectAt }) => reconnectAt);
    this.#env.wheel.arm(this.#timer, Math.min(state === 'done' ? Infinity : by, ...calls));
  }

  #tick(): void {
    const now = this.#env.now();
    if (this.#handedOver !== null) {
      this.#connect(this.#successor!, this.#successor!.address!);
      return;
    }
    this.learning.tick(now);
    for (const peer of this.#callable) if (peer.reconnectAt <= now) this.#connect(peer, peer.address!);
    this.#arm();
  }

  /** The successor has not confirmed what it was told: it is told again, unless nobody is there. */
  #again({ refused }: Link): void {
    if (refused || --this.#tries <= 0) this.#leave();
    else this.#env.wheel.arm(this.#timer, this.#env.now() + HAND_OVER_MS);
  }

  #leave(): void {
    const done = this.#handedOver;
    this.#handedOver = null;
    this.#env.wheel.forget(this.#timer);
    for (const link of this.#strangers) link.end(null, true);
    this.#successor?.link?.end(null);
    done?.();
  }
}

/** Of a connection that is not wanted. */
const DEAF: Handler = { onOpen() {}, onData() {}, onEnd() {}, onDrain() {}, onClose() {} };
