/** The listening sockets of the process: the master opens each once, all or none, and hands duplicates to the workers. */
import type { FrontendSockets } from '../engine/cli/asker.ts';
import type { Bind, Model } from '../engine/config/model.ts';
import { isFrontend } from '../engine/config/model.ts';
import { addressText } from '../engine/io/address.ts';
import {
  abstractName,
  closeFd,
  dupListener,
  flagsOf,
  type ListenSpec,
  listenerName,
  listens,
  openDatagramSocket,
  openListener,
  relisten,
  takesDatagrams,
} from '../engine/io/bind.ts';
import type { PassedSocket } from '../engine/io/fd-passing.ts';
import { frontendSpec, listenSpec } from '../engine/io/listen-spec.ts';
import { backlogOf, errorText, listen, shutdownRead } from '../engine/io/native.ts';
import { BACKLOG_DEFAULT } from '../engine/limits.ts';
import { isActive } from '../engine/peers/index.ts';
import type { ListenerFd } from './messages.ts';
import type { Say } from './say.ts';

/** The sockets of one bind line: `shards` of them, which the workers take in turn. */
interface Sockets {
  /** What a reload knows them by: two bind lines with the same key can have the same sockets. */
  readonly key: string;
  /** The interface that they are bound to, and their network namespace; '' = none. */
  readonly device: string;
  readonly namespace: string;
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

/** A socket of the control thread: a `stats socket`, where peers reach us, or where log lines come in. */
export interface ControlBind {
  readonly bind: Bind;
  /** For messages. */
  readonly who: string;
  readonly use: 'cli' | 'peers' | 'logs';
  /** Index in `model.peers` or `model.logForwards`; 0 for the runtime API. */
  readonly section: number;
  /** It takes datagrams. */
  readonly datagrams: boolean;
}

export function controlBinds({ global, peers, logForwards }: Model): ControlBind[] {
  const bound = (bind: Bind, use: ControlBind['use'], who: string, section = 0, datagrams = false): ControlBind => {
    return { bind, use, who, section, datagrams };
  };
  return [
    ...global.statsSockets.map(bind => bound(bind, 'cli', 'frontend GLOBAL')),
    ...peers.filter(isActive).flatMap(({ binds, name, index }) => {
      return binds.map(bind => bound(bind, 'peers', `peers ${name}`, index));
    }),
    ...logForwards.flatMap(({ binds, dgramBinds, name, index }) => [
      ...binds.map(bind => bound(bind, 'logs', `log-forward ${name}`, index)),
      ...dgramBinds.map(bind => bound(bind, 'logs', `log-forward ${name}`, index, true)),
    ]),
  ];
}

/** Whether there is anything to open: a process that nobody can reach does not start. */
export function hasListener(model: Model): boolean {
  const served = model.proxies.some(proxy => isFrontend(proxy) && !proxy.disabled && proxy.binds.length > 0);
  return served || controlBinds(model).length > 0;
}

/** Sockets that are open already, by key: each is given to one bind line. */
class Open {
  readonly #byKey = new Map<string, number[][]>();

  constructor(sockets: readonly Sockets[]) {
    for (const { key, fds } of sockets) this.#byKey.set(key, [...(this.#byKey.get(key) ?? []), fds]);
  }

