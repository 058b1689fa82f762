/**
 * Real servers, killed and revived, checked by HAProxy and by Sluice at the same time: both must find and log the same.
 * Runs what is installed: redis-server, postgresql, mariadb-server, slapd, exim4-daemon-light.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { askHaproxy, askSluice } from './check-rig.ts';
import { haproxyVersion } from './haproxy-farms.ts';

interface Program {
  readonly name: string;
  readonly binary: string;
  /** The backend's lines. */
  readonly lines: readonly string[];
  /** What a good check says. */
  readonly says: string;
  /** It gives up its rights itself, and must have them. */
  readonly root?: boolean;
  /** Makes the folder ready, once. */
  prepare?(binary: string): void;
  args(port: number): readonly string[];
}

const ROOT = userInfo().uid === 0;
/** Servers that refuse to be root run as this user. */
const NOBODY = ROOT ? { uid: 65_534, gid: 65_534 } : {};

let folder: string;
const at = (name: string): string => path.join(folder, name);

function run(command: string, args: readonly string[]): void {
  const done = spawnSync(command, args, { ...NOBODY, cwd: folder, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${command} ended with ${done.status}: ${done.stderr}`);
}

const PROGRAMS: readonly Program[] = [
  {
    name: 'redis-server',
    binary: 'redis-server',
    lines: ['option redis-check'],
    says: 'Redis server is ok',
    args: port => ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', folder],
  },
  {
    name: 'redis-server, by steps',
    binary: 'redis-server',
    lines: [
      'option tcp-check',
      ...['tcp-check connect', 'tcp-check send PING\\r\\n', 'tcp-check expect string +PONG'],
      ...['tcp-check send info\\ replication\\r\\n', 'tcp-check expect string role:master'],
      ...['tcp-check send QUIT\\r\\n', 'tcp-check expect string +OK'],
    ],
    says: '(tcp-check)',
    args: port => ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', folder],
  },
  {
    name: 'postgresql',
    binary: 'postgres',
    lines: ['option pgsql-check user joe'],
    says: 'PostgreSQL server is ok',
    prepare: binary =>
      run(path.join(path.dirname(binary), 'initdb'), ['-D', at('data'), '-U', 'joe', '-A', 'trust', '-N']),
    args: port => ['-D', at('data'), '-p', `${port}`, '-k', folder, '-c', 'listen_addresses=127.0.0.1'],
  },
  {
    name: 'mariadb-server',
    binary: 'mariadbd',
    lines: ['option mysql-check user haproxy'],
    says: '',
    prepare(binary) {
      const install = path.join(binary, '../../bin/mariadb-install-db');
      const base = path.join(binary, '../..');
      run(install, ['--no-defaults', `--datadir=${at('data')}`, `--basedir=${base}`, '--skip-test-db']);
      writeFileSync(at('init.sql'), "CREATE USER IF NOT EXISTS 'haproxy'@'%';\n");
    },
    args: port => [
      ...['--no-defaults', `--datadir=${at('data')}`, `--port=${port}`, `--socket=${at('sock')}`],
      ...['--bind-address=127.0.0.1', '--skip-name-resolve', `--init-file=${at('init.sql')}`],
    ],
  },
  {
    name: 'slapd',
    binary: 'slapd',
    lines: ['option ldap-check'],
    says: '',
    prepare: () => writeFileSync(at('slapd.conf'), 'database config\n'),
    args: port => ['-h', `ldap://127.0.0.1:${port}`, '-f', at('slapd.conf'), '-d', '0'],
  },
  {
    name: 'exim4-daemon-light',
    binary: 'exim4',
    lines: ['option smtpchk EHLO example.org'],
    says: 'closing connection',
    root: true,
    prepare: () =>
      writeFileSync(
        at('exim.conf'),
        `primary_hostname = mail.example.org\nspool_directory = ${folder}\nlog_file_path = ${folder}/%slog\ntls_advertise_hosts =\nkeep_environment =\n`,
      ),
    args: port => ['-bdf', '-C', at('exim.conf'), '-oX', `127.0.0.1.${port}`],
  },
];

/** Where Debian puts servers, newest version first. */
function places(): string[] {
  const postgres = '/usr/lib/postgresql';
  const versions = statSync(postgres, { throwIfNoEntry: false }) ? readdirSync(postgres).sort().reverse() : [];
  return [...(process.env.PATH ?? '').split(':'), '/usr/sbin', ...versions.map(v => `${postgres}/${v}/bin`)].reverse();
}

function find(binary: string): string | null {
  const found = places().find(place => statSync(path.join(place, binary), { throwIfNoEntry: false })?.isFile());
  return found === undefined ? null : path.join(found, binary);
}

function whyNot({ binary, root }: Program): string | null {
  if (process.env.SLUICE_INTEROP === undefined) return 'SLUICE_INTEROP is not set';
  if (haproxyVersion() === null) return 'no haproxy in PATH to compare with';
  if (root && !ROOT) return `${binary} must be started as root`;
  return find(binary) === null ? `${binary} is not installed` : null;
}

let child: ChildProcess | null = null;

async function start(program: Program, port: number): Promise<void> {
  const started = spawn(find(program.binary)!, program.args(port), {
    ...(program.root ? {} : NOBODY),
    cwd: folder,
    stdio: 'ignore',
  });
  child = started;
  for (let tries = 0; tries < 300; tries++) {
    if (await listens(port)) return;
    if (started.exitCode !== null) throw new Error(`${program.binary} ended with ${started.exitCode}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`${program.binary} does not listen`);
}

function listens(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

async function kill(): Promise<void> {
  const dying = child;
  child = null;
  if (dying === null || dying.exitCode !== null) return;
  const gone = new Promise(resolve => dying.once('exit', resolve));
  dying.kill('SIGKILL');
  await gone;
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-real-'));
  chmodSync(folder, 0o777);
});

afterEach(async () => {
  await kill();
  rmSync(folder, { recursive: true });
});

const wait = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

for (const program of PROGRAMS) {
  const reason = whyNot(program);
  if (reason !== null) console.log(`skipped: ${program.name}: ${reason}`);

  test.skipIf(reason !== null)(`${program.name}, killed and revived`, { timeout: 60_000 }, async () => {
    const port = await freePort();
    program.prepare?.(find(program.binary)!);
    await start(program, port);
    const lines = [...program.lines, `server s 127.0.0.1:${port} check inter 300 rise 1 fall 2`];
    const backend = `backend real\n  ${lines.join('\n  ')}\n`;
    const good = await Promise.all([askHaproxy(backend, 1500), askSluice(backend, 1500)]);
    const [right, found] = good.map(({ found }) => found['real/s']!);
    // One that came too late on a busy machine is forgiven.
    expect({ ...found, chkfail: '' }).toEqual({ ...right, chkfail: '' });
    expect(found).toMatchObject({ status: 'UP', last_chk: expect.stringContaining(program.says) });
    const LIFE_MS = 9000;
    const [theirs, ours] = await Promise.all([
      askHaproxy(backend, LIFE_MS),
      askSluice(backend, LIFE_MS),
      (async () => {
        await wait(1500);
        await kill();
        await wait(1500);
        await start(program, port);
      })(),
    ]);
    expect(ours.lines).toEqual(theirs.lines);
    expect(ours.lines.map(line => /Server \S+ is (\w+)/.exec(line)?.[1] ?? '')).toEqual(['DOWN', '', 'UP']);
  });
}
