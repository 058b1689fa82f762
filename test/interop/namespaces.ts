/**
 * Small machines on this one: each has its own network, processes, mounts and host name, and all hang on one switch.
 *
 *     unshare ── bash, waits for the end of its input ── whatever runs there
 *                      │ eth0
 *     switch's br0 ────┴──────── eth0 of the next machine
 *
 * Nothing has a name outside. The first process of a machine ends when the tests do, however they do, as nobody holds its
 * standard input any more; then the kernel ends what runs there and takes the links away.
 */
import { type ChildProcess, execFileSync, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';

const UNSHARE = ['--net', '--pid', '--mount', '--uts', '--fork', '--kill-child', '--mount-proc'];

/** Whether this user may make such machines, and the programs are there: else what is missing. */
export function missing(...programs: readonly string[]): string | null {
  if (process.getuid?.() !== 0) return 'only root may make network namespaces';
  const absent = ['unshare', 'nsenter', 'ip', ...programs].filter(
    program => spawnSync('which', [program]).status !== 0,
  );
  if (absent.length > 0) return `${absent.join(', ')} not installed`;
  return spawnSync('unshare', [...UNSHARE, 'true']).status === 0 ? null : 'no namespaces can be made here';
}

const children = (pid: number): number[] =>
  fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

/** The process that `parent` (unshare, nsenter) started, as seen from here. */
async function childOf(parent: number): Promise<number> {
  for (let i = 0; i < 500; i++) {
    const [child] = children(parent);
    if (child !== undefined) return child;
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  throw new Error(`process ${parent} starts nothing`);
}

export class Machine {
  readonly #holder: ChildProcess;
  readonly #init: number;

  private constructor(holder: ChildProcess, init: number) {
    this.#holder = holder;
    this.#init = init;
  }

  static async start(): Promise<Machine> {
    const holder = spawn('unshare', [...UNSHARE, 'bash', '-c', 'echo up; read -r _'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    // What it says comes after its mounts are done.
    await new Promise((resolve, reject) => holder.stdout!.once('data', resolve).once('end', reject));
    return new Machine(holder, await childOf(holder.pid!));
  }

  get #enter(): string[] {
    return ['-t', String(this.#init), '--net', '--pid', '--mount', '--uts'];
  }

  /** The process id to give to `ip ... netns`. */
  get netns(): string {
    return String(this.#init);
  }

  /** Runs a shell script there to its end and gives what it printed; throws when it fails. */
  sh(script: string): string {
    return execFileSync('nsenter', [...this.#enter, 'sh', '-ec', script], { encoding: 'utf8', stdio: 'pipe' });
  }

  /** The same without waiting; resolves to what it printed, '' when it fails. */
  ask(program: string, ...args: readonly string[]): Promise<string> {
    const child = spawn('nsenter', [...this.#enter, program, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.on('data', chunk => (text += chunk));
    return new Promise(resolve => child.once('close', code => resolve(code === 0 ? text : '')));
  }

  /** Starts a program that stays. */
  async start(program: string, args: readonly string[], options: SpawnOptions = {}): Promise<Resident> {
    const entered = spawn('nsenter', [...this.#enter, program, ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
      ...options,
    });
    const ended = new Promise<void>(resolve => entered.once('close', () => resolve()));
    const pid = await childOf(entered.pid!);
    const signal = (name: NodeJS.Signals) => {
      process.kill(pid, name);
      // nsenter stops itself when its child is stopped.
      if (name === 'SIGCONT') entered.kill('SIGCONT');
    };
    return { signal, ended };
  }

  /** Resolves when everything that ran there is gone. */
  async end(): Promise<void> {
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return;
    const ended = new Promise(resolve => this.#holder.once('exit', resolve));
    this.#holder.stdin!.end();
    await ended;
  }
}

/** A program that runs on a machine. */
export interface Resident {
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<void>;
}

export interface Lan {
  readonly machines: readonly Machine[];
  end(): Promise<void>;
}

/** `count` machines with the addresses 10.77.0.11/24, 10.77.0.12/24 and so on. */
export async function startLan(count: number): Promise<Lan> {
  const [hub, ...machines] = await Promise.all(Array.from({ length: count + 1 }, () => Machine.start()));
  const lan = { machines, end: async () => void (await Promise.all([hub!, ...machines].map(one => one.end()))) };
  try {
    hub!.sh('ip link add br0 type bridge stp_state 0 forward_delay 0; ip link set br0 up');
    for (const [i, machine] of machines.entries()) {
      // Made on the switch's side: what is to be found by process id must be looked up from here.
      execFileSync('nsenter', [
        ...['-t', hub!.netns, '--net', 'ip', 'link', 'add', `port${i}`],
        ...['type', 'veth', 'peer', 'name', 'eth0', 'netns', machine.netns],
      ]);
      hub!.sh(`ip link set port${i} master br0 up`);
      machine.sh(`ip link set lo up; ip addr add 10.77.0.${11 + i}/24 dev eth0; ip link set eth0 up`);
    }
    return lan;
  } catch (error) {
    await lan.end();
    throw error;
  }
}
