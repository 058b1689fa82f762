/**
 * The metrics of the Prometheus exporter, one row each: HAProxy's names over the columns of `show stat` and the rows of
 * `show info`, and histograms of the timers, which only Sluice has.
 */
import { CHECK_STATUSES, HANA } from '../health/statuses.ts';
import { indexOf, TIMERS } from '../shm/histogram.ts';
import { COLUMNS, type Column, MODULE_COLUMNS } from './columns.ts';
import type { Value } from './fields.ts';
import { NAMESERVER_METRICS, TABLE_METRICS } from './prometheus-others.ts';
import { type Line, type Metric, PROCESS_METRICS } from './prometheus-process.ts';
import { serverStatus } from './status.ts';
import { B, F, L, S, Subject, type View } from './view.ts';

const PREFIXES: readonly (readonly [scope: number, letter: string, prefix: string])[] = [
  [F, 'F', 'frontend'],
  [L, 'L', 'listener'],
  [B, 'B', 'backend'],
  [S, 'S', 'server'],
];

const BY_NAME = new Map(COLUMNS.map(column => [column.name, column]));

/**
 * How a column becomes lines. `number`: as it is, NaN where it has none. `http`: left out of proxies in TCP mode. `ms`:
 * milliseconds as seconds; `someMs`: the same, left out where it has none.
 */
type As = 'number' | 'http' | 'ms' | 'someMs';

const LINES: Readonly<Record<As, (read: Column['value']) => Metric['lines']>> = {
  number: read => (view, s, line) => line('', '', read(view, s)),
  http: read => (view, s, line) => {
    if (s.proxy.mode === 'http') line('', '', read(view, s));
  },
  ms: read => (view, s, line) => line('', '', seconds(read(view, s))),
  someMs: read => (view, s, line) => {
    const value = read(view, s);
    if (value !== null) line('', '', seconds(value));
  },
};

function seconds(ms: Value): Value {
  return typeof ms === 'number' ? ms / 1000 : ms;
}

// --- metrics with a label of their own ---

/** One line for each possible state: 1 for the one that holds. */
function oneOf(label: string, states: readonly string[], now: (view: View, s: Subject) => string | null) {
  return (view: View, s: Subject, line: Line) => {
    const current = now(view, s);
    if (current === null) return;
    for (const state of states) line('', `${label}="${state}"`, current === state ? 1 : 0);
  };
}

const SERVER_STATES = ['DOWN', 'UP', 'MAINT', 'DRAIN', 'NOLB'];
const CHECK_STATES = CHECK_STATUSES.slice(HANA).flatMap(({ name }) => (name === '' ? [] : [name]));
const CODES = ['1xx', '2xx', '3xx', '4xx', '5xx', 'other'];

/** The state without what the page adds to it: `UP 1/3`, `DOWN (agent)`. */
function serverState(view: View, s: Subject): string {
  const [state] = serverStatus(view, s).text.split(' ');
  return state === 'no' ? 'UP' : state!;
}

function textOf(name: string): (view: View, s: Subject) => string | null {
  const { value } = BY_NAME.get(name)!;
  return (view, s) => {
    const text = value(view, s);
    return text === null ? null : String(text).replace(/^\* /, '');
  };
}

const httpResponses: Metric['lines'] = (view, s, line) => {
  if (s.proxy.mode !== 'http') return;
  for (const code of CODES) line('', `code="${code}"`, BY_NAME.get(`hrsp_${code}`)!.value(view, s));
};

/** The code of the last check, 0 when that had none; no line for a server without checks. */
function codeOf(kind: 'check' | 'agent'): Metric['lines'] {
  const code = BY_NAME.get(`${kind}_code`)!.value;
  const status = BY_NAME.get(`${kind}_status`)!.value;
  return (view, s, line) => {
    if (status(view, s) !== null) line('', '', code(view, s) ?? 0);
  };
}

/** How many servers of a backend are in each state. */
function aggregate(states: readonly string[], stateOf: (view: View, s: Subject) => string | null): Metric['lines'] {
  return (view, s, line) => {
    const counts = new Map(states.map(state => [state, 0]));
    const server = new Subject(s.now, false);
    for (const { index, removed } of s.proxy.servers) {
      const state = removed ? null : stateOf(view, view.server(server, s.proxy, index));
      if (state !== null && counts.has(state)) counts.set(state, counts.get(state)! + 1);
    }
    for (const [state, n] of counts) line('', `state="${state}"`, n);
  };
}

const SERVER_STATUS = oneOf('state', SERVER_STATES, serverState);
const CHECKED = oneOf('state', CHECK_STATES, textOf('check_status'));
const AGENT = oneOf('state', CHECK_STATES, textOf('agent_status'));
const AGGREGATED = aggregate(SERVER_STATES, serverState);
const AGGREGATED_CHECKS = aggregate(CHECK_STATES, textOf('check_status'));

function statusOf(up: string, states: readonly string[]): Metric['lines'] {
  const status = textOf('status');
  return oneOf('state', states, (view, s) => (status(view, s) === up ? 'UP' : 'DOWN'));
}

