/** What a metric of the Prometheus exporter is, and those of the process: HAProxy's names over the rows of `show info`. */
import type { Value } from './fields.ts';
import { INFO } from './info.ts';
import { G } from './prometheus-filter.ts';
import type { Subject, View } from './view.ts';

/** Takes one line of a metric: what follows its name, further labels (`code="2xx"`; '' = none), and the value. */
export type Line = (suffix: string, label: string, value: Value) => void;

export interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  /** F, B, S, L, or one of those of prometheus-filter.ts. */
  readonly scope: number;
  /** A column of a protocol module. */
  readonly extra: boolean;
  /** Says its lines for one subject; none when the metric means nothing there. */
  readonly lines: (view: View, s: Subject, line: Line) => void;
}

type ProcessRow = readonly [name: string, type: 'gauge' | 'counter', info: string, label?: string];

/** HAProxy's metrics of the process, each over a row of `show info`. With a label, that has the value. */
const PROCESS_ROWS: readonly ProcessRow[] = [
  ['nbthread', 'gauge', 'Nbthread'],
  ['nbproc', 'gauge', 'Nbproc'],
  ['relative_process_id', 'gauge', 'Process_num'],
  ['uptime_seconds', 'gauge', 'Uptime_sec'],
  ['pool_failures_total', 'counter', 'PoolFailed'],
  ['max_fds', 'gauge', 'Ulimit-n'],
  ['max_sockets', 'gauge', 'Maxsock'],
  ['max_connections', 'gauge', 'Maxconn'],
  ['hard_max_connections', 'gauge', 'Hard_maxconn'],
  ['current_connections', 'gauge', 'CurrConns'],
  ['connections_total', 'counter', 'CumConns'],
  ['requests_total', 'counter', 'CumReq'],
  ['max_ssl_connections', 'gauge', 'MaxSslConns'],
  ['current_ssl_connections', 'gauge', 'CurrSslConns'],
  ['ssl_connections_total', 'counter', 'CumSslConns'],
  ['max_pipes', 'gauge', 'Maxpipes'],
  ['pipes_used_total', 'counter', 'PipesUsed'],
  ['pipes_free_total', 'counter', 'PipesFree'],
  ['current_connection_rate', 'gauge', 'ConnRate'],
  ['limit_connection_rate', 'gauge', 'ConnRateLimit'],
  ['max_connection_rate', 'gauge', 'MaxConnRate'],
  ['current_session_rate', 'gauge', 'SessRate'],
  ['limit_session_rate', 'gauge', 'SessRateLimit'],
  ['max_session_rate', 'gauge', 'MaxSessRate'],
  ['current_ssl_rate', 'gauge', 'SslRate'],
  ['limit_ssl_rate', 'gauge', 'SslRateLimit'],
  ['max_ssl_rate', 'gauge', 'MaxSslRate'],
  ['current_frontend_ssl_key_rate', 'gauge', 'SslFrontendKeyRate'],
  ['max_frontend_ssl_key_rate', 'gauge', 'SslFrontendMaxKeyRate'],
  ['frontend_ssl_reuse', 'gauge', 'SslFrontendSessionReuse_pct'],
  ['current_backend_ssl_key_rate', 'gauge', 'SslBackendKeyRate'],
  ['max_backend_ssl_key_rate', 'gauge', 'SslBackendMaxKeyRate'],
  ['ssl_cache_lookups_total', 'counter', 'SslCacheLookups'],
  ['ssl_cache_misses_total', 'counter', 'SslCacheMisses'],
  ['http_comp_bytes_in_total', 'counter', 'CompressBpsIn'],
  ['http_comp_bytes_out_total', 'counter', 'CompressBpsOut'],
  ['limit_http_comp', 'gauge', 'CompressBpsRateLim'],
  ['current_zlib_memory', 'gauge', 'ZlibMemUsage'],
  ['max_zlib_memory', 'gauge', 'MaxZlibMemUsage'],
  ['current_tasks', 'gauge', 'Tasks'],
  ['current_run_queue', 'gauge', 'Run_queue'],
  ['idle_time_percent', 'gauge', 'Idle_pct'],
  ['node', 'gauge', 'node', 'node'],
  ['description', 'gauge', 'description', 'desc'],
  ['stopping', 'gauge', 'Stopping'],
  ['jobs', 'gauge', 'Jobs'],
  ['unstoppable_jobs', 'gauge', 'Unstoppable Jobs'],
  ['listeners', 'gauge', 'Listeners'],
  ['active_peers', 'gauge', 'ActivePeers'],
  ['connected_peers', 'gauge', 'ConnectedPeers'],
  ['dropped_logs_total', 'counter', 'DroppedLogs'],
  ['busy_polling_enabled', 'gauge', 'BusyPolling'],
  ['failed_resolutions', 'counter', 'FailedResolutions'],
  ['bytes_out_total', 'counter', 'TotalBytesOut'],
  ['spliced_bytes_out_total', 'counter', 'TotalSplicedBytesOut'],
  ['bytes_out_rate', 'gauge', 'BytesOutRate'],
  ['recv_logs_total', 'counter', 'CumRecvLogs'],
  ['build_info', 'gauge', 'Version', 'version'],
  ['max_memory_bytes', 'gauge', 'Memmax_bytes'],
  ['pool_allocated_bytes', 'gauge', 'PoolAlloc_bytes'],
  ['pool_used_bytes', 'gauge', 'PoolUsed_bytes'],
  ['start_time_seconds', 'gauge', 'Start_time_sec'],
];

function ofProcess([name, type, info, label]: ProcessRow): Metric {
  const row = INFO.find(r => r.name === info)!;
  return {
    ...{ name: `haproxy_process_${name}`, type, help: row.title, scope: G, extra: false },
    lines(view, s, line) {
      const value = row.value(view, s) ?? '';
      if (label === undefined) line('', '', value);
      else if (value !== '') line('', `${label}="${escapeLabel(String(value))}"`, 1);
    },
  };
}

export const PROCESS_METRICS: readonly Metric[] = PROCESS_ROWS.map(ofProcess);

/** A label's value: backslashes, quotes and line ends are escaped. */
export function escapeLabel(text: string): string {
  return text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}
