/**
 * Makes the processes what the items ask for. A tree that changed is looked at again: pending items are in force when their
 * process has them, and then ACTIVE, or ERROR with the reason. Nothing is remembered that the store or the folders do not say,
 * so the end is the same whenever this process dies and starts again.
 */
import { configurationText, refusalOf } from '../../engine/lbaas/configuration.ts';
import { containersOf } from '../../engine/lbaas/containers.ts';
import { deploymentOf } from '../../engine/lbaas/deployment.ts';
import type { Deployment } from '../../engine/lbaas/deployment-model.ts';
import type { Health } from '../../engine/lbaas/health.ts';
import type { Common, Kind, Provisioning, Row } from '../../engine/lbaas/items.ts';
import { LastingCounters } from '../../engine/lbaas/lasting-counters.ts';
import { contains, type Subnet } from '../../engine/lbaas/networks.ts';
import { FAILOVER } from '../../engine/lbaas/octavia.ts';
import { corrections, isDone, runtimeChange } from '../../engine/lbaas/runtime-change.ts';
import type { Store } from '../../engine/lbaas/store.ts';
import { after, every, monotonicMs } from '../../engine/time.ts';
import { FILES } from './files.ts';
import type { Log } from './log.ts';
import type { Ownership } from './ownership.ts';
import type { Vip } from './places.ts';
import type { Processes } from './processes.ts';
import { timestamp } from './timestamp.ts';

interface ControllerOptions {
  readonly store: Store;
  readonly processes: Processes;
  readonly ownership: Ownership;
  readonly subnets: readonly Subnet[];
  readonly log: Log;
  /** Gets the TLS containers that are not here yet. */
  readonly findContainers: (references: readonly string[]) => Promise<void>;
  readonly pollMs: number;
  /** Until what failed is tried again. */
  readonly againMs: number;
  /** Trees that are worked on at the same time. */
  readonly parallel: number;
}

/** A process that ends again and again is started less and less often. Milliseconds. */
const AGAIN_MIN_MS = 1_000;
const AGAIN_MAX_MS = 60_000;

const PENDING: readonly Provisioning[] = ['PENDING_CREATE', 'PENDING_UPDATE', 'PENDING_DELETE'];
const isPending = ({ item }: Row) => PENDING.includes(item.provisioning_status);

/** What failed once and works now is in order. */
const isUnsettled = (row: Row) => isPending(row) || row.item.provisioning_status === 'ERROR';

interface Running {
  readonly deployment: Deployment;
  health: Health | null;
  readonly counters: LastingCounters;
  /** When it was found dead last, and how long the next pause is. */
  diedMs: number;
  pauseMs: number;
}

export class Controller {
  readonly #options: ControllerOptions;
  readonly #running = new Map<string, Running>();
  readonly #waiting = new Set<string>();
  readonly #busy = new Set<string>();
  /** When what failed is tried again: a port may be free by then, or an address there. */
  readonly #failed = new Map<string, number>();
  readonly #idle: (() => void)[] = [];
  #poll: { cancel(): void } | null = null;
  #polling = false;
  #stopped = false;

  constructor(options: ControllerOptions) {
    this.#options = options;
  }

