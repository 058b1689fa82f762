/** Fetches of internal states (manual 7.3.2): constants, dates, variables, other ACLs, the load of backends and servers. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { METHOD_NAMES } from '../http/names.ts';
import type { Backend, Context, Frontend, Server } from '../proxy/nouns.ts';
import { loadOf, meanLoad } from '../shm/load.ts';
import { rateRead } from '../shm/rate.ts';
import { ADMIN_MAINT, OPER_STOPPED, PROCESS, PROXY, SERVER } from '../shm/words.ts';
import { monotonicMs, wallMs } from '../time.ts';
import type { Args } from './arguments.ts';
import { type Condition, negate, YES } from './condition.ts';
import type { Env, Fetch, SampleContext } from './context.ts';
import { type Extras, type FetchRow, fetch, plain } from './row.ts';
import { bytesOf, type Sample } from './sample.ts';

/** `[<backend>]`: the one named, or that of the rule; a function, as a frontend's rules mean the stream's. */
function backendOf(args: Args, env: Env): Backend | null {
  const name = args.text(0);
  if (name === '') return env.worker.backends[env.proxy] ?? null;
  return env.worker.backends.find(backend => backend?.proxy.name === name) ?? null;
}

function frontendOf(args: Args, env: Env): Frontend | null {
  const name = args.text(0);
  if (name === '') return env.worker.frontends[env.proxy] ?? null;
  return env.worker.frontends.find(frontend => frontend?.proxy.name === name) ?? null;
}

/** `[<backend>/]<server>`. */
export function serverOf(text: string, env: Env): Server | null {
  const [first, second] = text.split('/');
  const backend =
    second === undefined ? env.worker.backends[env.proxy] : env.worker.backends.find(b => b?.proxy.name === first);
  return backend?.servers.find(server => server.config.name === (second ?? first)) ?? null;
}

type OfBackend = (backend: Backend, worker: Context) => number;
type OfServer = (server: Server, worker: Context) => number;

/** A number of a backend, frontend or server. */
function ofBackend(name: string, doc: string, read: OfBackend): FetchRow {
  return fetch(name, '[backend:be]', 'sint', 'internal', doc, (args, env) => {
    const backend = backendOf(args, env);
    return (_, out) => backend !== null && out.setInt(read(backend, env.worker));
  });
}

function ofFrontend(name: string, doc: string, read: (frontend: Frontend, worker: Context) => number): FetchRow {
  return fetch(name, '[frontend:fe]', 'sint', 'internal', doc, (args, env) => {
    const frontend = frontendOf(args, env);
    return (_, out) => frontend !== null && out.setInt(read(frontend, env.worker));
  });
}

function ofServer(name: string, doc: string, read: OfServer): FetchRow {
  return fetch(name, 'server:srv', 'sint', 'internal', doc, (args, env) => {
    const server = serverOf(args.text(0), env);
    return (_, out) => server !== null && out.setInt(read(server, env.worker));
  });
}

function word(worker: Context, at: number): number {
  return Atomics.load(worker.words, at);
}

/** All workers are one group. */
function ofAll(name: string): FetchRow {
  return plain(name, 'sint', 'internal', 'Percent of the last second that the workers worked.', (ctx, out) =>
    out.setInt(meanLoad(ctx.session.context.memory)),
  );
}

/** A soft stop has begun, though listeners may still accept (`grace`). */
export function isStopping({ words, at }: Context): boolean {
  return Atomics.load(words, at + PROCESS.at.stopping) !== 0;
}

export function isUp(server: Server, worker: Context): boolean {
  const oper = word(worker, server.at + SERVER.at.oper);
  return oper !== OPER_STOPPED && (word(worker, server.at + SERVER.at.admin) & ADMIN_MAINT) === 0;
}

/** Servers in use: the active ones, or the backups when there are none; all backups count only with `option allbackups`. */
export function usable(backend: Backend, worker: Context): number {
  const active = word(worker, backend.at + PROXY.at.act);
  if (active > 0) return active;
  const backups = word(worker, backend.at + PROXY.at.bck);
  return backend.proxy.options.allbackups ? backups : Math.min(backups, 1);
}

/** Places left on the usable servers; `queue` counts those of the queues too. -1 = a server has no limit. */
function freePlaces(backend: Backend, worker: Context, queue: boolean): number {
  let free = 0;
  const someActive = word(worker, backend.at + PROXY.at.act) > 0;
  for (const server of backend.servers) {
    const weight = word(worker, server.at + SERVER.at.eweight);
    if (weight === 0 || !isUp(server, worker) || (server.config.backup && someActive)) continue;
    const { maxqueue } = server.config;
    const maxconn = word(worker, server.at + SERVER.at.maxconn);
    if (maxconn === 0 || (queue && maxqueue === 0)) return -1;
    free += Math.max(maxconn - word(worker, server.at + SERVER.at.served), 0);
    if (queue) free += Math.max(maxqueue - word(worker, server.at + SERVER.at.queued), 0);
  }
  return free;
}