// --- the table ---

type Row = readonly [name: string, type: 'gauge' | 'counter', scopes: string, of: string | Metric['lines'], as?: As];

/** HAProxy's metrics of frontends (F), listeners (L), backends (B) and servers (S), each over a column or lines of its own. */
const ROWS: readonly Row[] = [
  ['current_queue', 'gauge', 'BS', 'qcur'],
  ['max_queue', 'gauge', 'BS', 'qmax'],
  ['current_sessions', 'gauge', 'FLBS', 'scur'],
  ['max_sessions', 'gauge', 'FLBS', 'smax'],
  ['limit_sessions', 'gauge', 'FLBS', 'slim'],
  ['sessions_total', 'counter', 'FLBS', 'stot'],
  ['bytes_in_total', 'counter', 'FLBS', 'bin'],
  ['bytes_out_total', 'counter', 'FLBS', 'bout'],
  ['requests_denied_total', 'counter', 'FLB', 'dreq'],
  ['responses_denied_total', 'counter', 'FLBS', 'dresp'],
  ['request_errors_total', 'counter', 'FL', 'ereq'],
  ['connection_errors_total', 'counter', 'BS', 'econ'],
  ['response_errors_total', 'counter', 'BS', 'eresp'],
  ['retry_warnings_total', 'counter', 'BS', 'wretr'],
  ['redispatch_warnings_total', 'counter', 'BS', 'wredis'],
  ['status', 'gauge', 'F', statusOf('OPEN', ['DOWN', 'UP'])],
  ['status', 'gauge', 'L', oneOf('state', ['WAITING', 'OPEN', 'FULL'], textOf('status'))],
  ['status', 'gauge', 'B', statusOf('UP', ['DOWN', 'UP'])],
  ['status', 'gauge', 'S', SERVER_STATUS],
  ['weight', 'gauge', 'BS', 'weight'],
  ['active_servers', 'gauge', 'B', 'act'],
  ['active', 'gauge', 'S', 'act'],
  ['backup_servers', 'gauge', 'B', 'bck'],
  ['backup', 'gauge', 'S', 'bck'],
  ['check_failures_total', 'counter', 'S', 'chkfail'],
  ['check_up_down_total', 'counter', 'BS', 'chkdown'],
  ['check_last_change_seconds', 'gauge', 'BS', 'lastchg'],
  ['downtime_seconds_total', 'counter', 'BS', 'downtime'],
  ['queue_limit', 'gauge', 'S', 'qlimit'],
  ['current_throttle', 'gauge', 'S', 'throttle'],
  ['loadbalanced_total', 'counter', 'BS', 'lbtot'],
  ['limit_session_rate', 'gauge', 'F', 'rate_lim'],
  ['max_session_rate', 'gauge', 'FBS', 'rate_max'],
  ['check_status', 'gauge', 'S', CHECKED],
  ['check_code', 'gauge', 'S', codeOf('check')],
  ['check_duration_seconds', 'gauge', 'S', 'check_duration', 'someMs'],
  ['http_responses_total', 'counter', 'FBS', httpResponses],
  ['http_requests_rate_max', 'gauge', 'F', 'req_rate_max', 'http'],
  ['http_requests_total', 'counter', 'FB', 'req_tot', 'http'],
  ['client_aborts_total', 'counter', 'BS', 'cli_abrt'],
  ['server_aborts_total', 'counter', 'BS', 'srv_abrt'],
  ['http_comp_bytes_in_total', 'counter', 'FB', 'comp_in', 'http'],
  ['http_comp_bytes_out_total', 'counter', 'FB', 'comp_out', 'http'],
  ['http_comp_bytes_bypassed_total', 'counter', 'FB', 'comp_byp', 'http'],
  ['http_comp_responses_total', 'counter', 'FB', 'comp_rsp', 'http'],
  ['last_session_seconds', 'gauge', 'BS', 'lastsess'],
  ['queue_time_average_seconds', 'gauge', 'BS', 'qtime', 'ms'],
  ['connect_time_average_seconds', 'gauge', 'BS', 'ctime', 'ms'],
  ['response_time_average_seconds', 'gauge', 'BS', 'rtime', 'ms'],
  ['total_time_average_seconds', 'gauge', 'BS', 'ttime', 'ms'],
  ['agent_status', 'gauge', 'S', AGENT],
  ['agent_code', 'gauge', 'S', codeOf('agent')],
  ['agent_duration_seconds', 'gauge', 'S', 'agent_duration', 'someMs'],
  ['connections_rate_max', 'gauge', 'F', 'conn_rate_max'],
  ['connections_total', 'counter', 'F', 'conn_tot'],
  ['intercepted_requests_total', 'counter', 'F', 'intercepted', 'http'],
  ['denied_connections_total', 'counter', 'FL', 'dcon'],
  ['denied_sessions_total', 'counter', 'FL', 'dses'],
  ['failed_header_rewriting_total', 'counter', 'FLBS', 'wrew'],
  ['connection_attempts_total', 'counter', 'BS', 'connect'],
  ['connection_reuses_total', 'counter', 'BS', 'reuse'],
  ['http_cache_lookups_total', 'counter', 'FB', 'cache_lookups', 'http'],
  ['http_cache_hits_total', 'counter', 'FB', 'cache_hits', 'http'],
  ['http_cache_hint_hits_total', 'counter', 'FB', 'cache_hint_hits', 'http'],
  ['idle_connections_current', 'gauge', 'S', 'srv_icur'],
  ['idle_connections_limit', 'gauge', 'S', 'src_ilim'],
  ['max_queue_time_seconds', 'gauge', 'BS', 'qtime_max', 'ms'],
  ['max_connect_time_seconds', 'gauge', 'BS', 'ctime_max', 'ms'],
  ['max_response_time_seconds', 'gauge', 'BS', 'rtime_max', 'ms'],
  ['max_total_time_seconds', 'gauge', 'BS', 'ttime_max', 'ms'],
  ['internal_errors_total', 'counter', 'FLBS', 'eint'],
  ['unsafe_idle_connections_current', 'gauge', 'S', 'idle_conn_cur'],
  ['safe_idle_connections_current', 'gauge', 'S', 'safe_conn_cur'],
  ['used_connections_current', 'gauge', 'S', 'used_conn_cur'],
  ['need_connections_current', 'gauge', 'S', 'need_conn_est'],
  ['uweight', 'gauge', 'BS', 'uweight'],
  ['agg_server_status', 'gauge', 'B', AGGREGATED],
  ['agg_server_check_status', 'gauge', 'B', AGGREGATED],
  ['agg_check_status', 'gauge', 'B', AGGREGATED_CHECKS],
];

