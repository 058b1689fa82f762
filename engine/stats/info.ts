/** `show info`: facts about the process, one row each, in the order that tools know. */

import { isBackend, isFrontend } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import { COUNTERS, type CounterName } from '../shm/counters.ts';
import { PROXY } from '../shm/words.ts';
import type { Field, FieldType } from './fields.ts';
import { jsonMembers } from './json.ts';
import { type Dump, type Out, steppedDump } from './out.ts';
import { typedLine } from './typed.ts';
import { Subject, type View } from './view.ts';

/** null = there is none: the row is left out. */
type Read = (view: View, s: Subject) => number | string | null;

interface InfoRow extends Field {
  readonly value: Read;
}

const MEGABYTE = 1024 * 1024;
/** The name that tools see. */
export const PRODUCT = 'Sluice';

function row(name: string, tags: string, type: FieldType, title: string, value: Read): InfoRow {
  return { name, tags, type, title, value };
}

/** HAProxy's bits, in its notation. */
const tainted: Read = view => {
  const bits = view.process('tainted');
  return bits === 0 ? '0' : `0x${bits.toString(16)}`;
};
const zero: Read = () => 0;
const one: Read = () => 1;
const total =
  (name: CounterName): Read =>
  (view, s) =>
    view.sum(s, COUNTERS.at[name]);
const rate =
  (name: CounterName): Read =>
  (view, s) =>
    view.rate(s, COUNTERS.at[name]);
const highest =
  (name: CounterName): Read =>
  (view, s) =>
    view.rateMax(s, COUNTERS.at[name]);
/** Of the handshakes of the last second. */
const reused: Read = (view, s) => {
  const all = view.rate(s, COUNTERS.at.tls_rate);
  const full = view.rate(s, COUNTERS.at.tls_key_rate);
  return all === 0 ? 0 : Math.max(0, Math.floor((100 * (all - full)) / all));
};
const uptime: Read = (view, s) => view.since(s, view.process('start_second'));
const memoryBytes: Read = view => view.memory.buffer.byteLength;
const memoryMegabytes: Read = view => Math.floor(view.memory.buffer.byteLength / MEGABYTE);
const startSecond: Read = view => Math.floor(view.facts.startWallMs / 1000);

/** Listeners that accept, over all frontends. */
const listeners: Read = view => {
  let n = 0;
  for (const proxy of view.model.proxies) if (accepts(view, proxy)) n += proxy.binds.length;
  return n;
};

function accepts(view: View, proxy: Proxy): boolean {
  if (!isFrontend(proxy) || proxy.disabled) return false;
  return Atomics.load(view.memory.words, view.memory.proxy(proxy.index) + PROXY.at.fe_stopped) === 0;
}

/** Sockets that wait for clients: of frontends, the runtime API, peers and senders of log lines. */
const listening: Read = (view, s) => {
  const { global, peers, logForwards } = view.model;
  const others = [...peers, ...logForwards].reduce((n, { binds }) => n + binds.length, 0);
  return (listeners(view, s) as number) + global.statsSockets.length + others;
};

/** Streams that any backend took. */
const streams: Read = view => {
  let n = 0;
  for (const proxy of view.model.proxies) {
    if (isBackend(proxy)) n += view.memory.sum('backend', proxy.index, COUNTERS.at.cum_sess);
  }
  return n;
};

/** 1d 2h03m04s. */
export function durationText(seconds: number): string {
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  return `${Math.floor(seconds / 86_400)}d ${Math.floor(seconds / 3600) % 24}h${two((seconds / 60) % 60)}m${two(seconds % 60)}s`;
}

