/**
 * The columns of `show stat`, one row each, in the order that tools rely on: some look at positions and not at names,
 * so a new one goes to the end of its table and none ever moves.
 */
import type { CounterName } from '../shm/counters.ts';
import { TIMERS } from '../shm/histogram.ts';
import { PROXY, SERVER } from '../shm/words.ts';
import type { Field, FieldType } from './fields.ts';
import {
  ACTIVE,
  ADDRESSES,
  ALGORITHM,
  average,
  BACKUP,
  byKind,
  COOKIES,
  checked,
  DOWN_TIME,
  DOWNS,
  fixed,
  found,
  http,
  IDLE_LIMIT,
  IDS,
  inMode,
  LAST_AGENT,
  LAST_CHANGE,
  LAST_CHECK,
  LAST_SESSION,
  LIMITS,
  legend,
  longest,
  NAMES,
  OBSERVED_FAILS,
  PROTOCOL,
  percentile,
  REQUESTS,
  type Read,
  rate,
  rateMax,
  SESSIONS,
  SESSIONS_MAX,
  STATUSES,
  sum,
  TRACKED,
  TYPES,
  USER_WEIGHTS,
  WEIGHTS,
  watched,
  withAgent,
  word,
} from './reads.ts';
import { checkDescription, checkStatus, throttle } from './status.ts';
import { B, F, L, PERCENTILES, S } from './view.ts';

export interface Column extends Field {
  /** The rows that have the column: F, B, S, L. */
  readonly scope: number;
  readonly value: Read;
}

const LFBS = L | F | B | S;
const FBS = F | B | S;
const LFB = L | F | B;
const FB = F | B;
const LF = L | F;
const LS = L | S;
const BS = B | S;

function col(name: string, scope: number, tags: string, type: FieldType, title: string, value: Read): Column {
  return { name, scope, tags, type, title, value };
}

/** A counter that only grows: most columns. */
function total(name: string, scope: number, counter: CounterName, title: string): Column {
  return col(name, scope, 'MCPP', 'u64', title, sum(counter));
}

const p = PROXY.at;
const w = SERVER.at;

