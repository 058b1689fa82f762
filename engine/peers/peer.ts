/** Another process that shares tables with us, or ourselves, and when to connect to it. */
import type { Address } from '../io/contract.ts';
import { PEER_RETRY_MAX_MS, PEER_RETRY_MIN_MS } from '../limits.ts';
import type { Call } from '../proxy/streamless.ts';
import type { Link } from './link.ts';
import type { Share } from './share.ts';

/** The protocol's random delay before reconnecting, so that two do not do it at the same time for ever. Milliseconds. */
const RECONNECT_MIN_MS = 50;
const RECONNECT_SPREAD_MS = 2000;

export class Peer {
  readonly name: string;
  /** It is ourselves: another process of this name is our old or new self. */
  readonly local: boolean;
  /** Null = it can only come to us. */
  readonly address: Address | null;
  /** Which part of the tables it gets, from 1; 0 = all. */
  readonly shard: number;
  readonly call: Call;
  readonly shares: readonly Share[];
  link: Link | null = null;
  /** The last status of a handshake with it; 0 = none yet, -1 = it could not be reached. */
  status = 0;
  /** When the last handshake succeeded; -1 = never. When the next connection is due; Infinity = not. Milliseconds. */
  handshakeAt = -1;
  reconnectAt = Infinity;
  /** It has said that it does not know all itself: no use to ask it again. */
  notUpToDate = false;
  /** How often in a row it broke the protocol, and until when it is not listened to because of that. */
  faults = 0;
  shunnedUntil = 0;
  readonly counters = {
    heartbeatsSaid: 0,
    heartbeatsHeard: 0,
    /** Connections that ended because it said nothing any more. */
    silences: 0,
    connections: 0,
    protocolErrors: 0,
    /** Connections that gave way to one that it made. */
    collisions: 0,
  };

  constructor(who: Pick<Peer, 'name' | 'local' | 'address' | 'shard' | 'call'>, shares: readonly Share[]) {
    this.name = who.name;
    this.local = who.local;
    this.address = who.address;
    this.shard = who.shard;
    this.call = who.call;
    this.shares = shares;
  }

  /** The connection has ended. `fault`: it broke the protocol. Gives when to try again. Milliseconds. */
  ended(now: number, wasUp: boolean, fault: boolean, random: () => number): number {
    if (!fault) {
      if (wasUp) this.faults = 0;
      return now + (wasUp ? RECONNECT_MIN_MS + random() * RECONNECT_SPREAD_MS : PEER_RETRY_MIN_MS);
    }
    this.counters.protocolErrors++;
    const at = now + Math.min(PEER_RETRY_MIN_MS * 2 ** this.faults++, PEER_RETRY_MAX_MS);
    // Before the handshake it was perhaps somebody else.
    if (wasUp) this.shunnedUntil = at;
    return at;
  }
}
