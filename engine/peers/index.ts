/** Peers: processes that share stick tables. Runs in the control thread. */
import type { Bind, Model } from '../config/model.ts';
import { ACCEPT_BURST, PEER_LOOK_MS, PEER_UPDATES_AT_ONCE } from '../limits.ts';
import { callOf } from '../proxy/streamless.ts';
import type { Tables } from '../stick/tables.ts';
import { Timer } from '../time.ts';
import { bindEnd } from '../tls/ends.ts';
import { tlsStore } from '../tls/store.ts';
import type { Link } from './link.ts';
import { type PeersEnv, Section } from './section.ts';
import { PeerTable } from './stick-table.ts';

/** A listening descriptor, which `startPeers` owns from now on, and the section (its index) that it is for. */
interface PeersSocket {
  readonly fd: number;
  readonly bind: Bind;
  readonly section: number;
}

interface PeersOptions {
  readonly model: Model;
  readonly tables: Tables;
  /** An old process may come and tell what it knows. */
  readonly succeeds: boolean;
}

export interface Peers {
  readonly sections: readonly Section[];
  /** Peers with a connection now, and those of them whose handshake is done. */
  readonly connected: number;
  readonly active: number;
  /** This process leaves: tells its successor all entries. Calls `done` when all sections have. */
  handOver(done: () => void): void;
  /** Ends all at once. */
  stop(): void;
}

/** Starts all sections that are not disabled, have us among their peers and a table to share. */
export function startPeers(
  env: Omit<PeersEnv, 'updatesAtOnce'>,
  options: PeersOptions,
  sockets: readonly PeersSocket[],
): Peers {
  const { model, tables, succeeds } = options;
  const store = tlsStore(model.tls);
  const updatesAtOnce = model.global.tune.peersMaxUpdates || PEER_UPDATES_AT_ONCE;
  const sections = model.peers.filter(isActive).map(({ index, name, shards, peers, tables: shared }) => {
    const { localPeer } = model.global;
    const section = new Section(
      { ...env, updatesAtOnce },
      {
        ...{ index, name, shards, succeeds, localName: localPeer },
        peers: peers.map(peer => ({ ...peer, call: callOf(peer, model.global.tune, store) })),
        tables: shared.map(at => {
          const table = tables.list[at]!;
          return new PeerTable(table, tables.list[table.spec.writeTo] ?? null, () => env.now());
        }),
      },
    );
    for (const { fd, bind } of sockets.filter(socket => socket.section === index)) {
      section.listen(fd, ACCEPT_BURST, bindEnd(store, bind.tls, model.global.tls, `peers ${name}/${bind.id}`));
    }
    return section;
  });
  const timer: Timer<readonly Section[]> = new Timer<readonly Section[]>(sections, all => {
    for (const section of all) section.push();
    env.wheel.arm(timer, env.now() + PEER_LOOK_MS);
  });
  if (sections.length > 0) env.wheel.arm(timer, env.now() + PEER_LOOK_MS);
  const count = (is: (link: Link) => boolean) =>
    sections.flatMap(section => section.peers).filter(({ link }) => link !== null && is(link)).length;
  return {
    sections,
    get connected() {
      return count(() => true);
    },
    get active() {
      return count(link => link.exchange !== null);
    },
    handOver: done => {
      let left = sections.length;
      if (left === 0) done();
      for (const section of sections) section.handOver(() => --left === 0 && done());
    },
    stop: () => {
      env.wheel.forget(timer);
      for (const section of sections) section.stop();
    },
  };
}

/** Whether a section does anything: it is on, we are one of the peers, and there is something to share. */
export function isActive({ disabled, local, tables }: Model['peers'][number]): boolean {
  return !disabled && local >= 0 && tables.length > 0;
}