export const COLUMNS: readonly Column[] = [
  col('pxname', LFBS, 'KNSV', 'str', 'Proxy name', (_, s) => s.proxy.name),
  col('svname', LFBS, 'KNSV', 'str', 'FRONTEND, BACKEND, or the name of the server or listener', NAMES),
  col('qcur', BS, 'MGPV', 'u32', 'Requests queued now', byKind(null, null, word(p.be_queued), word(w.queued))),
  col('qmax', BS, 'MMPV', 'u32', 'Most of them', byKind(null, null, word(p.be_queued_max), word(w.queued_max))),
  col('scur', LFBS, 'MGPV', 'u32', 'Sessions now', SESSIONS),
  col('smax', LFBS, 'MMPV', 'u32', 'Most of them', SESSIONS_MAX),
  col('slim', LFBS, 'CLPV', 'u32', 'Session limit', LIMITS),
  total('stot', LFBS, 'cum_sess', 'Sessions'),
  total('bin', LFBS, 'bytes_in', 'Bytes of requests'),
  total('bout', LFBS, 'bytes_out', 'Bytes of responses'),
  total('dreq', LFB, 'denied_req', 'Requests denied by a rule'),
  total('dresp', LFBS, 'denied_resp', 'Responses denied by a rule'),
  total('ereq', LF, 'failed_req', 'Invalid requests'),
  total('econ', BS, 'failed_conn', 'Failed connections to servers'),
  total('eresp', BS, 'failed_resp', 'Invalid responses'),
  total('wretr', BS, 'retries', 'Connection attempts repeated'),
  total('wredis', BS, 'redispatches', 'Requests moved to another server'),
  col('status', LFBS, 'SGPV', 'str', 'Status', STATUSES),
  col('weight', BS, 'MaPV', 'u32', 'Weight in use', WEIGHTS),
  col('act', BS, 'MGPV', 'u32', 'Active servers; 1 for an active server', ACTIVE),
  col('bck', BS, 'MGPV', 'u32', 'Backup servers; 1 for a backup server', BACKUP),
  col('chkfail', S, 'MCPP', 'u64', 'Checks that failed while the server was up', watched(word(w.check_fails))),
  col('chkdown', BS, 'MCPP', 'u64', 'Times it went from UP to DOWN', DOWNS),

  col('lastchg', BS, 'MAPV', 'u32', 'Seconds since it last went up or down', LAST_CHANGE),
  col('downtime', BS, 'MCPP', 'u32', 'Seconds it was down', watched(DOWN_TIME)),
  col('qlimit', S, 'CLSV', 'u32', 'Limit of the queue (maxqueue)', (_, s) => s.server!.maxqueue || null),
  col('pid', LFBS, 'KGPV', 'u32', 'Relative process number, always 1', fixed(1)),
  col('iid', LFBS, 'KGSV', 'u32', 'Number of the proxy (id)', (_, s) => s.proxy.id),
  col('sid', LFBS, 'KGSV', 'u32', 'Number of the server or listener (id); 0 for the proxy', IDS),
  col('throttle', S, 'MaPV', 'u32', 'Percent of its weight during a slow start', throttle),
  total('lbtot', BS, 'cum_lb', 'Times load balancing chose it'),
  col('tracked', S, 'CNSV', 'str', 'The server whose checks it follows', TRACKED),
  col('type', LFBS, 'CGSV', 'u32', '0 = frontend, 1 = backend, 2 = server, 3 = listener', TYPES),
  col('rate', FBS, 'MRPP', 'u32', 'Sessions per second', rate('sess_rate')),
  col('rate_lim', F, 'CLPV', 'u32', 'Limit of sessions per second', word(p.fe_rate_limit)),
  col('rate_max', FBS, 'MMPV', 'u32', 'Highest sessions per second', rateMax('sess_rate')),
  col(
    'check_status',
    S,
    'MOPV',
    'str',
    'Result of the last check; * = another one runs',
    checked((view, s) => checkStatus(view, s, 'check')),
  ),
  col('check_code', S, 'MOPV', 'u32', 'Layer 5-7 status code of the last check', checked(found(w.check_code))),
  col('check_duration', S, 'MDPV', 'u64', 'Milliseconds the last check took', checked(found(w.check_duration))),
  col('hrsp_1xx', FBS, 'MCPP', 'u64', 'Responses with status 100-199', http(sum('hrsp_1xx'))),
  col('hrsp_2xx', FBS, 'MCPP', 'u64', 'Responses with status 200-299', http(sum('hrsp_2xx'))),
  col('hrsp_3xx', FBS, 'MCPP', 'u64', 'Responses with status 300-399', http(sum('hrsp_3xx'))),
  col('hrsp_4xx', FBS, 'MCPP', 'u64', 'Responses with status 400-499', http(sum('hrsp_4xx'))),
  col('hrsp_5xx', FBS, 'MCPP', 'u64', 'Responses with status 500-599', http(sum('hrsp_5xx'))),
  col('hrsp_other', FBS, 'MCPP', 'u64', 'Responses with another status, or none', http(sum('hrsp_other'))),
  col('hanafail', S, 'MCPP', 'u64', 'Times that observing traffic found too many errors', OBSERVED_FAILS),
  col('req_rate', F, 'MRPP', 'u32', 'HTTP requests per second', rate('req_rate')),
  col('req_rate_max', F, 'MMPV', 'u32', 'Highest HTTP requests per second', rateMax('req_rate')),
  col('req_tot', FBS, 'MCPP', 'u64', 'HTTP requests', REQUESTS),
  total('cli_abrt', BS, 'cli_aborts', 'Transfers aborted by the client'),
  total('srv_abrt', BS, 'srv_aborts', 'Transfers aborted by the server'),
  total('comp_in', FB, 'comp_in', 'Bytes given to the compressor'),
  total('comp_out', FB, 'comp_out', 'Bytes the compressor produced'),
  total('comp_byp', FB, 'comp_byp', 'Bytes that bypassed the compressor'),
  total('comp_rsp', FB, 'comp_rsp', 'Responses compressed'),
  col('lastsess', BS, 'MAPV', 's32', 'Seconds since the last session; -1 = never', LAST_SESSION),
  col('last_chk', S, 'MOPV', 'str', 'What the last check said', LAST_CHECK),

  col('last_agt', S, 'MOPV', 'str', 'What the last agent check said', LAST_AGENT),
  col('qtime', BS, 'MaPV', 'u32', 'Average queue time, ms', average('q_time')),
  col('ctime', BS, 'MaPV', 'u32', 'Average connect time, ms', average('c_time')),
  col('rtime', BS, 'MaPV', 'u32', 'Average response time, ms', average('d_time')),
  col('ttime', BS, 'MaPV', 'u32', 'Average total time, ms', average('t_time')),
  col(
    'agent_status',
    S,
    'MOPV',
    'str',
    'Result of the last agent check',
    withAgent((view, s) => checkStatus(view, s, 'agent')),
  ),
  col('agent_code', S, 'MOPV', 'u32', 'Code of the last agent check', withAgent(found(w.agent_code))),
  col('agent_duration', S, 'MDPV', 'u64', 'Milliseconds the last agent check took', withAgent(found(w.agent_duration))),
  col(
    'check_desc',
    S,
    'MOPV',
    'str',
    'check_status in words',
    checked((view, s) => checkDescription(view, s, 'check')),
  ),
  col(
    'agent_desc',
    S,
    'MOPV',
    'str',
    'agent_status in words',
    withAgent((view, s) => checkDescription(view, s, 'agent')),
  ),
  col('check_rise', S, 'CGSV', 'u32', 'Successes that bring the server up', checked(word(w.check_rise))),
  col('check_fall', S, 'CGSV', 'u32', 'Failures that take the server down', checked(word(w.check_fall))),
  col('check_health', S, 'SGPV', 'u32', 'Position on the scale of rise + fall - 1', checked(word(w.check_health))),
  col('agent_rise', S, 'CGSV', 'u32', 'Agent: successes that bring the server up', withAgent(word(w.agent_rise))),
  col('agent_fall', S, 'CGSV', 'u32', 'Agent: failures that take the server down', withAgent(word(w.agent_fall))),
  col('agent_health', S, 'SGPV', 'u32', 'Agent: position on the scale', withAgent(word(w.agent_health))),
  col('addr', LS, 'CGSV', 'str', 'Address and port, or unix', legend(ADDRESSES)),
  col('cookie', BS, 'CNSV', 'str', 'Cookie value of the server, cookie name of the backend', legend(COOKIES)),
  col('mode', LFBS, 'CGSV', 'str', 'Mode of the proxy: tcp, http or syslog', (_, s) => {
    return s.proxy.mode === 'log' ? 'syslog' : s.proxy.mode;
  }),
  col('algo', B, 'CGSV', 'str', 'Load-balancing algorithm', legend(ALGORITHM)),

  col('conn_rate', F, 'MRPP', 'u32', 'Connections per second', rate('conn_rate')),
  col('conn_rate_max', F, 'MMPV', 'u32', 'Highest connections per second', rateMax('conn_rate')),
  total('conn_tot', F, 'cum_conn', 'Connections'),
  col('intercepted', F, 'MCPP', 'u64', 'Requests answered without a server', http(sum('intercepted'))),
  total('dcon', LF, 'denied_conn', 'Connections denied by tcp-request connection'),
  total('dses', LF, 'denied_sess', 'Sessions denied by tcp-request session'),
  total('wrew', LFBS, 'failed_rewrites', 'Header rewrites that failed'),
  total('connect', BS, 'connect', 'Connection attempts'),
  total('reuse', BS, 'reuse', 'Requests sent over a connection that existed'),
  col('cache_lookups', FB, 'MCPP', 'u64', 'Cache lookups; there is no cache', http(fixed(0))),
  col('cache_hits', FB, 'MCPP', 'u64', 'Cache hits; there is no cache', http(fixed(0))),
  col('srv_icur', S, 'MGPV', 'u32', 'Idle connections that may be used again', sum('cur_idle')),
  col('src_ilim', S, 'CLPV', 'u32', 'Limit of idle connections', IDLE_LIMIT),
  col('qtime_max', BS, 'MMPV', 'u32', 'Longest queue time, ms', longest('q_time_max')),
  col('ctime_max', BS, 'MMPV', 'u32', 'Longest connect time, ms', longest('c_time_max')),
  col('rtime_max', BS, 'MMPV', 'u32', 'Longest response time, ms', longest('d_time_max')),
  col('ttime_max', BS, 'MMPV', 'u32', 'Longest total time, ms', longest('t_time_max')),
  total('eint', LFBS, 'internal_errors', 'Internal errors'),
  col('idle_conn_cur', S, 'MGPV', 'u32', 'Unsafe idle connections; none is pooled before it has proved safe', fixed(0)),
  col('safe_conn_cur', S, 'MGPV', 'u32', 'Safe idle connections', sum('cur_idle')),
  col('used_conn_cur', S, 'MGPV', 'u32', 'Connections in use', sum('cur_used')),
  col('need_conn_est', S, 'MGPV', 'u32', 'Connections needed now', sum('cur_used')),
  col('uweight', BS, 'MaPV', 'u32', 'Weight as the operator set it', USER_WEIGHTS),
  col('agg_server_status', B, 'MGPV', 'u32', 'Servers by state, for outputs with labels; 0 in this one', fixed(0)),
  col('agg_server_check_status', B, 'MGPV', 'u32', 'Deprecated: always 0', fixed(0)),
  col('agg_check_status', B, 'MGPV', 'u32', 'Servers by state, for outputs with labels; 0 in this one', fixed(0)),
  col('srid', S, 'KGPV', 'u32', 'Revision of the server number', fixed(0)),
  col('sess_other', F, 'MCPP', 'u64', 'Sessions other than HTTP', inMode('tcp', sum('cum_sess'))),
  col('h1sess', F, 'MCPP', 'u64', 'HTTP/1 sessions', inMode('http', sum('cum_sess'))),
  col('h2sess', F, 'MCPP', 'u64', 'HTTP/2 sessions', fixed(0)),
  col('h3sess', F, 'MCPP', 'u64', 'HTTP/3 sessions', fixed(0)),
  col('req_other', F, 'MCPP', 'u64', 'Requests other than HTTP', inMode('tcp', sum('cum_req'))),
  col('h1req', F, 'MCPP', 'u64', 'HTTP/1 requests', inMode('http', sum('cum_req'))),
  col('h2req', F, 'MCPP', 'u64', 'HTTP/2 requests', fixed(0)),
  col('h3req', F, 'MCPP', 'u64', 'HTTP/3 requests', fixed(0)),
  col('proto', L, 'CGSV', 'str', 'Protocol of the listener', PROTOCOL),
  col('priv_idle_cur', S, 'MGPV', 'u32', 'Idle connections bound to one client session', sum('cur_idle_private')),
  // Bytes are counted once on their way: what comes in of a request or response also goes out.
  total('reqbin', LFBS, 'bytes_in', 'Bytes of requests received'),
  total('reqbout', LFBS, 'bytes_in', 'Bytes of requests sent'),
  total('resbin', LFBS, 'bytes_out', 'Bytes of responses received'),
  total('resbout', LFBS, 'bytes_out', 'Bytes of responses sent'),
  col('cache_hint_hits', FB, 'MCPP', 'u64', 'Cache hits with early hints; there is no cache', http(fixed(0))),
];