export const INFO: readonly InfoRow[] = [
  row('Name', 'POSV', 'str', 'Product name', () => PRODUCT),
  row('Version', 'POSV', 'str', 'Product version', view => view.facts.version),
  row('Release_date', 'POSV', 'str', 'Day of this version', view => view.facts.releaseDate),
  row('Nbthread', 'CGSV', 'u32', 'Threads that serve traffic', view => view.facts.nbthread),
  row('Nbproc', 'CGSV', 'u32', 'Processes, always 1', one),
  row('Process_num', 'KGPV', 'u32', 'Relative process number, always 1', one),
  row('Pid', 'SGPV', 'u32', 'Process identifier', view => view.facts.pid),
  row('Uptime', 'MDPV', 'str', 'Time since the start', (view, s) => durationText(uptime(view, s) as number)),
  row('Uptime_sec', 'MDPV', 'u32', 'The same in seconds', uptime),
  row('Memmax_MB', 'CLPV', 'u32', 'Memory limit, 0 = none', zero),
  row('PoolAlloc_MB', 'MGPV', 'u32', 'Shared memory, MB', memoryMegabytes),
  row('PoolUsed_MB', 'MGPV', 'u32', 'Shared memory in use, MB', memoryMegabytes),
  row('PoolFailed', 'MCPV', 'u32', 'Failed allocations', zero),
  row('Ulimit-n', 'CLPV', 'u32', 'Limit of file descriptors', view => view.facts.ulimitN),
  row('Maxsock', 'CLPV', 'u32', 'Limit of sockets', view => view.facts.maxsock),
  row('Maxconn', 'CLPV', 'u32', 'Limit of connections in force', view => view.process('maxconn')),
  row(
    'Hard_maxconn',
    'CLPV',
    'u32',
    'Limit of connections at start',
    view => view.model.global.maxconn || view.process('maxconn'),
  ),
  row('CurrConns', 'MGPV', 'u32', 'Connections now', view => view.process('conns')),
  row('CumConns', 'MCPV', 'u64', 'Connections', total('cum_conn')),
  row('CumReq', 'MCPV', 'u64', 'HTTP requests', total('cum_req')),
  row('MaxSslConns', 'MMPV', 'u32', 'TLS: limit of connections', view => view.process('maxsslconn')),
  row('CurrSslConns', 'MGPV', 'u32', 'TLS: connections now', view => view.process('tls_conns')),
  row('CumSslConns', 'MCPV', 'u32', 'TLS: connections', total('cum_tls')),
  row('Maxpipes', 'CLPV', 'u32', 'Limit of pipes, 0 = none are used', zero),
  row('PipesUsed', 'MGPV', 'u32', 'Pipes in use', zero),
  row('PipesFree', 'MGPV', 'u32', 'Pipes in reserve', zero),
  row('ConnRate', 'MRPV', 'u32', 'Connections per second', rate('conn_rate')),
  row('ConnRateLimit', 'CLPV', 'u32', 'Limit of them (maxconnrate)', view => view.process('maxconnrate')),
  row('MaxConnRate', 'MMPV', 'u32', 'Highest connections per second', highest('conn_rate')),
  row('SessRate', 'MRPV', 'u32', 'Sessions per second', rate('sess_rate')),
  row('SessRateLimit', 'CLPV', 'u32', 'Limit of them (maxsessrate)', view => view.process('maxsessrate')),
  row('MaxSessRate', 'MMPV', 'u32', 'Highest sessions per second', highest('sess_rate')),
  row('SslRate', 'MRPV', 'u32', 'TLS: connections per second', rate('tls_rate')),
  row('SslRateLimit', 'CLPV', 'u32', 'TLS: limit of them', view => view.process('maxsslrate')),
  row('MaxSslRate', 'MMPV', 'u32', 'TLS: highest connections per second', highest('tls_rate')),
  row('SslFrontendKeyRate', 'MRPV', 'u32', 'TLS: frontend keys per second', rate('tls_key_rate')),
  row('SslFrontendMaxKeyRate', 'MMPV', 'u32', 'TLS: highest of them', highest('tls_key_rate')),
  row('SslFrontendSessionReuse_pct', 'MGPV', 'u32', 'TLS: percent of sessions resumed', reused),
  row('SslBackendKeyRate', 'MRPV', 'u32', 'TLS: backend keys per second', rate('tls_server_key_rate')),
  row('SslBackendMaxKeyRate', 'MMPV', 'u32', 'TLS: highest of them', highest('tls_server_key_rate')),
  row('SslCacheLookups', 'MCPV', 'u32', 'TLS: session lookups', total('tls_lookups')),
  row('SslCacheMisses', 'MCPV', 'u32', 'TLS: sessions not found', total('tls_misses')),
  row('CompressBpsIn', 'MRPV', 'u32', 'Bytes per second given to the compressor', rate('comp_in_rate')),
  row('CompressBpsOut', 'MRPV', 'u32', 'Bytes per second the compressor produced', rate('comp_out_rate')),
  row('CompressBpsRateLim', 'CLPV', 'u32', 'Limit of them', view => view.process('maxcomprate')),
  row('ZlibMemUsage', 'MGPV', 'u32', 'Memory of the compressor', total('cur_comp_bytes')),
  row('MaxZlibMemUsage', 'CLPV', 'u32', 'Limit of it', view => view.model.global.compression.memoryBytes),
  row('Tasks', 'MGPV', 'u32', 'Connections and streams now', view => view.process('conns') + view.streams),
  row('Run_queue', 'MGPV', 'u32', 'Tasks that could run now', zero),
  row('Idle_pct', 'MaPV', 'u32', 'Percent of the last second that workers were idle', view => view.idlePercent),
  row('node', 'COSV', 'str', 'Name of the node', view => view.model.global.node ?? view.facts.hostName),
  row('description', 'COSV', 'str', 'Description of the node', view => view.model.global.description),
  row('Stopping', 'MGPV', 'u32', '1 = finishing what is there', view => view.process('stopping')),
  row(
    'Jobs',
    'MGPV',
    'u32',
    'Connections and listeners',
    (view, s) => view.process('conns') + (listening(view, s) as number),
  ),
  row('Unstoppable Jobs', 'MGPV', 'u32', 'Those that a stop does not wait for', zero),
  row('Listeners', 'MGPV', 'u32', 'Listeners that accept', listening),
  row('ActivePeers', 'MGPV', 'u32', 'Peers that answer', view => view.peers.active),
  row('ConnectedPeers', 'MGPV', 'u32', 'Peers connected', view => view.peers.connected),
  row('DroppedLogs', 'MGPV', 'u32', 'Log lines dropped', view => view.process('dropped_logs')),
  row('BusyPolling', 'MGPV', 'u32', '1 = polls without sleeping', zero),
  row('FailedResolutions', 'MGPV', 'u32', 'Names that could not be resolved', zero),
  row('TotalBytesOut', 'MGPV', 'u64', 'Bytes sent', total('bytes_out')),
  row('TotalSplicedBytesOut', 'MGPV', 'u64', 'Bytes sent through kernel pipes', zero),
  row('BytesOutRate', 'MRPV', 'u64', 'Bytes sent per second', rate('bytes_out_rate')),
  row('DebugCommandsIssued', 'MGPV', 'u32', 'Debugging commands used', view => view.process('debug_commands')),
  row('CumRecvLogs', 'MCPV', 'u32', 'Log lines received', view => view.process('received_logs')),
  row('Build info', 'POSV', 'str', 'What this is', view => `${PRODUCT} ${view.facts.version}, io ${view.facts.ioName}`),
  row('Memmax_bytes', 'CLPV', 'u64', 'Memory limit in bytes, 0 = none', zero),
  row('PoolAlloc_bytes', 'MGPV', 'u64', 'Shared memory, bytes', memoryBytes),
  row('PoolUsed_bytes', 'MGPV', 'u64', 'Shared memory in use, bytes', memoryBytes),
  row('Start_time_sec', 'MDPV', 'u32', 'Wall-clock second of the start', startSecond),
  row('Tainted', 'SGPV', 'str', 'Experimental features used', tainted),
  row('TotalWarnings', 'MCPV', 'u32', 'Warnings printed', view => view.facts.warnings),
  row('MaxconnReached', 'MCPV', 'u32', '1 = the limit of connections was reached', view => Number(reachedLimit(view))),
  row('BootTime_ms', 'MDPV', 'u32', 'Milliseconds the start took', view => view.facts.bootMs),
  row('Niced_tasks', 'MGPV', 'u32', 'Tasks with a priority of their own', zero),
  row('CurrStreams', 'MGPV', 'u64', 'Streams now', view => view.streams),
  row('CumStreams', 'MCPV', 'u64', 'Streams that a backend took', streams),
  row('BlockedTrafficWarnings', 'MCPV', 'u32', 'Warnings about a blocked thread', zero),
  row('PatternsAdded', 'MCPV', 'u64', 'Patterns added to maps', zero),
  row('PatternsFreed', 'MCPV', 'u64', 'Patterns taken out of maps', zero),
  row('NbThreadGroups', 'CGSV', 'u32', 'Thread groups, always 1', one),
];

