/** What the threads of a running process may do, as the system tells it. Needs root. */
import fs from 'node:fs';
import { expect, test } from 'vitest';
import { ask, config, folder, freePort, start } from './sluice.ts';

const ROOT = process.getuid?.() === 0 && process.platform === 'linux';
if (!ROOT) console.log('privileges.test: skipped, it needs root on Linux');

interface Thread {
  readonly name: string;
  readonly uid: number;
  readonly groups: string;
  readonly root: string;
  /** Capabilities, effective and permitted, as hexadecimal masks; the processors it may run on, as a list. */
  readonly capabilities: string;
  readonly permitted: string;
  readonly cpus: string;
}

function threads(pid: number): Thread[] {
  const dir = `/proc/${pid}/task`;
  return fs.readdirSync(dir).map(tid => {
    const status = fs.readFileSync(`${dir}/${tid}/status`, 'utf8');
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*?)\\s*$`, 'm').exec(status)?.[1] ?? '';
    const root = fs.readlinkSync(`${dir}/${tid}/root`);
    return {
      name: field('Name'),
      uid: Number(field('Uid').split('\t')[0]),
      groups: field('Groups'),
      root,
      capabilities: field('CapEff'),
      permitted: field('CapPrm'),
      cpus: field('Cpus_allowed_list'),
    };
  });
}

async function running(mode: string[], more = ''): Promise<{ pid: number; port: number; jail: string }> {
  const jail = fs.realpathSync(folder());
  const port = await freePort();
  const file = config(`
global
  nbthread 2
  chroot ${jail}
  uid 65534
  ${more}
  gid 65534
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend web
  bind 127.0.0.1:${port}
  monitor-uri /up
`);
  const { child } = start([...mode, '-f', file]);
  expect(await ask(port, '/up')).toContain('200 OK');
  return { pid: child.pid!, port, jail };
}

const until = async (what: () => boolean) => {
  for (const deadline = Date.now() + 10_000; !what(); ) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
};

test.skipIf(!ROOT)('a single process: every thread is confined', async () => {
  const { pid, jail } = await running(['-db']);
  await until(() => threads(pid).length > 3);
  for (const thread of threads(pid)) expect(thread).toMatchObject({ uid: 65534, groups: '65534', root: jail });
});

test.skipIf(!ROOT)('master-worker: the threads that serve are, the master is not and can reload', async () => {
  const { pid, port, jail } = await running(['-W']);
  const serving = () => threads(pid).filter(({ name }) => name === 'WorkerThread');
  const confined = () => serving().length >= 3 && serving().every(({ uid, root }) => uid === 65534 && root === jail);
  await until(confined);
  process.kill(pid, 'SIGUSR2');
  await new Promise(resolve => setTimeout(resolve, 500));
  await until(confined);
  expect(await ask(port, '/up')).toContain('200 OK');
  expect(threads(pid).find(({ name }) => name !== 'WorkerThread')!.uid).toBe(0);
});

test.skipIf(!ROOT)('cpu-map places workers, setcap leaves them a capability', async () => {
  const { pid } = await running(['-W'], 'setcap cap_net_raw\n  cpu-map 1/1-2 0\n  set-dumpable');
  const serving = () => threads(pid).filter(({ uid }) => uid === 65534);
  await until(() => serving().length === 3);
  for (const { capabilities } of serving()) expect(Number.parseInt(capabilities, 16)).toBe(1 << 13);
  expect(serving().filter(({ cpus }) => cpus === '0')).toHaveLength(2);
  expect(fs.statSync(`/proc/${pid}/fd`).uid).toBe(0);
});

test.skipIf(!ROOT)('setcap without a master: the main thread and those that serve keep it, no other does', async () => {
  const { pid, port } = await running(['-db'], 'setcap cap_net_raw,cap_net_bind_service');
  const kept = () => threads(pid).filter(({ permitted }) => Number.parseInt(permitted, 16) === ((1 << 13) | (1 << 10)));
  await until(() => kept().length === 4);
  for (const { capabilities, permitted } of kept()) expect(capabilities).toBe(permitted);
  for (const thread of threads(pid)) {
    expect(thread.uid).toBe(65534);
    if (thread.capabilities !== kept()[0]!.capabilities) expect(Number.parseInt(thread.permitted, 16)).toBe(0);
  }
  expect(await ask(port, '/up')).toContain('200 OK');
});

test.skipIf(!ROOT).each([
  ['ulimit-n 700', '700'],
  ['fd-hard-limit 900', '900'],
])('%s: so many descriptors', async (line, soft) => {
  const { pid } = await running(['-db'], line);
  const [, limit] = /^Max open files\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/limits`, 'utf8'))!;
  expect(limit).toBe(soft);
});
