/** Has a configuration's servers checked by HAProxy or by Sluice, and tells what both found. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startHealth } from '../../engine/health/index.ts';
import { initialise } from '../../engine/health/initialise.ts';
import type { StateEnv } from '../../engine/health/target.ts';
import { createNetIo } from '../../engine/io/net.ts';
import { Memory, shapeOf, topology } from '../../engine/shm/memory.ts';
import { COLUMNS } from '../../engine/stats/columns.ts';
import { createView, type Facts, Subject } from '../../engine/stats/view.ts';
import { TimerWheel } from '../../engine/time.ts';
import { load } from '../config/load-text.ts';
import { outsideOf } from '../health/fixture.ts';

/** Columns of `show stat`, by `<backend>/<server>`. */
export type Found = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface Run {
  readonly found: Found;
  /** Log lines, durations replaced. */
  readonly lines: readonly string[];
}

const SHOWN = [
  ...['status', 'check_status', 'check_code', 'last_chk', 'check_desc', 'check_health', 'weight', 'tracked'],
  ...['agent_status', 'agent_code', 'last_agt', 'agent_desc', 'agent_health', 'chkfail'],
];

const GLOBAL = `global
  external-check
  insecure-fork-wanted
defaults
  log global
  timeout client 5s
  timeout server 5s
  timeout connect 1s
  timeout check 1s
`;

/** A check that is just under way is not told from one that is not. */
const clean = (text: string): string => text.replace(/^\* /, '');
export const normal = (line: string): string => line.replace(/duration: \d+ms/g, 'duration: _');

/** The columns shown, and in `running` those that HAProxy shows empty while a check is under way. */
function chosen(row: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const columns = Object.fromEntries(SHOWN.map(name => [name, clean(row[name] ?? '')]));
  const running = [
    ...(row.check_status?.startsWith('* ') ? ['last_chk', 'check_code'] : []),
    ...(row.agent_status?.startsWith('* ') ? ['last_agt', 'agent_code'] : []),
  ];
  return { ...columns, running: running.join(' ') };
}

/** Runs HAProxy on the backends for `ms` milliseconds. */
export async function askHaproxy(backends: string, ms: number): Promise<Run> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-checks-'));
  const file = path.join(folder, 'haproxy.cfg');
  const global = GLOBAL.replace(
    'global\n',
    `global\n  log stdout format short local0\n  stats socket ${folder}/sock level admin\n`,
  );
  writeFileSync(file, global + backends);
  let haproxy: ChildProcess | null = null;
  try {
    haproxy = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    let errors = '';
    haproxy.stdout!.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    haproxy.stderr!.setEncoding('utf8').on('data', (more: string) => {
      errors += more;
    });
    await new Promise(resolve => setTimeout(resolve, ms));
    if (haproxy.exitCode !== null) throw new Error(`haproxy has ended: ${errors}`);
    const csv = await showStat(path.join(folder, 'sock'));
    return { found: csv, lines: text.split('\n').filter(Boolean).map(normal) };
  } finally {
    haproxy?.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
}

async function showStat(socket: string): Promise<Found> {
  const csv = await new Promise<string>((resolve, reject) => {
    const client = net.connect(socket, () => client.end('show stat\n'));
    let text = '';
    client.on('data', data => {
      text += data;
    });
    client.on('end', () => resolve(text)).on('error', reject);
  });
  const [head, ...rows] = csv.trim().split('\n');
  const names = head!.split(',');
  const found: Record<string, Readonly<Record<string, string>>> = {};
  for (const row of rows) {
    const values = cells(row);
    if (values[1] === 'BACKEND' || values[1] === 'FRONTEND') continue;
    found[`${values[0]}/${values[1]}`] = chosen(Object.fromEntries(names.map((name, i) => [name, values[i] ?? ''])));
  }
  return found;
}

/** Texts of CSV may be quoted. */
function cells(row: string): string[] {
  return [...row.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell]) =>
    cell!.startsWith('"') ? cell!.slice(1, -1).replaceAll('""', '"') : cell!,
  );
}

/** Checks the backends' servers over real sockets for `ms` milliseconds. `act` may do something to them meanwhile. */
export async function askSluice(backends: string, ms: number, act: (env: StateEnv) => void = () => {}): Promise<Run> {
  const { model, diagnostics } = load(GLOBAL + backends);
  if (model === null) throw new Error(diagnostics.list.map(d => d.message).join('\n'));
  const memory = Memory.create(shapeOf(model, 1));
  const io = createNetIo();
  const wheel = new TimerWheel(io.now());
  const lines: string[] = [];
  const env = {
    ...{
      model,
      memory,
      topology: topology(model),
      outside: outsideOf(model, memory),
      io,
      wheel,
      random: () => 0.5,
      now: () => io.now(),
    },
    log: (level: number, _proxy: number, text: string) => void lines.push(normal(`<${level}>${text}`)),
  };
  initialise(memory, model, io.now());
  const health = startHealth(env);
  io.onTurn(now => wheel.advance(now));
  act(env);
  await new Promise(resolve => setTimeout(resolve, ms));
  const view = createView({ ...env, facts: {} as Facts });
  const found: Record<string, Readonly<Record<string, string>>> = {};
  for (const proxy of model.proxies) {
    for (const { index, name } of proxy.servers) {
      const subject = view.server(new Subject(io.now(), true), proxy, index);
      const row = COLUMNS.filter(({ name }) => SHOWN.includes(name)).map(
        column => [column.name, String(column.value(view, subject) ?? '')] as const,
      );
      found[`${proxy.name}/${name}`] = chosen(Object.fromEntries(row));
    }
  }
  health.stop();
  await io.stop();
  return { found, lines };
}

/** One step of a scripted server: text to send, or a word in angle brackets. */
export type Move = string | '<wait>' | '<end>' | '<reset>';

export interface ScriptedServer {
  readonly port: number;
  /** The most that one connection sent since the last call: the last one may have been cut short. '' = nothing. */
  take(): string;
  close(): void;
}

/** How long a scripted server waits before it says anything. */
const GREET_MS = 20;

/** A server that does the same moves on each connection; `<wait>` waits until it has heard something more. */
export async function scriptedServer(moves: readonly Move[]): Promise<ScriptedServer> {
  let heard: { text: string }[] = [];
  const server = net.createServer(socket => {
    const mine = { text: '' };
    heard.push(mine);
    const left = [...moves];
    let greeted = false;
    const go = (): void => {
      greeted = true;
      for (let move = left.shift(); move !== undefined && move !== '<wait>'; move = left.shift()) {
        if (move === '<end>') socket.end();
        else if (move === '<reset>') socket.resetAndDestroy();
        else socket.write(Buffer.from(move, 'latin1'));
      }
    };
    socket.on('error', () => {});
    socket.on('data', data => {
      mine.text += data.toString('latin1');
      if (greeted) go();
    });
    // HAProxy 2.6 now and then takes what comes together with the connection for nothing.
    setTimeout(() => {
      go();
      if (mine.text !== '') go();
    }, GREET_MS);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const take = (): string => {
    const texts = heard.map(({ text }) => text).sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
    heard = [];
    return texts.at(-1) ?? '';
  };
  return { port, take, close: () => void server.close() };
}
