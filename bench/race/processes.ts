/** The processes of a race: where they listen, whether they serve, what processor time they used. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { availableParallelism } from 'node:os';
import tls from 'node:tls';

/** How long a process may take to serve, and how often it is asked. */
const READY_MAX_MS = 10_000;
const ASK_EVERY_MS = 1;

/** With `--pin` the proxies have the first processor, and everything else has the others. */
export type Place = 'proxy' | 'other';

let pinned = false;

export function pin(): void {
  pinned = true;
}

/** Starts a command. Its errors are shown, its output is not unless it is piped. */
export function start(command: string, args: readonly string[], place: Place, out: 'pipe' | 'ignore'): ChildProcess {
  const cpus = place === 'proxy' ? '0' : `${Math.min(1, availableParallelism() - 1)}-${availableParallelism() - 1}`;
  const [program, ...words] = pinned ? ['taskset', '-c', cpus, command, ...args] : [command, ...args];
  const child = spawn(program!, words, { stdio: ['ignore', out, 'inherit'] });
  child.once('error', () => {}); // who waits for it sees its exit code
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

/** Nothing outlives the race, however it ends. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** Runs a command to its end. Resolves to its output; throws when it failed. */
export async function run(command: string, args: readonly string[]): Promise<string> {
  const child = start(command, args, 'other', 'pipe');
  let out = '';
  child.stdout!.on('data', chunk => (out += chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${code}`);
  return out;
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise(resolve => child.once('close', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** The first line of `command -v`, from whichever output has one; null when there is no such command. */
export function versionOf(command: string): string | null {
  const { stdout, stderr, error } = spawnSync(command, ['-v'], { encoding: 'utf8' });
  return error === undefined ? `${stdout}${stderr}`.split('\n')[0]!.trim() : null;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

/** Resolves once a request on the port is answered: that it accepts says little, the kernel does that. */
export async function ready(port: number, secure: boolean, child: ChildProcess): Promise<void> {
  for (const deadline = Date.now() + READY_MAX_MS; Date.now() < deadline; ) {
    if (await answers(port, secure)) return;
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')}: exit ${child.exitCode}`);
    await new Promise(resolve => setTimeout(resolve, ASK_EVERY_MS));
  }
  throw new Error(`${child.spawnargs.join(' ')}: does not serve on port ${port}`);
}

function answers(port: number, secure: boolean): Promise<boolean> {
  return new Promise(resolve => {
    const ask = () => socket.write('GET / HTTP/1.1\r\nHost: race\r\n\r\n');
    const at = { port, host: '127.0.0.1', rejectUnauthorized: false };
    const socket: net.Socket = secure ? tls.connect(at, ask) : net.connect(at, ask);
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

/** Bytes of a process in memory. Linux only. */
export function memoryOf(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)![1]) * 1024;
}

/** Processor time in microseconds. */
export interface Cpu {
  readonly user: number;
  readonly system: number;
}

/** A tick of /proc/PID/stat: USER_HZ is 100 on every Linux that Node runs on. */
const TICK_US = 10_000;

/** What all threads of a process have used. Linux only. */
export function cpuOf(pid: number): Cpu {
  return parseStat(fs.readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

/** proc(5): fields 14 and 15. The second field, the name in parentheses, may hold anything. */
export function parseStat(text: string): Cpu {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { user: Number(fields[11]) * TICK_US, system: Number(fields[12]) * TICK_US };
}