/** Counters (C) or gauges (G) of something this version does not speak: their names, with spaces between. */
function absent(scope: number, nature: 'C' | 'G', title: string, names: string): Column[] {
  return names.split(' ').map(name => col(name, scope, `M${nature}PV`, 'u64', title, fixed(0)));
}

const NO_STAPLES = 'Responses are stapled from files only';
const NO_PIPES = 'Nothing is spliced through kernel pipes';
const NO_H2 = 'HTTP/2 is not spoken';

/** What the timers of TIMERS are called, in names and in words. */
const TIMER_NAMES = ['qtime', 'ctime', 'rtime', 'ttime'] as const;
const TIMER_TITLES = ['queue time', 'connect time', 'response time', 'total time'] as const;

/** `qtime_p50_us` ... `qtime_p999_us`, `qtime_max_us`: the rolling window of one timer (shm/histogram.ts). */
function timerColumns(timer: number): Column[] {
  const name = (what: string) => `${TIMER_NAMES[timer]}_${what}_us`;
  const title = `${TIMER_TITLES[timer]} of the last 1-2 minutes, us`;
  return [
    ...PERCENTILES.map((percent, nth) =>
      col(name(`p${percent}`.replace('.', '')), FBS, 'MaPV', 'u32', `p${percent} of ${title}`, percentile(timer, nth)),
    ),
    col(name('max'), FBS, 'MMPV', 'u32', `Longest ${title}`, percentile(timer, PERCENTILES.length)),
  ];
}

