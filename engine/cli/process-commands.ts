/** Commands about the process: its counters, threads, descriptors, memory and environment. */
import type { Pool } from '../proxy/questions.ts';
import { CUM_CONN, CUM_REQ, CUM_SESS, CUR_SESS } from '../shm/counters.ts';
import { LISTENER, PROXY, SERVER } from '../shm/words.ts';
import { wallMs } from '../time.ts';
import { allowed, type Call, type CliEnv, type Command, later, type Reply } from './command.ts';
import { findServer } from './find.ts';
import { silence } from './in-force.ts';
import { DENIED, err, type Message } from './severity.ts';

// --- clear counters ---

const SERVER_MAXIMA = [SERVER.at.served_max, SERVER.at.queued_max];
const SERVER_TOTALS = [SERVER.at.check_fails, SERVER.at.down_trans];
const PROXY_MAXIMA = [PROXY.at.fe_conns_max, PROXY.at.be_sess_max, PROXY.at.be_queued_max];

/** Each worker clears the counters that only it writes; the shared words are cleared here. */
function clearCounters({ env, state, args }: Call): Reply {
  const [what, who] = args;
  const all = what === 'all' || what === 'server';
  if (all && !allowed(state.level, 'admin')) return DENIED;
  let server: number | null = null;
  if (what === 'server') {
    const target = findServer(env, who);
    if (typeof target === 'string') return target;
    server = target.number;
  }
  return later(done => {
    clearWords(env, all, server);
    env.asker.forget(all, server);
    if (what === 'all') env.names.clearCounters();
    env.asker.ask({ type: 'clear', all, server }, answers => done(silence(answers)));
  });
}

function clearWords({ memory }: CliEnv, all: boolean, server: number | null): void {
  const clear = (at: number, fields: readonly number[]) => {
    for (const field of fields) Atomics.store(memory.words, at + field, 0);
  };
  const { proxies, listeners, servers } = memory.shape;
  for (let i = 0; i < servers; i++) {
    if (server === null || server === i)
      clear(memory.server(i), all ? [...SERVER_MAXIMA, ...SERVER_TOTALS] : SERVER_MAXIMA);
  }
  if (server !== null) return;
  for (let i = 0; i < proxies; i++) clear(memory.proxy(i), PROXY_MAXIMA);
  for (let i = 0; i < listeners; i++) clear(memory.listener(i), [LISTENER.at.conns_max]);
}

// --- show ---

/** A row of `show activity`: the sum over the workers, and each one's share, or one of these (0 = the sum). */
function activityRow(env: CliEnv, only: number, name: string, read: (worker: number) => number): string {
  const each = Array.from({ length: env.memory.shape.workers }, (_, worker) => read(worker));
  if (only > 0) return `${name}: ${each[only - 1]}`;
  if (only === 0) return `${name}: ${each.reduce((a, b) => a + b, 0)}`;
  return `${name}: ${each.reduce((a, b) => a + b, 0)} [ ${each.join(' ')} ]`;
}

function showActivity({ env, args: [thread = '-1'] }: Call): string | Message {
  const { memory, view } = env;
  const only = Number(thread);
  if (!/^(-1|\d{1,3})$/.test(thread) || only > memory.shape.workers) return err('Thread number is out of range.');
  const counter = (field: number) => (worker: number) => memory.counters[memory.row(worker, 'process', 0) + field]!;
  return [
    `threads: ${memory.shape.workers} (1..${memory.shape.workers})`,
    `date_now: ${(wallMs() / 1000).toFixed(6)}`,
    activityRow(env, only, 'accepted', counter(CUM_CONN)),
    activityRow(env, only, 'sessions', counter(CUM_SESS)),
    activityRow(env, only, 'requests', counter(CUM_REQ)),
    activityRow(env, only, 'curr_conns', counter(CUR_SESS)),
    activityRow(env, only, 'starts', worker => view.worker(worker, 'incarnation')),
  ].join('\n');
}

/** A thread is asked, so that one that is stuck shows. */
function showThreads({ env }: Call): Reply {
  return later(done =>
    env.asker.ask({ type: 'pools' }, answers => {
      const rows = Array.from({ length: env.memory.shape.workers }, (_, worker) => {
        const found = answers.find(a => a.worker === worker);
        const stuck = found?.answer === 'silent' ? 1 : 0;
        const pools = found === undefined || found.answer === 'silent' ? [] : found.answer;
        const used = pools.filter(p => p.used > 0 || p.bytes === 0).map(p => `${p.name}s=${p.used}`);
        const starts = env.view.worker(worker, 'incarnation');
        return `  Thread ${worker + 1} : alive=${found === undefined ? 0 : 1} stuck=${stuck} starts=${starts} ${used.join(' ')}`;
      });
      done([...rows, `* Control : alive=1 stuck=0`].join('\n'));
    }),
  );
}

