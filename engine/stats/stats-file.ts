/**
 * Stats files (management guide, 9.5): totals of things that have a guid, which another process begins with.
 *
 *   #fe                       what the rows are about: fe, be, li, srv
 *   #guid,stot,bin,...        names of the columns, those of `show stat`
 *   web,1021,73920,...
 *
 * Who reads it takes the columns that it knows, in any order, and passes over what it has no thing for.
 */
import { isBackend, isFrontend, type Model } from '../config/model.ts';
import { COUNTERS, type CounterName } from '../shm/counters.ts';
import { Memory, type RowKind, topology } from '../shm/memory.ts';
import { PROXY, SERVER } from '../shm/words.ts';
import { type Dump, steppedDump } from './out.ts';

const TYPES = { fe: 'frontend', be: 'backend', li: 'listener', srv: 'server' } as const;
type Type = keyof typeof TYPES;
const isType = (text: string): text is Type => Object.hasOwn(TYPES, text);

/** What is wrong with a file is told this often. */
const PROBLEMS_MAX = 10;

interface Column {
  /** As `show stat` calls it. */
  readonly name: string;
  readonly types: readonly Type[];
  readonly counter?: CounterName;
  /** Where the total is a shared word instead. */
  readonly word?: { readonly [T in 'be' | 'srv']?: number };
}

const ALL: readonly Type[] = ['fe', 'be', 'li', 'srv'];
const SERVED: readonly Type[] = ['be', 'srv'];
const PROXIES: readonly Type[] = ['fe', 'be'];
const ACCEPTED: readonly Type[] = ['fe', 'li'];
const HTTP: readonly Type[] = ['fe', 'be', 'srv'];
const p = PROXY.at;
const s = SERVER.at;

const column = (name: string, counter: CounterName, types = ALL): Column => ({ name, types, counter });

const COLUMNS: readonly Column[] = [
  column('stot', 'cum_sess'),
  column('bin', 'bytes_in'),
  column('bout', 'bytes_out'),
  column('dreq', 'denied_req', ['fe', 'be', 'li']),
  column('dresp', 'denied_resp'),
  column('ereq', 'failed_req', ACCEPTED),
  column('econ', 'failed_conn', SERVED),
  column('eresp', 'failed_resp', SERVED),
  column('wretr', 'retries', SERVED),
  column('wredis', 'redispatches', SERVED),
  { name: 'chkfail', types: ['srv'], word: { srv: s.check_fails } },
  { name: 'chkdown', types: SERVED, word: { be: p.down_trans, srv: s.down_trans } },
  { name: 'downtime', types: SERVED, word: { be: p.down_time, srv: s.down_time } },
  column('lbtot', 'cum_lb', SERVED),
  ...['1xx', '2xx', '3xx', '4xx', '5xx', 'other'].map(end => column(`hrsp_${end}`, `hrsp_${end}` as CounterName, HTTP)),
  column('req_tot', 'cum_req', HTTP),
  column('cli_abrt', 'cli_aborts', SERVED),
  column('srv_abrt', 'srv_aborts', SERVED),
  ...(['comp_in', 'comp_out', 'comp_byp', 'comp_rsp'] as const).map(name => column(name, name, PROXIES)),
  column('conn_tot', 'cum_conn', ACCEPTED),
  column('intercepted', 'intercepted', ['fe']),
  column('dcon', 'denied_conn', ACCEPTED),
  column('dses', 'denied_sess', ACCEPTED),
  column('wrew', 'failed_rewrites'),
  column('connect', 'connect', SERVED),
  column('reuse', 'reuse', SERVED),
  column('eint', 'internal_errors'),
];

/** A thing with a guid: its number among those of its kind. */
interface Thing {
  readonly type: Type;
  readonly guid: string;
  readonly index: number;
}

function* thingsOf(model: Model, type: Type): Generator<Thing> {
  const { firstListener, firstServer } = topology(model);
  for (const proxy of model.proxies) {
    const { guid, index } = proxy;
    if (type === 'fe' && guid !== null && isFrontend(proxy)) yield { type, guid, index };
    if (type === 'be' && guid !== null && isBackend(proxy)) yield { type, guid, index };
    if (type === 'li') {
      for (const [i, bind] of proxy.binds.entries()) {
        if (bind.guid !== null) yield { type, guid: bind.guid, index: firstListener[index]! + i };
      }
    }
    if (type !== 'srv') continue;
    for (const server of proxy.servers) {
      if (server.guid === null || server.removed) continue;
      yield { type, guid: server.guid, index: firstServer[index]! + server.index };
    }
  }
}

