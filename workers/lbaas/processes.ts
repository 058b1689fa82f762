/**
 * The processes, each with a folder of its own. All that is known of them is there and in the kernel, so that a
 * control plane that starts again finds them as they are:
 *
 *     lbaas/<id>/conf     what the process runs
 *                pid      of the process
 *                sock     its runtime API
 *                master   its master's socket: reloads
 *                log      what it said
 *                states   of the members, from the process before
 *                vips     addresses that were put up for it, a line of JSON
 *                applied  the hash of `conf` once the process serves it; not there while that is not known
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { askSocket } from '../../engine/io/ask.ts';
import type { Site } from '../../engine/lbaas/configuration.ts';
import { type Health, readStats } from '../../engine/lbaas/health.ts';
import { statRows } from '../../engine/lbaas/stat-rows.ts';
import { after, monotonicMs } from '../../engine/time.ts';
import { digestOf } from './certificates.ts';
import type { Place, Vip } from './places.ts';
import { run } from './run.ts';
import { StateFolder } from './state-folder.ts';
import { Vips } from './vips.ts';

/** What runs the load balancers: a process for each, or one for several (shared-processes.ts). Ids are theirs. */
export interface Processes {
  site(id: string): Site;
  /** Ids that have a folder. */
  known(): string[];
  /** What the process runs, as far as is known: null when nothing is, or it may be something else. */
  applied(id: string): string | null;
  isRunning(id: string): boolean;
  /** Starts the process, or has it read its configuration again: connections that it has go on. */
  serve(id: string, text: string, vips: readonly Vip[]): Promise<void>;
  /** Changes the process by commands of the runtime API; `text` is the same in effect. Throws when one fails. */
  change(id: string, commands: readonly string[], isDone: IsDone, text: string): Promise<void>;
  /** One command of the runtime API. */
  ask(id: string, command: string): Promise<string>;
  health(id: string): Promise<Health>;
  /** Nothing runs for the id any more, and nothing is known of it. */
  stop(id: string): Promise<void>;
}

/** Whether an answer of the runtime API says that a command was done. */
export type IsDone = (command: string, answer: string) => boolean;

export interface ProcessesOptions {
  readonly folder: string;
  /** The launcher, and what every process gets: `--io=net`. */
  readonly program: readonly string[];
  readonly place: Place;
  readonly ping: string | null;
  readonly certificate: (reference: string) => string | null;
}

const START_MAX_MS = 30_000;
const ANSWER_MAX_MS = 5_000;
/** How long a process may take to end, and how often we look. */
const STOP_MAX_MS = 5_000;
const LOOK_MS = 20;

export class OwnProcesses implements Processes {
  readonly #options: ProcessesOptions;
  readonly #folder: StateFolder;
  readonly #vips: Vips;

  constructor(options: ProcessesOptions) {
    this.#options = options;
    this.#folder = new StateFolder(options.folder);
    this.#vips = new Vips(this.#folder, options.place);
  }

