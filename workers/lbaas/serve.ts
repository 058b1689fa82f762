/** `sluice lbaas`: the API, the store, the controller and the processes, put together. */
import fs from 'node:fs';
import path from 'node:path';
import { referencesIn } from '../../engine/lbaas/containers.ts';
import { leaseScript, routerIdOf } from '../../engine/lbaas/keepalived.ts';
import { SqliteStore } from '../../engine/lbaas/sqlite-store.ts';
import type { Store } from '../../engine/lbaas/store.ts';
import { createApi } from './api/server.ts';
import { type Auth, keystoneAuth, noAuth, tokenAuth } from './auth.ts';
import { Barbican } from './barbican.ts';
import { certificatesIn } from './certificates.ts';
import { containerUse } from './container-use.ts';
import { Controller } from './controller.ts';
import { EtcdStore } from './etcd-store.ts';
import { guard } from './guard.ts';
import { handedTo } from './keepalived.ts';
import { type Log, log } from './log.ts';
import type { LbaasOptions } from './option-rows.ts';
import { alone, type Ownership } from './ownership.ts';
import { pingProgram } from './ping.ts';
import { HOST, inNamespace, onDevice, type Place } from './places.ts';
import { OwnProcesses, type Processes, type ProcessesOptions } from './processes.ts';
import { SharedProcesses, unshare } from './shared-processes.ts';
import { StateFolder } from './state-folder.ts';

/** Trees that are worked on at the same time: a start of a process takes a processor for a moment. */
const PARALLEL = 4;
/** Until what failed is tried again. */
const AGAIN_MS = 60_000;

/** Something that was started and can be ended; the processes of load balancers go on. */
export interface Served {
  /** `http://127.0.0.1:9876`. */
  readonly url: string;
  readonly controller: Controller;
  close(): Promise<void>;
}

/** @param program the launcher of Sluice */
export async function serve(options: LbaasOptions, program: string): Promise<Served> {
  const { state, subnets, zones, pollMs } = options;
  const say: Log = options.quiet ? (level, ...rest) => level !== 'info' && log(level, ...rest) : log;
  fs.mkdirSync(state, { recursive: true, mode: 0o755 });
  const certificates = options.certificates ?? path.join(state, 'certificates');
  if (options.certificates === null) fs.mkdirSync(certificates, { recursive: true, mode: 0o700 });
  const barbican = options.barbican === null ? null : new Barbican(options.barbican, path.join(state, 'barbican'));
  const { store, ownership } = await openStore(options, say);
  const folder = path.join(fs.realpathSync(state), 'lbaas');
  const processes = await openProcesses(options, {
    folder,
    program: [program, ...(options.io === null ? [] : [`--io=${options.io}`])],
    place: placeOf(options, folder),
    ping: await pingProgram(state),
    certificate: certificatesIn(certificates, barbican),
  });
  const fetchContainers = async (references: readonly string[], token: string) =>
    barbican?.fetch(
      references.filter(reference => barbican.has(reference)),
      token,
    );
  const controller = new Controller({
    ...{ store, processes, ownership, subnets, log: say, pollMs, againMs: AGAIN_MS, parallel: PARALLEL },
    // What a request named is here; another controller's requests are not ours.
    findContainers: references =>
      fetchContainers(
        references.filter(reference => barbican?.file(reference) === null),
        options.barbicanToken ?? '',
      ),
  });
  const app = await createApi({
    ...{ store, subnets, zones, ownership, log: say, auth: authOf(options) },
    healthOf: root => controller.healthOf(root),
    isRunning: root => controller.isRunning(root),
    fetchContainers: (body, token) => fetchContainers(referencesIn(body), token),
    useContainers: barbican === null ? async () => {} : containerUse(barbican, say),
    guard: (reader, root) => guard(reader, root, processes),
  });
  controller.start();
  const url = await app.listen(options.listen);
  say('info', `serving on ${url}`, { state, store: options.etcd ?? 'sqlite' });
  return {
    url,
    controller,
    close: async () => {
      controller.stop();
      await app.close();
      await controller.idle();
      store.close();
    },
  };
}

async function openStore(options: LbaasOptions, say: Log): Promise<{ store: Store; ownership: Ownership }> {
  if (options.etcd === null)
    return { store: new SqliteStore(path.join(options.state, 'lbaas.db')), ownership: alone(options.host) };
  const alive = () => fs.writeFileSync(aliveFile(options), '');
  const store = await EtcdStore.open(options.etcd, { host: options.host, ttlSeconds: options.ttlSeconds, alive }, say);
  return { store, ownership: store.ownership };
}

/** As many load balancers in a process as is wanted now, whatever was wanted before. */
async function openProcesses({ state, perProcess }: LbaasOptions, options: ProcessesOptions): Promise<Processes> {
  const sharing = { ...options, sharedFolder: path.join(fs.realpathSync(state), 'shared'), most: perProcess };
  if (perProcess === 1) {
    await unshare(sharing);
    return new OwnProcesses(options);
  }
  const shared = new SharedProcesses(sharing);
  await shared.settle();
  return shared;
}

function placeOf(options: LbaasOptions, folder: string): Place {
  const { netns, bridge, gateway, vipDevice, keepalived } = options;
  if (netns === 'auto') return inNamespace(bridge!, gateway);
  if (vipDevice === null) return HOST;
  return keepalived === null ? onDevice(vipDevice) : byKeepalived(options, folder, keepalived, vipDevice);
}

/** A controller that shares load balancers with others lets go of their addresses when it dies. */
function byKeepalived(options: LbaasOptions, folder: string, file: string, device: string): Place {
  const { etcd, host, keepalivedPid: pidFile, routerId, ttlSeconds } = options;
  const lease = etcd === null ? null : path.join(fs.realpathSync(options.state), 'lease');
  if (lease !== null) fs.writeFileSync(lease, leaseScript(aliveFile(options), ttlSeconds), { mode: 0o755 });
  const router = { device, id: routerId ?? routerIdOf(host), lease };
  return handedTo({ file, pidFile, router }, new StateFolder(folder));
}

/** Touched whenever the lease in etcd is kept. */
function aliveFile({ state }: LbaasOptions): string {
  return path.join(fs.realpathSync(state), 'alive');
}

function authOf({ token, keystone }: LbaasOptions): Auth {
  if (keystone !== null) return keystoneAuth(keystone);
  return token === null ? noAuth : tokenAuth(token);
}
