/** `set profiling`, `show profiling`: what all threads spend their time and memory on, as V8 samples it. */
import { type ProfileKind, type ProfileRow, type ProfileWish, threadProfiler } from '../io/profiler.ts';
import { type Call, type CliEnv, type Command, later, type Reply } from './command.ts';
import { silence } from './in-force.ts';
import { err } from './severity.ts';

const KINDS: readonly ProfileKind[] = ['tasks', 'memory'];
const TITLES: Readonly<Record<ProfileKind, string>> = {
  tasks: 'Per-task CPU profiling              ',
  memory: 'Memory usage profiling              ',
};

/** What is on: all threads are told alike. */
const ON = new WeakMap<CliEnv, Record<ProfileKind, boolean>>();

function onOf(env: CliEnv): Record<ProfileKind, boolean> {
  let on = ON.get(env);
  if (on === undefined) {
    on = { tasks: false, memory: false };
    ON.set(env, on);
  }
  return on;
}

/** Tells or asks all threads; `done` gets the rows of all, and what to say of those that are silent. */
function everywhere(
  env: CliEnv,
  kind: ProfileKind,
  wish: ProfileWish,
  done: (rows: ProfileRow[], left: string) => void,
) {
  const own = threadProfiler.profile(kind, wish, env.wheel, () => env.now());
  env.asker.ask({ type: 'profile', kind, wish }, answers => {
    const theirs = answers.flatMap(({ answer }) => (answer === 'silent' ? [] : answer));
    done([...own, ...theirs], silence(answers));
  });
}

function setProfiling({ env, args: [what, mode] }: Call): Reply {
  const kind = KINDS.find(known => known === what);
  if (kind === undefined) return "Expects either 'tasks' or 'memory'.";
  if (mode !== 'on' && mode !== 'off') return "Expects either 'on' or 'off'.";
  onOf(env)[kind] = mode === 'on';
  return later(done => everywhere(env, kind, mode, (_, left) => done(left)));
}

// --- show profiling ---

interface Wish {
  kinds: readonly ProfileKind[];
  rows: number;
  order: (a: ProfileRow, b: ProfileRow) => number;
  /** Functions of one name are one row. */
  together: boolean;
}

const byAmount = (a: ProfileRow, b: ProfileRow) => b.amount - a.amount;
const byPlace = (a: ProfileRow, b: ProfileRow) =>
  a.place.localeCompare(b.place, 'en', { numeric: true }) || a.name.localeCompare(b.name);

/** What each word makes of the wish. */
const WORDS: Readonly<Record<string, Partial<Wish>>> = {
  all: { kinds: KINDS },
  status: { kinds: [] },
  tasks: { kinds: ['tasks'] },
  memory: { kinds: ['memory'] },
  byaddr: { order: byPlace },
  bytime: { order: byAmount },
  aggr: { together: true },
};

function showProfiling({ env, args }: Call): Reply {
  const wish: Wish = { kinds: KINDS, rows: Infinity, order: byAmount, together: false };
  for (const word of args) {
    if (/^\d{1,9}$/.test(word)) wish.rows = Number(word);
    else if (Object.hasOwn(WORDS, word)) Object.assign(wish, WORDS[word]);
    else {
      const known = ['all', 'status', 'tasks', 'memory', 'byaddr', 'bytime', 'aggr']
        .map(name => `'${name}'`)
        .join(', ');
      return err(`Expects either ${known} or a max number of output lines.`);
    }
  }
  const on = onOf(env);
  const status = KINDS.map(kind => {
    return `${TITLES[kind]}: ${(on[kind] ? 'on' : 'off').padEnd(14)}# set profiling ${kind} {on|off}`;
  });
  return later(done => tables(env, wish, wish.kinds, status, done));
}

/** The table of each kind, one after the other. */
function tables(
  env: CliEnv,
  wish: Wish,
  kinds: readonly ProfileKind[],
  lines: readonly string[],
  done: (text: string) => void,
): void {
  const [kind, ...rest] = kinds;
  if (kind === undefined) {
    done(lines.join('\n'));
    return;
  }
  everywhere(env, kind, 'read', (rows, left) => {
    const table = rows.length === 0 ? [] : tableOf(kind, wish, rows);
    tables(env, wish, rest, [...lines, ...table, ...(left === '' ? [] : [left])], done);
  });
}

function tableOf(kind: ProfileKind, wish: Wish, all: readonly ProfileRow[]): string[] {
  const rows = summed(all, wish.together);
  const total = rows.reduce((sum, { amount }) => sum + amount, 0);
  const share = (amount: number) => `${((100 * amount) / Math.max(1, total)).toFixed(1)}%`.padStart(7);
  const shown = rows.sort(wish.order).slice(0, wish.rows);
  const titles = {
    tasks: [
      'Tasks activity, in samples of 1 ms (a system call may be the wait for events):',
      '  samples   cpu_tot      %  function',
    ],
    memory: ['Memory that is allocated since then and not freed, an estimate:', '      bytes      %  function'],
  };
  const line = {
    tasks: ({ samples, amount }: ProfileRow) => `${String(samples).padStart(9)} ${timeText(amount).padStart(9)}`,
    memory: ({ amount }: ProfileRow) => String(Math.round(amount)).padStart(11),
  };
  return [
    ...titles[kind],
    ...shown.map(row => `${line[kind](row)}${share(row.amount)}  ${row.name || '(anonymous)'}  ${row.place}`.trimEnd()),
  ];
}

/** Rows of one function, of all threads, as one. */
function summed(rows: readonly ProfileRow[], together: boolean): ProfileRow[] {
  const sums = new Map<string, ProfileRow>();
  for (const row of rows) {
    const place = together ? '' : row.place;
    const key = `${row.name} ${place}`;
    const { samples = 0, amount = 0 } = sums.get(key) ?? {};
    sums.set(key, { ...row, place, samples: samples + row.samples, amount: amount + row.amount });
  }
  return [...sums.values()];
}

/** `4.146us`, `12.50ms`, `3.210s`, as HAProxy writes times. */
function timeText(us: number): string {
  if (us < 1_000) return `${us.toPrecision(4)}us`;
  return us < 1_000_000 ? `${(us / 1_000).toPrecision(4)}ms` : `${(us / 1_000_000).toFixed(3)}s`;
}

export const PROFILING_COMMANDS: readonly Command[] = [
  {
    words: 'set profiling',
    usage: '<what> {on|off}',
    help: 'enable/disable resource profiling (tasks,memory)',
    level: 'admin',
    run: setProfiling,
  },
  {
    words: 'show profiling',
    usage: '[<what>|<#lines>|<opts>]*',
    help: 'show profiling state (all,status,tasks,memory)',
    level: 'admin',
    run: showProfiling,
  },
];
