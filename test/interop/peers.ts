/** The two programs that are compared: a real HAProxy, and Sluice's data path with the same configuration. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeFd, openListener } from '../../engine/io/bind.ts';
import { Logger } from '../../engine/log/index.ts';
import { dumpStat } from '../../engine/stats/stat.ts';
import { wallMs } from '../../engine/time.ts';
import { PLAIN_SPEC } from '../io/plain-spec.ts';
import { startRig } from '../proxy/rig.ts';

/** The statistics of one proxy: `FRONTEND`, `BACKEND` and its servers, columns by name. */
export type Stats = Record<string, Record<string, string>>;

export interface Peer {
  port(proxy: string): number;
  stats(proxy: string): Promise<Stats>;
  /** What was logged for the streams of a frontend: `backend/server status termination-state retries`, in the words of %b, %s, %ST, %tsc and %rc. */
  log(proxy: string): readonly string[];
  stop(): Promise<void>;
}

/** A configuration, its parts in the order of the file. `listen` sections get their `bind` line from the peer. */
export interface Setup {
  readonly global: readonly string[];
  readonly defaults: readonly string[];
  readonly sections: readonly { readonly name: string; readonly bind: string; readonly lines: readonly string[] }[];
}

/** The first line of `haproxy -v`, or null when there is none. */
export function haproxyVersion(): string | null {
  const run = spawnSync('haproxy', ['-v'], { encoding: 'utf8' });
  return run.status === 0 ? run.stdout.split('\n')[0]! : null;
}

/** A syslog server. The lines of one frontend, without the frontend's name. */
interface LogServer {
  readonly lines: readonly string[];
  of(frontend: string): readonly string[];
  close(): void;
}

async function logServer(): Promise<LogServer> {
  const received: string[] = [];
  const udp = dgram.createSocket('udp4');
  udp.on('message', message => received.push(message.toString('latin1').trimEnd()));
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  return {
    // Retries are marked with `+` when they went to another server.
    lines: [`log 127.0.0.1:${udp.address().port} format raw local0`, 'log-format "%f %b/%s %ST %tsc %rc"'],
    of: frontend =>
      received.filter(line => line.startsWith(`${frontend} `)).map(line => line.slice(frontend.length + 1)),
    close: () => void udp.close(),
  };
}

/** The letters for cookies are HTTP's. */
const TCP_FORMAT = 'log-format "%f %b/%s %ST %ts %rc"';

function textOf(
  setup: Setup,
  address: (name: string) => string,
  more: readonly string[],
  ownLines: readonly string[],
): string {
  return [
    'global',
    ...setup.global,
    ...more,
    'defaults',
    ...setup.defaults,
    ...ownLines,
    ...setup.sections.flatMap(({ name, bind, lines }) => [
      `listen ${name}`,
      `bind ${address(name)} ${bind}`,
      ...lines,
      ...(lines.includes('mode tcp') ? [TCP_FORMAT] : []),
    ]),
    '',
  ].join('\n');
}

export async function startSluice(setup: Setup): Promise<Peer> {
  const log = await logServer();
  const rig = await startRig(
    textOf(setup, () => '127.0.0.1:1', [], log.lines),
    {
      events: (model, memory, io) =>
        new Logger({
          ...{ model, memory, io, worker: 0, facts: { pid: 1, hostname: 'here' }, wall: wallMs },
          complain: () => {},
        }),
    },
  );
  return {
    port: name => rig.port(name),
    stats: async name => {
      const proxy = rig.model.proxies.find(p => p.name === name)!;
      const dump = dumpStat(
        rig.view,
        { format: 'csv', legends: true, up: false, noMaint: false, iid: proxy.id, type: -1, sid: -1 },
        0,
      );
      let text = '';
      for (let piece = dump.next(); piece !== null; piece = dump.next()) text += Buffer.from(piece).toString('latin1');
      return parse(text, name);
    },
    log: log.of,
    stop: async () => {
      await rig.stop();
      log.close();
    },
  };
}

export async function startHaproxy(setup: Setup): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-differential-'));
  const socket = join(folder, 'stats');
  const log = await logServer();
  const listeners = setup.sections.map(() => listener());
  const descriptor = new Map(setup.sections.map(({ name }, i) => [name, i]));
  const more = ['maxconn 2000', 'nbthread 1', `stats socket ${socket} mode 600 level admin`];
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    textOf(setup, name => `fd@${FIRST_FD + descriptor.get(name)!}`, more, log.lines),
  );
  const child = spawn('haproxy', ['-f', file, '-db', '-q'], {
    stdio: ['ignore', 'ignore', 'pipe', ...listeners.map(({ fd }) => fd)],
  });
  for (const { fd } of listeners) closeFd(fd);
  let errors = '';
  child.stderr!.on('data', data => (errors += data));
  await ready(child, socket, () => errors);
  return {
    port: name => listeners[descriptor.get(name)!]!.port,
    stats: async name => parse(await command(socket, 'show stat'), name),
    log: log.of,
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'close');
      log.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Where the descriptors begin that a child inherits beside its standard ones. */
const FIRST_FD = 3;

/** A listening socket for HAProxy to inherit: nobody else can take its port. */
function listener(): { fd: number; port: number } {
  const opened = openListener({
    ...PLAIN_SPEC,
    address: { family: 4, bytes: new Uint8Array([127, 0, 0, 1]), port: 0 },
  });
  if ('errno' in opened) throw new Error(opened.message);
  return { fd: opened.fd, port: opened.address.port };
}

async function ready(child: ChildProcess, socket: string, errors: () => string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`haproxy: ${errors()}`);
    try {
      await command(socket, 'show version');
      return;
    } catch {
      await new Promise(resolve => setTimeout(resolve, 10));
    }
  }
}

function command(path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path }, () => socket.write(`${text}\n`));
    let answer = '';
    socket.on('data', data => (answer += data));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

function parse(csv: string, proxy: string): Stats {
  const [header, ...rows] = csv.split('\n');
  const names = header!.slice(2).split(',');
  const stats: Stats = {};
  for (const row of rows) {
    const cells = row.split(',');
    if (cells[0] !== proxy) continue;
    stats[cells[1]!] = Object.fromEntries(names.map((name, i) => [name, cells[i]!]));
  }
  return stats;
}
