/**
 * Processes that several load balancers share: a process costs memory, whatever it does. Each load balancer keeps its folder, its
 * changes and its state; a process that dies or reads its configuration does so for all that it has.
 *
 *     lbaas/<id>/conf     what the load balancer is, as if it had a process of its own
 *                group    the name of its process
 *                pid      ┐ of its process
 *                sock     ┘
 *                vips     addresses that were put up for it
 *     shared/<group>/     the process, with the configurations of all of them one after the other (processes.ts)
 */
import path from 'node:path';
import type { Site } from '../../engine/lbaas/configuration.ts';
import { type Health, readStats } from '../../engine/lbaas/health.ts';
import { proxiesOf, standsAlone } from '../../engine/lbaas/preamble.ts';
import { digestOf } from './certificates.ts';
import { HOST, type Vip } from './places.ts';
import { ProcessGroup } from './process-group.ts';
import { type IsDone, OwnProcesses, type Processes, type ProcessesOptions } from './processes.ts';
import { StateFolder } from './state-folder.ts';
import { Vips } from './vips.ts';

interface SharedOptions extends ProcessesOptions {
  /** The folder of the processes; `folder` is that of the load balancers. */
  readonly sharedFolder: string;
  /** Load balancers in a process. */
  readonly most: number;
}

export class SharedProcesses implements Processes {
  readonly #options: SharedOptions;
  readonly #folder: StateFolder;
  readonly #vips: Vips;
  readonly #processes: OwnProcesses;
  readonly #groups = new Map<string, ProcessGroup>();
  /** The group of each, and whether it must have it for itself. */
  readonly #members = new Map<string, { readonly group: ProcessGroup; readonly alone: boolean }>();

  constructor(options: SharedOptions) {
    this.#options = options;
    this.#folder = new StateFolder(options.folder);
    this.#vips = new Vips(this.#folder, options.place);
    this.#processes = new OwnProcesses({ ...options, folder: options.sharedFolder, place: HOST });
    this.#find();
  }

  /** What a controller before left. */
  #find(): void {
    const groups = Map.groupBy(this.#folder.ids(), id => this.#folder.read(id, 'group') ?? '');
    groups.delete('');
    for (const [name, ids] of groups) {
      const texts = new Map(ids.flatMap(id => [[id, this.#folder.read(id, 'conf')] as const]));
      const there = new Map([...texts].filter((entry): entry is [string, string] => entry[1] !== null));
      const group = new ProcessGroup(name, this.#processes, there);
      this.#groups.set(name, group);
      for (const [id, text] of texts) this.#members.set(id, { group, alone: text !== null && standsAlone(text) });
    }
  }

  site(id: string): Site {
    const { ping, certificate } = this.#options;
    const [socket, states] = [this.#folder.file(id, 'sock'), this.#folder.file(id, 'states')];
    return { socket, states, ping, certificate, digest: digestOf };
  }

  known(): string[] {
    return this.#folder.ids();
  }

  applied(id: string): string | null {
    const group = this.#members.get(id)?.group;
    const text = this.#folder.read(id, 'conf');
    if (group === undefined || text === null) return null;
    return this.#processes.applied(group.name)?.includes(proxiesOf(text)) ? text : null;
  }

  isRunning(id: string): boolean {
    const group = this.#members.get(id)?.group;
    return group !== undefined && this.#processes.isRunning(group.name);
  }

  async serve(id: string, text: string, vips: readonly Vip[]): Promise<void> {
    const alone = standsAlone(text);
    const before = this.#members.get(id);
    if (before !== undefined && before.alone !== alone) await this.#leave(id);
    this.#folder.make(id);
    const { name } = this.#join(id, alone);
    await this.#vips.up(id, vips);
    for (const file of ['pid', 'sock']) this.#folder.link(id, file, path.join(this.#options.sharedFolder, name, file));
    await this.#members.get(id)!.group.set(id, text);
    // Not before: what cannot run must not be found here.
    this.#folder.write(id, 'conf', text);
    await this.#vips.announce(id);
  }

  /** Its group, or one that has room. */
  #join(id: string, alone: boolean): ProcessGroup {
    const member = this.#members.get(id);
    if (member !== undefined) return member.group;
    const counts = new Map([...this.#groups.values()].map(group => [group, 0]));
    for (const other of this.#members.values()) {
      counts.set(other.group, other.alone ? this.#options.most : counts.get(other.group)! + 1);
    }
    const [found] = [...counts].find(([, count]) => !alone && count < this.#options.most) ?? [];
    const group = found ?? this.#newGroup();
    this.#members.set(id, { group, alone });
    this.#folder.write(id, 'group', group.name);
    return group;
  }

  #newGroup(): ProcessGroup {
    let n = 1;
    while (this.#groups.has(String(n))) n++;
    const group = new ProcessGroup(String(n), this.#processes, new Map());
    this.#groups.set(group.name, group);
    return group;
  }

  async change(id: string, commands: readonly string[], isDone: IsDone, text: string): Promise<void> {
    await this.#members.get(id)!.group.change(id, commands, isDone, text);
    this.#folder.write(id, 'conf', text);
  }

  ask(id: string, command: string): Promise<string> {
    return this.#processes.ask(this.#members.get(id)!.group.name, command);
  }

  async health(id: string): Promise<Health> {
    return readStats(await this.#members.get(id)!.group.rows(id), this.#options.ping);
  }

  async stop(id: string): Promise<void> {
    await this.#leave(id);
    if (!this.#folder.has(id)) return;
    await this.#vips.down(id);
    this.#folder.remove(id);
  }

  async #leave(id: string): Promise<void> {
    const group = this.#members.get(id)?.group;
    if (group === undefined) return;
    await group.set(id, null);
    this.#members.delete(id);
    const others = [...this.#members.values()].some(member => member.group === group);
    if (!others) this.#groups.delete(group.name);
  }

  /** Processes of nobody any more, and load balancers that had their own. */
  async settle(): Promise<void> {
    const own = new OwnProcesses(this.#options);
    for (const id of this.#folder.ids()) if (!this.#members.has(id)) await own.stop(id);
    for (const name of this.#processes.known()) if (!this.#groups.has(name)) await this.#processes.stop(name);
  }
}

/** The way back: load balancers get processes of their own, so nothing is shared any more. */
export async function unshare(options: SharedOptions): Promise<void> {
  const shared = new OwnProcesses({ ...options, folder: options.sharedFolder, place: HOST });
  for (const name of shared.known()) await shared.stop(name);
  const folder = new StateFolder(options.folder);
  for (const id of folder.ids()) {
    if (folder.read(id, 'group') !== null) for (const file of ['group', 'pid', 'sock']) folder.remove(id, file);
  }
}