  /** Looks at everything there is, then at what changes. */
  start(): void {
    const { store, processes, ownership, pollMs } = this.#options;
    store.watch(roots => this.#look(roots));
    ownership.watch(root => this.#look([root]));
    const roots = [...store.list('loadbalancer'), ...store.list('v1pool')].map(item => item.id);
    this.#look(new Set([...roots, ...processes.known()]));
    this.#poll = every(pollMs, () => void this.#pollAll());
  }

  /** The processes go on. */
  stop(): void {
    this.#stopped = true;
    this.#poll?.cancel();
    this.#waiting.clear();
  }

  /** Resolves when nothing is left to do. */
  idle(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle.push(resolve);
    this.#next();
    return promise;
  }

  healthOf(root: string): Health | null {
    const { ownership } = this.#options;
    return ownership.owns(root) ? (this.#running.get(root)?.health ?? null) : ownership.healthOf(root);
  }

  isRunning(root: string): boolean {
    return this.#running.has(root);
  }

  #look(roots: Iterable<string>): void {
    if (this.#stopped) return;
    for (const root of roots) if (root !== '') this.#waiting.add(root);
    this.#next();
  }

  #next(): void {
    const { parallel, log } = this.#options;
    for (const root of this.#waiting) {
      if (this.#busy.size >= parallel) return;
      if (this.#busy.has(root)) continue;
      this.#waiting.delete(root);
      this.#busy.add(root);
      this.#reconcile(root)
        .catch(error => {
          log('error', `${root}: ${(error as Error).message}`);
          after(AGAIN_MIN_MS, () => this.#look([root]));
        })
        .finally(() => {
          this.#busy.delete(root);
          this.#next();
        });
    }
    if (this.#waiting.size + this.#busy.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #reconcile(root: string): Promise<void> {
    const { store, processes, ownership } = this.#options;
    const { revision } = store;
    const rows = store.tree(root);
    if (!ownership.owns(root)) {
      this.#failed.delete(root);
      this.#running.delete(root);
      await processes.stop(root);
      return;
    }
    const deployment = deploymentOf(store, root);
    const fresh = rows.some(({ item }) => item.status_description === FAILOVER && item.id === root);
    let failure: string | null = null;
    try {
      if (deployment === null) {
        this.#running.delete(root);
        await processes.stop(root);
      } else await this.#apply(root, deployment, fresh && rows.some(isPending));
      this.#failed.delete(root);
    } catch (error) {
      failure = (error as Error).message;
      this.#options.log('error', `${root}: ${failure}`);
      this.#failed.set(root, monotonicMs() + this.#options.againMs);
    }
    // Whoever has the tree now settles it.
    if (!ownership.owns(root)) return;
    if (rows.some(isUnsettled) || failure !== null) await this.#settle(root, revision, failure);
  }

  /** Brings the process to what the deployment says, by the smallest means. */
  async #apply(root: string, deployment: Deployment, fresh: boolean): Promise<void> {
    const { processes, log } = this.#options;
    const site = processes.site(root);
    await this.#options.findContainers(containersOf(deployment));
    const text = configurationText(deployment, site);
    const runs = processes.isRunning(root);
    const before = this.#running.get(root)?.deployment;
    if (!fresh && runs && processes.applied(root) === text) {
      this.#keep(root, deployment);
      return;
    }
    const refusal = refusalOf(text, FILES);
    if (refusal !== null) throw new Error(refusal);
    // What runs must be what it would be now from before: a certificate may be another one under its old name.
    const known = before !== undefined && processes.applied(root) === configurationText(before, site);
    const commands = !fresh && runs && known ? runtimeChange(before, deployment, site) : null;
    if (commands !== null) {
      try {
        await processes.change(root, commands, isDone, text);
        this.#keep(root, deployment);
        return;
      } catch (error) {
        log('warning', `${root}: not changed at run time, reloading: ${(error as Error).message}`);
      }
    }
    if (fresh) await processes.stop(root);
    await processes.serve(root, text, this.#vips(deployment));
    await this.#correct(root, deployment);
    this.#keep(root, deployment);
  }

  /** What had been changed at run time lives on over a reload, and may differ by now. */
  async #correct(root: string, deployment: Deployment): Promise<void> {
    const { processes, log } = this.#options;
    for (const command of corrections(deployment, await processes.ask(root, 'show stat'))) {
      const answer = await processes.ask(root, command);
      if (!isDone(command, answer)) log('warning', `${root}: ${command}: ${answer.trim()}`);
    }
  }

  #keep(root: string, deployment: Deployment): void {
    const before = this.#running.get(root) ?? {
      health: null,
      counters: new LastingCounters(),
      diedMs: 0,
      pauseMs: AGAIN_MIN_MS,
    };
    this.#running.set(root, { ...before, deployment });
  }

  #vips({ addresses }: Deployment): Vip[] {
    return addresses.map(address => {
      const subnet = this.#options.subnets.find(s => contains(s, address));
      return { address, prefix: subnet?.prefix ?? (address.includes(':') ? 128 : 32) };
    });
  }

  /** Items that have not changed since are in force, gone, or in error. */
  async #settle(root: string, revision: number, failure: string | null): Promise<void> {
    const now = timestamp();
    await this.#options.store.change(draft => {
      for (const row of draft.tree(root)) {
        const { kind, item } = row;
        const isRoot = item.id === root;
        if (row.revision > revision) continue;
        if (failure === null && item.provisioning_status === 'PENDING_DELETE') draft.remove(kind, item.id);
        else if (failure === null && isUnsettled(row)) {
          put(kind, { ...item, provisioning_status: 'ACTIVE', status_description: '' });
        } else if (failure !== null && (isPending(row) || (isRoot && item.status_description !== failure))) {
          put(kind, {
            ...item,
            provisioning_status: 'ERROR',
            status_description: isRoot ? failure : '',
            updated_at: now,
          });
        }
      }
      function put(kind: Kind, item: Common): void {
        draft.put(kind, item as never);
      }
    });
  }

  async #pollAll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    const now = monotonicMs();
    this.#look([...this.#failed].filter(([, dueMs]) => dueMs <= now).map(([root]) => root));
    await Promise.all([...this.#running.keys()].filter(root => !this.#busy.has(root)).map(root => this.#pollOne(root)));
    this.#polling = false;
  }

  async #pollOne(root: string): Promise<void> {
    const { processes, ownership, log } = this.#options;
    const running = this.#running.get(root)!;
    try {
      const health = running.counters.add(await processes.health(root));
      // Meanwhile it may have become another one, or be gone.
      const now = this.#running.get(root);
      if (now === undefined) return;
      now.health = health;
      ownership.publish(root, health);
      if (monotonicMs() - running.diedMs > AGAIN_MAX_MS) running.pauseMs = AGAIN_MIN_MS;
    } catch {
      // It may be gone by our own doing.
      if (this.#busy.has(root) || this.#running.get(root) !== running || this.#stopped) return;
      // Nothing is known of one that does not answer; it may be very busy.
      running.health = null;
      if (processes.isRunning(root)) return;
      const now = monotonicMs();
      if (now - running.diedMs < running.pauseMs) return;
      running.diedMs = now;
      running.pauseMs = Math.min(running.pauseMs * 2, AGAIN_MAX_MS);
      log('warning', `${root}: its process has died, another is started`);
      this.#look([root]);
    }
  }
}