function averageQueue(backend: Backend, worker: Context): number {
  const queued = word(worker, backend.at + PROXY.at.be_total_queued);
  const servers = usable(backend, worker);
  return servers > 0 ? Math.floor((queued + servers - 1) / servers) : queued * 2;
}

function freeOnServer(server: Server, worker: Context): number {
  const maxconn = word(worker, server.at + SERVER.at.maxconn);
  return maxconn === 0 ? -1 : Math.max(maxconn - word(worker, server.at + SERVER.at.served), 0);
}

/** Units of dates: how many in a second. */
const UNITS: Readonly<Record<string, number>> = { s: 1, ms: 1_000, us: 1_000_000 };

export function unitProblem(place: number): NonNullable<Extras['check']> {
  return args => {
    const unit = args[place];
    return unit == null || Object.hasOwn(UNITS, unit as string) ? null : `expects 's', 'ms' or 'us', got '${unit}'`;
  };
}

/** A wall-clock time as an integer in the unit named by argument `place`. */
export function inUnit(ms: number, args: Args, place: number): number {
  return Math.floor((ms * UNITS[args.text(place) || 's']!) / 1_000);
}

function date(args: Args): Fetch {
  const offset = args.int(0);
  return (_, out) => out.setInt(inUnit(wallMs(), args, 1) + offset);
}

/** All named ACLs must hold; `!` before a name turns it round. */
function acl(args: Args, env: Env): Fetch {
  const conditions = args.list.map(arg => {
    const name = String(arg);
    const condition = env.acl(name.replace(/^!/, ''));
    if (condition === null) return null;
    return name.startsWith('!') ? (ctx: SampleContext) => negate(condition(ctx)) : condition;
  });
  return (ctx, out) => {
    for (const condition of conditions as (Condition | null)[]) {
      const verdict = condition === null ? null : condition(ctx);
      if (verdict === null) return false;
      if (verdict !== YES) return out.setBool(false);
    }
    return out.setBool(true);
  };
}

function constant(put: (out: Sample) => boolean): () => Fetch {
  return () => (_, out) => put(out);
}

function text(args: Args): Fetch {
  const bytes = args.bytes(0);
  return (_, out) => out.setStr(bytes, 0, bytes.length);
}

function binary(args: Args): Fetch {
  const bytes = Buffer.from(args.text(0), 'hex');
  return (_, out) => out.setBin(bytes, 0, bytes.length);
}

function address(args: Args): Fetch {
  const bytes = args.bytes(0);
  return (_, out) => out.setIp(bytes);
}

function integer(args: Args): Fetch {
  const value = args.list[0];
  if (typeof value === 'bigint') return (_, out) => out.setWide(value);
  const number = args.int(0);
  return (_, out) => out.setInt(number);
}

function environment(args: Args): Fetch {
  const bytes = args.bytes(0);
  const is = args.has(0);
  return (_, out) => is && out.setStr(bytes, 0, bytes.length);
}

function random(args: Args): Fetch {
  const range = args.has(0) ? args.int(0) : 2 ** 32;
  return (_, out) => out.setInt(Math.floor(Math.random() * range));
}

/** RFC 9562: version 4 is random, version 7 begins with the time. */
function uuid(args: Args): Fetch {
  const ordered = args.int(0, 4) === 7;
  return (_, out) => {
    let id: string = randomUUID();
    if (ordered) {
      const time = Math.floor(wallMs()).toString(16).padStart(12, '0');
      id = `${time.slice(0, 8)}-${time.slice(8)}-7${id.slice(15)}`;
    }
    const bytes = bytesOf(id);
    return out.setStr(bytes, 0, bytes.length);
  };
}

const HEX_DIGITS: Extras = {
  check: args => {
    if (args[0] === '') return 'hex digits are expected';
    const bad = /[^0-9A-Fa-f]/.exec(String(args[0]));
    if (bad !== null) return `an hex digit is expected (found '${bad[0]}')`;
    return String(args[0]).length % 2 === 1 ? 'an even number of hex digit is expected' : null;
  },
  good: ['bin(00ff)'],
  bad: [
    ['bin(0)', "invalid args in fetch method 'bin' : an even number of hex digit is expected"],
    ['bin()', "invalid args in fetch method 'bin' : hex digits are expected"],
  ],
};
const TRUE_WORDS = ['true', '1'];
const BOOL_WORDS: Extras = {
  check: args =>
    [...TRUE_WORDS, 'false', '0'].includes(String(args[0])) ? null : "Expects 'true', 'false', '0' or '1'",
  good: ['bool(true)', 'bool(0)'],
  bad: [['bool(a)', "invalid args in fetch method 'bool' : Expects 'true', 'false', '0' or '1'"]],
};

