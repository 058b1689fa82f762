/** The listening sockets of the process: the master opens each once, all or none, and hands duplicates to the workers. */
import type { FrontendSockets } from '../engine/cli/asker.ts';
import type { Bind, Model } from '../engine/config/model.ts';
import { isFrontend } from '../engine/config/model.ts';
import { closeFd, dupListener, openListener } from '../engine/io/bind.ts';
import { backlogOf, errorText, listen, shutdownRead } from '../engine/io/native.ts';
import { BACKLOG_DEFAULT } from '../engine/limits.ts';
import { isActive } from '../engine/peers/index.ts';
import type { ListenerFd } from './messages.ts';
import type { Say } from './say.ts';

/** The sockets of one bind line: `shards` of them, which the workers take in turn. */
interface Sockets {
  readonly listener: number;
  /** Workers that serve it. */
  readonly workers: readonly number[];
  readonly fds: number[];
}

export interface Listeners {
  readonly traffic: readonly Sockets[];
  /** What the control thread serves, in the order of `controlBinds`. */
  readonly control: readonly Sockets[];
}

/** A socket of the control thread: a `stats socket`, or where peers reach us. */
export interface ControlBind {
  readonly bind: Bind;
  /** For messages. */
  readonly who: string;
  /** Index in `model.peers`; -1 = a `stats socket`. */
  readonly section: number;
}

export function controlBinds({ global, peers }: Model): ControlBind[] {
  return [
    ...global.statsSockets.map(bind => ({ bind, who: 'frontend GLOBAL', section: -1 })),
    ...peers.filter(isActive).flatMap(({ binds, name, index }) => {
      return binds.map(bind => ({ bind, who: `peers ${name}`, section: index }));
    }),
  ];
}

/** Opens everything that `model` binds. Null after saying what cannot be bound; nothing stays open then. */
export function openListeners(model: Model, workers: number, say: Say): Listeners | null {
  const opened: Sockets[] = [];
  const everyWorker = Array.from({ length: workers }, (_, worker) => worker);
  let failed = false;
  const open = (listener: number, bind: Bind, who: string, serving: readonly number[]): void => {
    const fds = openShards(bind, who, serving.length, say);
    opened.push({ listener, workers: serving, fds });
    if (fds.length === 0) failed = true;
  };

  let listener = 0;
  for (const proxy of model.proxies) {
    for (const bind of isFrontend(proxy) ? proxy.binds : []) {
      const serving = everyWorker.filter(worker => bind.threads?.includes(worker) ?? true);
      if (!proxy.disabled) open(listener, bind, `frontend ${proxy.name}`, serving);
      listener++;
    }
  }
  const traffic = opened.splice(0);
  controlBinds(model).forEach(({ bind, who }, i) => {
    open(i, bind, who, [0]);
  });
  if (!failed) return { traffic, control: opened };
  closeListeners({ traffic, control: opened });
  say('alert', '[sluice.main()] Some protocols failed to start their listeners! Exiting.');
  return null;
}

/** Empty after saying what went wrong. */
function openShards(bind: Bind, who: string, serving: number, say: Say): number[] {
  const place = `Binding [${bind.file}:${bind.line}] for ${who}: `;
  if (serving === 0) {
    say('alert', `${place}none of the threads it names ('thread') exists.`);
    return [];
  }
  const shareable = bind.inheritedFd === null && bind.address?.family !== 1;
  const shards = shareable ? Math.min(bind.shards < 0 ? serving : Math.max(1, bind.shards), serving) : 1;
  const fds: number[] = [];
  let { address } = bind;
  for (let i = 0; i < shards; i++) {
    const result = openListener({ ...bind, address, reusePort: true });
    if ('errno' in result) {
      say('alert', `${place}${result.message}`);
      fds.forEach(closeFd);
      return [];
    }
    for (const warning of result.warnings) say('warning', `${place}${warning}`);
    // A port chosen by the kernel is the same for all shards.
    if (address !== null) address = result.address;
    fds.push(result.fd);
  }
  return fds;
}

/** Duplicates for one thread, which owns them. Throws when the process has no descriptor left. */
export function shareListeners(sockets: readonly Sockets[], worker: number): ListenerFd[] {
  const shared: ListenerFd[] = [];
  for (const { listener, workers, fds } of sockets) {
    const turn = workers.indexOf(worker);
    if (turn < 0 || fds.length === 0) continue;
    const fd = dupListener(fds[turn % fds.length]!);
    if (fd < 0) {
      for (const { fd } of shared) closeFd(fd);
      throw new Error(`cannot duplicate a listening socket: ${errorText(-fd)}`);
    }
    shared.push({ listener, fd });
  }
  return shared;
}

/**
 * What the listeners numbered `from` up to `to` do: accept, give their ports to whoever binds them next, or close for
 * good. A TCP socket that is shut down for reading listens no more, and does again when told to (Linux).
 */
export function setListeners({ traffic }: Listeners, from: number, to: number, state: FrontendSockets): void {
  for (const sockets of traffic) {
    if (sockets.listener < from || sockets.listener >= to) continue;
    for (const fd of state === 'close' ? sockets.fds.splice(0) : sockets.fds) SET[state](fd);
  }
}

const SET: Readonly<Record<FrontendSockets, (fd: number) => void>> = {
  open: fd => void listen(fd, backlogOf(fd, BACKLOG_DEFAULT)),
  pause: fd => void shutdownRead(fd),
  close: fd => void closeFd(fd),
};

/** Closes the master's own descriptors: nothing listens any more once the workers' are closed too. */
export function closeListeners({ traffic, control }: Listeners): void {
  for (const { fds } of [...traffic, ...control]) fds.forEach(closeFd);
}