/** The columns of the protocol modules, and those that only Sluice has: they stand after a column named `-`. */
export const MODULE_COLUMNS: readonly Column[] = [
  col('ssl_sess', LFBS, 'MCPV', 'u64', 'TLS sessions', sum('tls_sess')),
  col('ssl_reused_sess', LFBS, 'MCPV', 'u64', 'TLS sessions resumed', sum('tls_reused')),
  col('ssl_failed_handshake', LFBS, 'MCPV', 'u64', 'TLS handshakes that failed', sum('tls_failed')),
  ...absent(LFBS, 'C', NO_STAPLES, 'ssl_ocsp_staple ssl_failed_ocsp_staple'),
  col('h1_open_connections', FB, 'MGPV', 'u64', 'HTTP/1 connections open now', sum('cur_h1_conns')),
  col('h1_open_streams', FB, 'MGPV', 'u64', 'HTTP/1 streams open now', sum('cur_h1_streams')),
  col('h1_total_connections', FB, 'MCPV', 'u64', 'HTTP/1 connections', sum('h1_conns')),
  col('h1_total_streams', FB, 'MCPV', 'u64', 'HTTP/1 streams', sum('h1_streams')),
  col('h1_bytes_in', FB, 'MCPV', 'u64', 'Bytes received on HTTP/1 connections', sum('h1_bytes_in')),
  col('h1_bytes_out', FB, 'MCPV', 'u64', 'Bytes sent on HTTP/1 connections', sum('h1_bytes_out')),
  ...absent(FB, 'C', NO_PIPES, 'h1_spliced_bytes_in h1_spliced_bytes_out'),
  ...absent(FB, 'C', NO_H2, 'h2_headers_rcvd h2_data_rcvd h2_settings_rcvd h2_rst_stream_rcvd h2_goaway_rcvd'),
  ...absent(FB, 'C', NO_H2, 'h2_detected_conn_protocol_errors h2_detected_strm_protocol_errors'),
  ...absent(FB, 'C', NO_H2, 'h2_rst_stream_resp h2_goaway_resp'),
  ...absent(FB, 'G', NO_H2, 'h2_open_connections h2_backend_open_streams'),
  ...absent(FB, 'C', NO_H2, 'h2_total_connections h2_backend_total_streams'),
  ...TIMERS.flatMap((_, timer) => timerColumns(timer)),
];

const ALL: readonly Column[] = [...COLUMNS, ...MODULE_COLUMNS];

/** A column with its number in the `typed` and JSON formats. */
interface Placed {
  readonly pos: number;
  readonly column: Column;
}

/** The columns that rows of one scope have, in order. */
export const PLACED: Readonly<Record<number, readonly Placed[]>> = Object.fromEntries(
  [F, B, S, L].map(scope => [
    scope,
    ALL.map((column, pos) => ({ pos, column })).filter(placed => placed.column.scope & scope),
  ]),
);