function reachedLimit(view: View): boolean {
  const limit = view.process('maxconn');
  return limit > 0 && view.process('conns_max') >= limit;
}

interface InfoOptions {
  readonly format: 'text' | 'typed' | 'json';
  /** Add each row's title. */
  readonly desc?: boolean;
  /** Write some numbers with a fraction. */
  readonly float?: boolean;
}

/** `now` is milliseconds of the shared clock. */
export function dumpInfo(view: View, options: InfoOptions, now: number): Dump {
  const s = new Subject(now, true);
  const write = FORMATS[options.format];
  let pos = 0;
  return steppedDump(out => {
    const row = INFO[pos]!;
    const field = options.float === true ? (FLOATS.get(row.name) ?? row) : row;
    const value = field.value(view, s);
    if (value !== null) write(out, pos, field, value, options.desc === true);
    return ++pos < INFO.length;
  });
}

/** What `float` tells with a fraction. */
const FLOATS: ReadonlyMap<string, InfoRow> = new Map(
  [
    row('Uptime_sec', 'MDPV', 'flt', 'The same in seconds', (view, s) =>
      (s.now / 1000 - view.process('start_second')).toFixed(6),
    ),
  ].map(field => [field.name, field]),
);

type Write = (out: Out, pos: number, field: InfoRow, value: number | string, describe: boolean) => void;

const FORMATS: Readonly<Record<InfoOptions['format'], Write>> = {
  text(out, _, field, value, describe) {
    out.text(`${field.name}: `);
    if (describe && typeof value === 'string') out.csv(value);
    else out.value(value);
    out.text(describe ? `:"${field.title}"\n` : '\n');
  },
  typed: typedLine,
  json(out, pos, field, value) {
    out.text(pos === 0 ? '[{' : ',{');
    jsonMembers(out, pos, field, typeof value === 'string' && field.type !== 'str' ? Number(value) : value);
    out.text(pos === INFO.length - 1 ? '}]\n' : '}');
  },
};