const METHOD: Extras = {
  check: args => (/^[\w!#$%&'*+.^`|~-]*$/.test(String(args[0] ?? '')) ? null : 'expects valid method.'),
  good: ['meth', 'meth(GET)', 'meth(FOO)'],
  bad: [['meth(a/b)', "invalid args in fetch method 'meth' : expects valid method."]],
};

const b = PROXY.at;
const s = SERVER.at;
const HOST_NAME = bytesOf(hostname());
/** The wall clock less the shared one: dates of what has a time of the shared clock. */
export const CLOCK_OFFSET_MS = wallMs() - monotonicMs();

export const INTERNAL_FETCHES: readonly FetchRow[] = [
  plain('always_true', 'bool', 'constant', 'True.', (_, out) => out.setBool(true)),
  plain('always_false', 'bool', 'constant', 'False.', (_, out) => out.setBool(false)),
  fetch(
    'acl',
    'name:str [name:str] [name:str] [name:str] [name:str] [name:str] [name:str] [name:str] [name:str] [name:str] [name:str] [name:str]',
    'bool',
    'internal',
    'All named ACLs match.',
    acl,
    { good: ['acl(a)', 'acl(a,!b)'] },
  ),
  fetch('str', 'text:str', 'str', 'constant', 'A text.', text, { good: ['str(x)', 'str()', 'str("a,b")'] }),
  fetch('bin', 'hex:str', 'bin', 'constant', 'Bytes in hexadecimal.', binary, HEX_DIGITS),
  fetch(
    'bool',
    'bool:str',
    'bool',
    'constant',
    'A boolean.',
    args => constant(out => out.setBool(TRUE_WORDS.includes(args.text(0))))(),
    BOOL_WORDS,
  ),
  fetch('int', 'integer:int', 'sint', 'constant', 'An integer.', integer),
  fetch('ipv4', 'address:ipv4', 'ipv4', 'constant', 'An IPv4 address.', address),
  fetch('ipv6', 'address:ipv6', 'ipv6', 'constant', 'An IPv6 address.', address),
  fetch(
    'meth',
    '[method:str]',
    'meth',
    'constant',
    'A method.',
    args => {
      const bytes = args.bytes(0);
      const id = Math.max(METHOD_NAMES.indexOf(args.text(0)), 0);
      return (_, out) => out.setMethod(id, bytes, 0, bytes.length);
    },
    METHOD,
  ),
  fetch('env', 'name:str', 'str', 'constant', 'An environment variable, as it was at the start.', environment, {
    check: (args, resources) => {
      const value = resources.env[String(args[0])];
      args[0] = value === undefined ? null : value;
      return null;
    },
  }),
  fetch('date', '[offset:int] [unit:str]', 'sint', 'constant', 'The date.', date, {
    check: unitProblem(1),
    good: ['date', 'date(1)', 'date(1,ms)'],
    bad: [
      ['date(0,ss)', "invalid args in fetch method 'date' : expects 's', 'ms' or 'us', got 'ss'"],
      ['date(1,)', "invalid args in fetch method 'date' : expects 's', 'ms' or 'us', got ''"],
    ],
  }),
  plain('date_us', 'sint', 'constant', 'The microseconds of the date.', (_, out) =>
    out.setInt(Math.floor((wallMs() % 1_000) * 1_000)),
  ),
  plain('hostname', 'str', 'constant', 'Name of the host.', (_, out) => out.setStr(HOST_NAME, 0, HOST_NAME.length)),
  plain('pid', 'sint', 'constant', 'Number of the process.', (_, out) => out.setInt(process.pid)),
  plain('proc', 'sint', 'constant', 'Always 1.', (_, out) => out.setInt(1)),
  plain('quic_enabled', 'bool', 'constant', 'Whether QUIC is spoken: it is not.', (_, out) => out.setBool(false)),
  fetch('rand', '[range:int]', 'sint', 'constant', 'A random integer below the range.', random),
  fetch('uuid', '[version:int]', 'str', 'constant', 'A universally unique identifier.', uuid, {
    check: args =>
      args[0] == null || args[0] === 4 || args[0] === 7 ? null : `Unsupported UUID version: '${args[0]}'`,
    good: ['uuid', 'uuid(4)', 'uuid(7)'],
    bad: [['uuid(3)', "invalid args in fetch method 'uuid' : Unsupported UUID version: '3'"]],
  }),
  plain('wait_end', 'bool', 'internal', 'True once the inspection is over.', (ctx, out) => {
    if (ctx.final) return out.setBool(true);
    out.mayChange = true;
    return false;
  }),
  plain('stopping', 'bool', 'internal', 'The process is stopping.', (ctx, out) =>
    out.setBool(isStopping(ctx.session.context)),
  ),
  plain(
    'prio_class',
    'sint',
    'internal',
    'Class of the place in the queue.',
    ({ stream }, out) => stream !== null && out.setInt(stream.priorityClass),
  ),
  plain(
    'prio_offset',
    'sint',
    'internal',
    'Offset of the place in the queue, ms.',
    ({ stream }, out) => stream !== null && out.setInt(stream.priorityOffsetMs),
  ),
  plain('thread', 'sint', 'constant', 'Number of the worker.', (ctx, out) => out.setInt(ctx.session.context.worker)),
  plain('tgroup', 'sint', 'constant', 'Number of its group of threads: there is one.', (_, out) => out.setInt(0)),
  plain('cpu_usage_thr', 'sint', 'internal', 'Percent of the last second that the worker worked.', (ctx, out) => {
    const { memory, worker } = ctx.session.context;
    return out.setInt(loadOf(memory, worker));
  }),
  ofAll('cpu_usage_grp'),
  ofAll('cpu_usage_proc'),
  plain('act_conn', 'sint', 'internal', 'Connections of the process now.', ({ session: { context } }, out) =>
    out.setInt(word(context, context.at + PROCESS.at.conns)),
  ),
  plain('uptime', 'sint', 'internal', 'Seconds since the start.', ({ session: { context } }, out) => {
    return out.setInt(Math.floor(context.io.now() / 1_000) - word(context, context.at + PROCESS.at.start_second));
  }),
  ofBackend('nbsrv', 'Usable servers of the backend.', usable),
  ofBackend('be_conn', 'Streams in the backend now.', (backend, worker) => word(worker, backend.at + b.be_sess)),
  ofBackend('be_conn_free', 'Places left on its servers; -1 = no limit.', (backend, worker) =>
    freePlaces(backend, worker, false),
  ),
  ofBackend('connslots', 'Places left on its servers and in their queues.', (backend, worker) =>
    freePlaces(backend, worker, true),
  ),
  ofBackend('queue', 'Streams in its queues.', (backend, worker) => word(worker, backend.at + b.be_total_queued)),
  ofBackend('avg_queue', 'Streams in its queues per usable server.', averageQueue),
  ofBackend('be_sess_rate', 'Streams per second.', (backend, worker) =>
    rateRead(worker.counters, backend.sessRate, worker.io.now()),
  ),
  ofFrontend('fe_conn', 'Connections of the frontend now.', (frontend, worker) =>
    word(worker, frontend.at + b.fe_conns),
  ),
  ofFrontend('fe_sess_rate', 'Sessions per second.', (frontend, worker) =>
    rateRead(worker.counters, frontend.sessRate, worker.io.now()),
  ),
  ofFrontend('fe_req_rate', 'Requests per second.', (frontend, worker) =>
    rateRead(worker.counters, frontend.reqRate, worker.io.now()),
  ),
  ofServer('srv_conn', 'Streams on the server now.', (server, worker) => word(worker, server.at + s.served)),
  ofServer('srv_conn_free', 'Places left on it; -1 = no limit.', freeOnServer),
  ofServer('srv_queue', 'Streams in its queue.', (server, worker) => word(worker, server.at + s.queued)),
  ofServer('srv_sess_rate', 'Streams per second.', (server, worker) =>
    rateRead(worker.counters, server.sessRate, worker.io.now()),
  ),
  ofServer('srv_weight', 'Its weight now.', (server, worker) => word(worker, server.at + s.eweight)),
  ofServer('srv_uweight', 'Its weight as the operator set it.', (server, worker) =>
    word(worker, server.at + s.uweight),
  ),
  ofServer('srv_iweight', 'Its weight as configured.', (server, worker) => word(worker, server.at + s.iweight)),
  fetch('srv_is_up', 'server:srv', 'bool', 'internal', 'The server is up.', (args, env) => {
    const server = serverOf(args.text(0), env);
    return (_, out) => server !== null && out.setBool(isUp(server, env.worker));
  }),
];