// --- writing ---

function valueOf(memory: Memory, { counter, word }: Column, { type, index }: Thing): number {
  if (counter !== undefined) return memory.sum(TYPES[type], index, COUNTERS.at[counter]);
  return Atomics.load(memory.words, wordAt(memory, type as 'be' | 'srv', index) + word![type as 'be' | 'srv']!);
}

function wordAt(memory: Memory, type: 'be' | 'srv', index: number): number {
  return type === 'be' ? memory.proxy(index) : memory.server(index);
}

export function dumpStatsFile(model: Model, memory: Memory): Dump {
  const lines = fileLines(model, memory);
  return steppedDump(out => {
    const { done, value } = lines.next();
    if (!done) out.text(`${value}\n`);
    return !done;
  });
}

function* fileLines(model: Model, memory: Memory): Generator<string> {
  for (const type of Object.keys(TYPES) as Type[]) {
    const columns = COLUMNS.filter(({ types }) => types.includes(type));
    yield `#${type}`;
    yield `#guid,${columns.map(({ name }) => name).join(',')}`;
    for (const thing of thingsOf(model, type)) {
      yield [thing.guid, ...columns.map(one => valueOf(memory, one, thing))].join(',');
    }
  }
}

// --- reading ---

/**
 * Reads a file. `memory` gets the totals that are shared words; the others stand in the memory that is given back, with a
 * single row for each thing of `memory`: what an earlier process has counted.
 */
export function readStatsFile(text: string, model: Model, memory: Memory): { past: Memory; problems: string[] } {
  const past = Memory.create({ ...memory.shape, workers: 1 });
  const problems: string[] = [];
  let rows: Rows | null = null;
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const problem = line.startsWith('#') ? header(line) : row(line);
    if (problem !== null && problems.length < PROBLEMS_MAX) problems.push(`line ${i + 1}: ${problem}`);
  }
  return { past, problems };

  function header(line: string): string | null {
    const [word = '', ...names] = line.slice(1).split(',');
    if (word === 'guid' && rows !== null) {
      rows.columns = names.map(
        name => COLUMNS.find(one => one.name === name && one.types.includes(rows!.type)) ?? null,
      );
    } else if (isType(word)) rows = rowsOf(model, word);
    else return `'#${word}' is no header that is known here`;
    return null;
  }

  function row(line: string): string | null {
    if (rows === null || rows.columns === null) return 'values before the names of their columns';
    const [guid = '', ...values] = line.split(',');
    const thing = rows.things.get(guid);
    if (values.length !== rows.columns.length)
      return `${rows.columns.length} values were expected, not ${values.length}`;
    const wrong = values.find(value => !/^\d{1,15}$/.test(value));
    if (wrong !== undefined) return `'${wrong}' is no count`;
    if (thing === undefined) return null;
    for (const [i, one] of rows.columns.entries()) if (one !== null) put(past, memory, one, thing, Number(values[i]));
    return null;
  }
}

interface Rows {
  readonly type: Type;
  readonly things: ReadonlyMap<string, Thing>;
  /** null = a column that is not known here. */
  columns: readonly (Column | null)[] | null;
}

function rowsOf(model: Model, type: Type): Rows {
  return { type, things: new Map([...thingsOf(model, type)].map(thing => [thing.guid, thing])), columns: null };
}

function put(past: Memory, memory: Memory, { counter, word }: Column, { type, index }: Thing, value: number): void {
  const kind: RowKind = TYPES[type];
  if (counter !== undefined) past.counters[past.row(0, kind, index) + COUNTERS.at[counter]] = value;
  else {
    const at = wordAt(memory, type as 'be' | 'srv', index) + word![type as 'be' | 'srv']!;
    Atomics.store(memory.words, at, Math.min(value, 0x7fff_ffff));
  }
}