/** `[byname|bysize|byusage] [detailed] [match <prefix>] [<number of rows>]`. */
function poolsWish(args: readonly string[]): PoolsWish | string {
  const wish: PoolsWish = { order: null, prefix: '', rows: Infinity };
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (Object.hasOwn(POOL_ORDERS, word)) wish.order = word;
    else if (word === 'match' && args[i + 1] !== undefined) wish.prefix = args[++i]!;
    else if (/^\d{1,9}$/.test(word)) wish.rows = Number(word);
    else if (word !== 'detailed')
      return `Expects 'byname', 'bysize', 'byusage', 'match <pfx>', 'detailed', or a max number of output lines.`;
  }
  return wish;
}

interface PoolsWish {
  order: string | null;
  prefix: string;
  rows: number;
}

const bytesOf = ({ bytes, allocated }: Pool) => bytes * allocated;
const POOL_ORDERS: Readonly<Record<string, (a: Pool, b: Pool) => number>> = {
  byname: (a, b) => (a.name < b.name ? -1 : 1),
  bysize: (a, b) => b.bytes - a.bytes,
  byusage: (a, b) => bytesOf(b) - bytesOf(a) || b.allocated - a.allocated,
};

/** The pools that are wanted; by usage only those in use. */
function selectPools(all: readonly Pool[], { order, prefix, rows }: PoolsWish): readonly Pool[] {
  const found = all.filter(({ name, allocated }) => name.startsWith(prefix) && (order !== 'byusage' || allocated > 0));
  if (order !== null) found.sort(POOL_ORDERS[order]);
  return found.slice(0, rows);
}

function showPools({ env, args }: Call): Reply {
  const wish = poolsWish(args);
  if (typeof wish === 'string') return err(wish);
  return later(done =>
    env.asker.ask({ type: 'pools' }, answers => {
      const total = new Map<string, Pool>();
      for (const { answer } of answers) {
        for (const pool of answer === 'silent' ? [] : answer) {
          const sum = total.get(pool.name);
          const { allocated, used } = sum ?? { allocated: 0, used: 0 };
          total.set(pool.name, { ...pool, allocated: allocated + pool.allocated, used: used + pool.used });
        }
      }
      const rows = selectPools([...total.values()], wish).map(poolText);
      const { rss, heapTotal, external } = process.memoryUsage();
      const shared = env.memory.buffer.byteLength;
      done(
        [
          'Dumping pools usage.',
          ...rows,
          `  - Shared memory : ${shared} bytes`,
          `  - Control thread's heap : ${heapTotal} bytes, ${external} bytes outside of it`,
          `Total: ${rss} bytes resident in the process.`,
        ].join('\n'),
      );
    }),
  );
}

function poolText({ name, bytes, allocated, used }: Pool): string {
  const size = (n: number) => (bytes === 0 ? '' : ` (${n * bytes} bytes)`);
  const each = bytes === 0 ? '' : ` (${bytes} bytes)`;
  return `  - Pool ${name}${each} : ${allocated} allocated${size(allocated)}, ${used} used`;
}

function showEnv({ env, args }: Call): string | Message {
  if (args[0] !== undefined) {
    const value = env.environment[args[0]];
    return value === undefined ? err('Variable not found') : `${args[0]}=${value}`;
  }
  return Object.entries(env.environment)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
}

export const PROCESS_COMMANDS: readonly Command[] = [
  {
    words: 'clear counters',
    usage: '[all|server <bk>/<srv>]',
    help: 'clear max statistics counters (or all counters)',
    level: 'operator',
    run: clearCounters,
  },
  {
    words: 'show activity',
    usage: '[-1|0|thread_num]',
    help: 'show per-thread activity stats (for support/developers)',
    level: 'user',
    run: showActivity,
  },
  {
    words: 'show env',
    usage: '[var]',
    help: 'dump environment variables known to the process',
    level: 'operator',
    run: showEnv,
  },
  {
    words: 'show pools',
    usage: '[by*] [match <pfx>] [nb]',
    help: 'report information about the memory pools usage',
    level: 'user',
    run: showPools,
  },
  {
    words: 'show startup-logs',
    usage: '',
    help: 'report logs emitted during the startup',
    level: 'operator',
    severity: 'info',
    run: ({ env }) => env.startupLogs.replace(/\n$/, ''),
  },
  {
    words: 'show tasks',
    usage: '',
    help: 'there is no run queue here',
    level: 'operator',
    hidden: true,
    run: () =>
      err(
        "There is no run queue here: an event is dealt with when it comes. See 'show threads', 'show profiling tasks'.",
      ),
  },
  {
    words: 'show threads',
    usage: '',
    help: 'show some threads debugging information',
    level: 'user',
    run: showThreads,
  },
];