const OWN_HELP: Readonly<Record<string, string>> = {
  status: '1 for the state that holds',
  check_status: '1 for the result of the last check',
  check_code: 'Layer 5-7 status code of the last check, 0 = none',
  agent_code: 'Code of the last agent check, 0 = none',
  agent_status: '1 for the result of the last agent check',
  http_responses_total: 'Responses by status',
  agg_server_status: 'Servers in each state',
  agg_server_check_status: 'Servers in each state, under its old name',
  agg_check_status: 'Servers by the result of their last check',
};

function ofRow([name, type, , of, as = 'number']: Row, scope: number, prefix: string): Metric {
  const column = typeof of === 'string' ? BY_NAME.get(of)! : null;
  return {
    ...{ name: `haproxy_${prefix}_${name}`, type, scope, extra: false },
    // What was milliseconds in the column is seconds here.
    help: (column?.title ?? OWN_HELP[name]!).replace(/, ms$|^Milliseconds /, ''),
    lines: typeof of === 'string' ? LINES[as](column!.value) : of,
  };
}

/** The columns of a protocol module; their nature says which are counters. */
function ofModules(scope: number, prefix: string): Metric[] {
  const columns = MODULE_COLUMNS.filter(c => c.scope & scope && /^(ssl|h1|h2)_/.test(c.name));
  return columns.map(({ name, tags, title, value }) => ({
    ...{ name: `haproxy_${prefix}_${name}`, help: title, scope, extra: true },
    type: tags[1] === 'C' ? 'counter' : 'gauge',
    lines: (view, s, line) => line('', `mod="${name.slice(0, name.indexOf('_'))}"`, value(view, s)),
  }));
}

// --- histograms ---

/** Upper bounds of the buckets, seconds. The counts behind them are exact to the histogram's resolution. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const TIMER_WORDS = ['queue', 'connect', 'response', 'total'] as const;

function histogram(timer: number): Metric['lines'] {
  return (view, s, line) => {
    const times = view.times(s, timer, 'all');
    // A server without traffic yet would only be long.
    if (times.total === 0 && s.server !== null) return;
    let index = 0;
    let seen = 0;
    for (const bound of BOUNDS) {
      for (const last = indexOf(bound * 1e6, times.halfBits); index <= last; index++) seen += times.counts[index]!;
      line('_bucket', `le="${bound}"`, seen);
    }
    line('_bucket', 'le="+Inf"', times.total);
    line('_sum', '', times.sum / 1e6);
    line('_count', '', times.total);
  };
}

function histograms(scope: number, prefix: string): Metric[] {
  return TIMERS.map((_, timer) => ({
    ...{ name: `sluice_${prefix}_${TIMER_WORDS[timer]}_time_seconds`, type: 'histogram', scope, extra: false },
    help: `Times of streams: ${TIMER_WORDS[timer]}`,
    lines: histogram(timer),
  }));
}

/** All metrics, in the order of a scrape: the process, then each kind of thing, then what stands beside the proxies. */
export const METRICS: readonly Metric[] = [
  ...PROCESS_METRICS,
  ...PREFIXES.flatMap(([scope, letter, prefix]) => [
    ...ROWS.filter(([, , scopes]) => scopes.includes(letter)).map(row => ofRow(row, scope, prefix)),
    ...(scope === L ? [] : histograms(scope, prefix)),
    ...ofModules(scope, prefix),
  ]),
  ...TABLE_METRICS,
  ...NAMESERVER_METRICS,
];
