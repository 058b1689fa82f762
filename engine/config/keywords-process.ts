/** Keywords of the global section about the process itself: processors, privileges, core dumps. */
import { CAPABILITIES } from '../io/capabilities.ts';
import { WORKERS_MAX } from '../limits.ts';
import type { Cursor } from './cursor.ts';
import type { GlobalDraft } from './draft.ts';
import { type Context, type Keyword, supported } from './keyword.ts';

/** Processors that an affinity mask here has room for. */
const CPUS_MAX = 1024;
/** Groups of threads that HAProxy may have. */
const GROUPS_MAX = 16;

/** `3`, `0-3`, `2-`, `all`, `odd`, `even`, and lists of them, as numbers below `end`; null = it is none of these. */
function numbers(text: string, first: number, end: number): number[] | null {
  const found: number[] = [];
  for (const part of text.split(',')) {
    const [, low, dash, high] = /^(\d+)(-?)(\d*)$/.exec(part) ?? [];
    const from = low === undefined ? first : Number(low);
    const to = low === undefined || (dash === '-' && high === '') ? end - 1 : Number(high === '' ? low : high);
    const step = part === 'odd' || part === 'even' ? 2 : 1;
    const begin = part === 'odd' ? from + ((from + 1) % 2) : part === 'even' ? from + (from % 2) : from;
    if (low === undefined && !['all', 'odd', 'even'].includes(part)) return null;
    if (from < first || to >= end || from > to) return null;
    for (let n = begin; n <= to; n += step) found.push(n);
  }
  return found;
}

/**
 * `cpu-map [auto:]<groups>[/<threads>] <cpus> ...`: all threads are group 1, what is said of others has no effect. With `auto:`
 * each thread has a processor of its own; or each group, when several are named.
 */
function cpuMap(cursor: Cursor, global: GlobalDraft) {
  const word = cursor.expectWord('cpu-map');
  if (word === null) return;
  const [, auto, group = '', which = 'all'] = /^(auto:)?([^/]+)(?:\/(.+))?$/.exec(word.text) ?? [];
  const groups = numbers(group, 1, GROUPS_MAX + 1);
  const threads = numbers(which, 1, WORKERS_MAX + 1);
  if (groups === null || threads === null) {
    return cursor.error(`'cpu-map' expects '[auto:]<groups>[/<threads>]', not '${word.text}'`);
  }
  const cpus: number[] = [];
  for (const { text } of cursor.rest()) {
    const set = numbers(text, 0, CPUS_MAX);
    if (set === null) return cursor.error(`'cpu-map' expects numbers of processors like '0-3' or '0,2', not '${text}'`);
    cpus.push(...set);
  }
  if (cpus.length === 0) return cursor.error("'cpu-map' expects numbers of processors like '0-3' or '0,2'");
  const each = groups.length > 1 ? groups : threads;
  if (auto !== undefined && cpus.length !== each.length) {
    return cursor.error("'cpu-map' with 'auto:' expects as many processors as threads");
  }
  if (!groups.includes(1)) return;
  const map = [...global.cpuMap];
  while (map.length < WORKERS_MAX) map.push(null);
  threads.forEach((thread, i) => {
    map[thread - 1] = auto === undefined ? cpus : [cpus[each === groups ? 0 : i]!];
  });
  global.cpuMap = map;
}

function setcap(cursor: Cursor, global: GlobalDraft) {
  const names = cursor.next()?.text.split(',') ?? [''];
  const unknown = names.find(name => !Object.hasOwn(CAPABILITIES, name));
  if (unknown !== undefined) {
    return cursor.error(`'setcap' expects ${Object.keys(CAPABILITIES).join(', ')}, not '${unknown}'`);
  }
  global.capabilities = names.map(name => CAPABILITIES[name]!);
}

function setDumpable(cursor: Cursor, global: GlobalDraft, { prefix }: Context) {
  const how = prefix === 'no' ? 'off' : (cursor.next()?.text ?? 'on');
  if (!['on', 'off', 'libs'].includes(how)) cursor.error(`'set-dumpable' expects 'on', 'off' or 'libs', not '${how}'`);
  else global.dumpable = how !== 'off';
}

export const GLOBAL_PROCESS: readonly Keyword<GlobalDraft>[] = [
  supported({
    name: 'cpu-map',
    where: 'G',
    args: '[auto:]<groups>[/<threads>] <cpus> ...',
    doc: 'Processors that threads run on.',
    parse: cpuMap,
    good: [
      ...['cpu-map 1/all 0-3', 'cpu-map auto:1/1-4 0-1 2-3', 'cpu-map 1/odd 0,2', 'cpu-map 1 0-', 'cpu-map 2 0'],
      ...['cpu-map auto:1-4 0-3', 'cpu-map all 0', 'cpu-map 1-4 0-3'],
    ],
    bad: [
      ['cpu-map', "'cpu-map' expects an argument"],
      ['cpu-map 17 0', "'cpu-map' expects '[auto:]<groups>[/<threads>]', not '17'"],
      ['cpu-map 1/1 x', "'cpu-map' expects numbers of processors like '0-3' or '0,2', not 'x'"],
      ['cpu-map 1/1', "'cpu-map' expects numbers of processors like '0-3' or '0,2'"],
      ['cpu-map auto:1/1-4 0', "'cpu-map' with 'auto:' expects as many processors as threads"],
    ],
  }),
  supported({
    name: 'setcap',
    where: 'G',
    args: '<name>[,<name>...]',
    doc: 'Capabilities that threads keep when they change their user, or take when they are not root.',
    parse: setcap,
    good: ['setcap cap_net_bind_service,cap_net_admin'],
    bad: [
      ['setcap cap_x', `'setcap' expects ${Object.keys(CAPABILITIES).join(', ')}, not 'cap_x'`],
      ['setcap', `'setcap' expects ${Object.keys(CAPABILITIES).join(', ')}, not ''`],
    ],
  }),
  supported({
    name: 'set-dumpable',
    where: 'G',
    args: '[on|off|libs]',
    doc: 'Allows core dumps though the user was changed.',
    negatable: true,
    parse: setDumpable,
    good: ['set-dumpable', 'set-dumpable off', 'no set-dumpable', 'set-dumpable libs'],
    bad: [['set-dumpable x', "'set-dumpable' expects 'on', 'off' or 'libs', not 'x'"]],
  }),
];