  take(key: string): readonly number[] {
    return this.#byKey.get(key)?.shift() ?? [];
  }
}

/**
 * Opens everything that `model` binds, but for what `before` has open: connections that wait in a socket's queue wait on.
 * Null after saying what cannot be bound; then nothing is open that was not.
 */
export function openListeners(
  model: Model,
  workers: number,
  say: Say,
  before: Listeners = { traffic: [], control: [] },
): Listeners | null {
  if (!hasListener(model)) {
    say('alert', "[sluice.main()] No enabled listener found (check for 'bind' directives) ! Exiting.");
    return null;
  }
  const open = new Open(every(before));
  const control: Sockets[] = [];
  const traffic: Sockets[] = [];
  let failed = false;
  const openBind = (
    to: Sockets[],
    listener: number,
    bind: Bind & ListenSpec,
    who: string,
    serving: readonly number[],
    datagrams = false,
  ): void => {
    const key = keyOf(bind, datagrams);
    const fds = openShards(bind, who, serving.length, open.take(key), say, datagrams);
    to.push({ key, device: bind.interface ?? '', namespace: bind.namespace, listener, workers: serving, fds });
    if (fds.length === 0) failed = true;
  };

  const everyWorker = Array.from({ length: workers }, (_, worker) => worker);
  let listener = 0;
  for (const proxy of model.proxies) {
    for (const bind of isFrontend(proxy) ? proxy.binds : []) {
      const serving = everyWorker.filter(worker => bind.threads?.includes(worker) ?? true);
      if (!proxy.disabled)
        openBind(traffic, listener, frontendSpec(bind, proxy, model.global), `frontend ${proxy.name}`, serving);
      listener++;
    }
  }
  controlBinds(model).forEach(({ bind, who, datagrams }, i) => {
    openBind(control, i, listenSpec(bind, model.global), who, [0], datagrams);
  });
  const listeners = { traffic, control };
  if (!failed) return listeners;
  closeUnused(listeners, before);
  say('alert', '[sluice.main()] Some protocols failed to start their listeners! Exiting.');
  return null;
}

/** What a socket is bound to, and what cannot be changed of it once it is. */
function keyOf(
  { address, abstract, inheritedFd, interface: device, namespace, transparent, v6only, mptcp }: Bind,
  datagrams: boolean,
): string {
  const where = address === null ? `fd@${inheritedFd}` : addressText(abstract ? abstractName(address) : address);
  return [where, device ?? '', namespace, transparent, v6only, mptcp, datagrams].join(' ');
}

/** What another process may have of us (`expose-fd listeners`). */
export function exposed(listeners: Listeners): readonly PassedSocket[] {
  return every(listeners).flatMap(({ device, namespace, fds }) =>
    fds.map(fd => ({ fd, interface: device, namespace })),
  );
}

/** Sockets that another process has passed to us. Those that neither listen nor take datagrams are closed. */
export function adopt(passed: readonly PassedSocket[]): Listeners {
  const byKey = new Map<string, Sockets>();
  for (const { fd, interface: device, namespace } of passed) {
    const datagrams = takesDatagrams(fd);
    const address = datagrams || listens(fd) ? listenerName(fd) : null;
    if (address === null) {
      closeFd(fd);
      continue;
    }
    const { transparent, v6only, mptcp } = flagsOf(fd, address);
    const key = [addressText(address), device, namespace, transparent, v6only, mptcp, datagrams].join(' ');
    const same = byKey.get(key);
    if (same === undefined) byKey.set(key, { key, device, namespace, listener: -1, workers: [], fds: [fd] });
    else same.fds.push(fd);
  }
  return { traffic: [...byKey.values()], control: [] };
}

/** As many sockets as the line asks for, those that are `there` already among them. Empty after saying what went wrong. */
function openShards(
  bind: Bind & ListenSpec,
  who: string,
  serving: number,
  there: readonly number[],
  say: Say,
  datagrams: boolean,
): number[] {
  const place = `Binding [${bind.file}:${bind.line}] for ${who}: `;
  if (serving === 0) {
    say('alert', `${place}none of the threads it names ('thread') exists.`);
    return [];
  }
  const shareable = bind.reusePort && bind.inheritedFd === null && bind.address?.family !== 1;
  const shards = shareable ? Math.min(bind.shards < 0 ? serving : Math.max(1, bind.shards), serving) : 1;
  const fds = [...there];
  // A port chosen by the kernel is the same for all shards.
  let address = fds.length > 0 ? listenerName(fds[0]!) : bind.address;
  for (const fd of datagrams ? [] : fds) for (const warning of relisten(fd, bind)) say('warning', `${place}${warning}`);
  while (fds.length < shards) {
    const result = (datagrams ? openDatagramSocket : openListener)({ ...bind, address });
    if ('errno' in result) {
      say('alert', `${place}${result.message}`);
      fds.slice(there.length).forEach(closeFd);
      return [];
    }
    for (const warning of result.warnings) say('warning', `${place}${warning}`);
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
    if (turn < 0) continue;
    for (const own of shareOf(fds, turn, workers.length)) {
      const fd = dupListener(own);
      if (fd < 0) {
        for (const { fd } of shared) closeFd(fd);
        throw new Error(`cannot duplicate a listening socket: ${errorText(-fd)}`);
      }
      shared.push({ listener, fd });
    }
  }
  return shared;
}

/** Which sockets the worker whose turn it is serves: none may be left out, though a reload leaves fewer workers than sockets. */
function shareOf(fds: readonly number[], turn: number, workers: number): readonly number[] {
  if (fds.length <= workers) return fds.length === 0 ? [] : [fds[turn % fds.length]!];
  return fds.filter((_, i) => i % workers === turn);
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
export function closeListeners(listeners: Listeners): void {
  for (const { fds } of every(listeners)) fds.splice(0).forEach(closeFd);
}

/** Closes those that are not in `kept`, too. */
export function closeUnused(listeners: Listeners, kept: Listeners): void {
  const used = new Set(every(kept).flatMap(({ fds }) => fds));
  for (const { fds } of every(listeners)) for (const fd of fds.splice(0)) if (!used.has(fd)) closeFd(fd);
}

function every({ traffic, control }: Listeners): readonly Sockets[] {
  return [...traffic, ...control];
}