  site(id: string): Site {
    const { ping, certificate } = this.#options;
    return { socket: this.#file(id, 'sock'), states: this.#file(id, 'states'), ping, certificate, digest: digestOf };
  }

  known(): string[] {
    return this.#folder.ids();
  }

  applied(id: string): string | null {
    const text = this.#folder.read(id, 'conf');
    return text !== null && this.#folder.read(id, 'applied') === hash(text) ? text : null;
  }

  isRunning(id: string): boolean {
    return this.#pid(id) !== null;
  }

  async serve(id: string, text: string, vips: readonly Vip[]): Promise<void> {
    // All of them: one may have been about to start when the control plane died.
    const running = this.#pids(id);
    this.#folder.make(id);
    await this.#vips.up(id, vips);
    this.#unmark(id);
    this.#folder.write(id, 'conf', text);
    if (running.length === 0 || !(await this.#reload(id, running))) await this.#start(id, running);
    this.#folder.write(id, 'applied', hash(text));
    await this.#vips.announce(id);
  }

  /** In place. False: there is no process that can; throws what is wrong with the configuration. */
  async #reload(id: string, running: readonly number[]): Promise<boolean> {
    const main = this.#pid(id);
    if (main === null) return false;
    this.#folder.write(id, 'states', '');
    let answer: string;
    try {
      answer = await askSocket(this.#file(id, 'master'), 'reload', START_MAX_MS);
    } catch {
      return false;
    }
    if (!answer.startsWith('Success=')) return false;
    if (!answer.startsWith('Success=1')) throw new Error(reason(answer) ?? 'it could not be reloaded');
    for (const pid of running) if (pid !== main) send(pid, 'SIGUSR1');
    return true;
  }

  /** Starts one, which replaces those that run. */
  async #start(id: string, running: readonly number[]): Promise<void> {
    const { place, program } = this.#options;
    this.#folder.write(id, 'states', running.length === 0 ? '' : await this.#states(id));
    const sockets = ['sock', 'master'].map(name => this.#file(id, name));
    if (running.length === 0) for (const socket of sockets) fs.rmSync(socket, { force: true });
    const [conf, pid, master] = ['conf', 'pid', 'master'].map(name => this.#file(id, name)) as [string, string, string];
    const words = [...place.inside(id), ...program, '-W', '-D', '-S', `${master},mode,600`, '-f', conf, '-p', pid];
    const { code, err } = await run(
      [...words, ...(running.length === 0 ? [] : ['-sf', ...running.map(String)])],
      START_MAX_MS,
    );
    fs.appendFileSync(this.#file(id, 'log'), err);
    if (code !== 0) throw new Error(reason(err) ?? `the process ended with code ${code}`);
  }

  /** So that a member that is down gets no traffic before its first check in the next process. */
  async #states(id: string): Promise<string> {
    try {
      return checkedStates(await this.ask(id, 'show servers state'));
    } catch {
      return '';
    }
  }

  ask(id: string, command: string): Promise<string> {
    return askSocket(this.#file(id, 'sock'), command, ANSWER_MAX_MS);
  }

  async health(id: string): Promise<Health> {
    return readStats(statRows(await this.ask(id, 'show stat')), this.#options.ping);
  }

  async change(id: string, commands: readonly string[], isDone: IsDone, text: string): Promise<void> {
    this.#unmark(id);
    for (const command of commands) {
      const answer = await this.ask(id, command);
      if (!isDone(command, answer)) throw new Error(`${command}: ${answer.trim()}`);
    }
    this.#folder.write(id, 'conf', text);
    this.#folder.write(id, 'applied', hash(text));
  }

  /** Ends all processes of the id, also those that only finish old connections, and forgets it. */
  async stop(id: string): Promise<void> {
    if (!this.#folder.has(id)) return;
    this.#unmark(id);
    await this.#end(id);
    await this.#vips.down(id);
    this.#folder.remove(id);
  }

  async #end(id: string): Promise<void> {
    const deadline = monotonicMs() + STOP_MAX_MS;
    let signal: NodeJS.Signals = 'SIGTERM';
    for (;;) {
      const pids = this.#pids(id);
      if (pids.length === 0) return;
      if (monotonicMs() > deadline) signal = 'SIGKILL';
      for (const pid of pids) send(pid, signal);
      await sleep(LOOK_MS);
    }
  }

  /** The process that serves, by its file; null when it is gone. */
  #pid(id: string): number | null {
    const pid = Number(this.#folder.read(id, 'pid')?.trim() || Number.NaN);
    return Number.isInteger(pid) && this.#isOurs(id, pid) ? pid : null;
  }

  /** All processes that run the id's configuration. */
  #pids(id: string): number[] {
    const own = this.#pid(id);
    if (process.platform !== 'linux') return own === null ? [] : [own];
    const pids = fs.readdirSync('/proc').filter(name => /^\d+$/.test(name));
    return pids.map(Number).filter(pid => this.#isOurs(id, pid));
  }

  /** Another process may have got the number since: ours have the path in their command line. The dead have none. */
  #isOurs(id: string, pid: number): boolean {
    if (pid === process.pid) return false;
    if (process.platform !== 'linux') return send(pid, 0);
    try {
      const words = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return words.includes(this.#file(id, 'conf')) && words.includes('-D');
    } catch {
      return false;
    }
  }

  #unmark(id: string): void {
    this.#folder.remove(id, 'applied');
  }

  #file(id: string, name: string): string {
    return this.#folder.file(id, name);
  }
}

/**
 * The answer to `show servers state` (management guide, 9.3) with what checks have found, and without what was changed at run
 * time: that is in the configuration by now.
 *
 *     be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight ...
 */
function checkedStates(answer: string): string {
  const lines = answer.split('\n').map(line => {
    const cells = line.split(' ');
    if (!/^\d/.test(line) || cells.length < 10) return line;
    cells[6] = '0';
    cells[7] = cells[8]!;
    return cells.join(' ');
  });
  return lines.join('\n');
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

export function sleep(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  after(ms, resolve);
  return promise;
}

/** The first alert of a start that failed. */
function reason(said: string): string | null {
  return /\[ALERT\] +\(\d+\) : (.*)/.exec(said)?.[1] ?? (said.trim().split('\n').at(-1) || null);
}
