/**
 * The counters of one frontend, backend, listener, server or of the whole process, in one worker. The worker is the only
 * writer of its row, so a hot increment is a plain `counters[row + BYTES_IN] += n`; readers sum the rows of all workers.
 *
 * A counter is a double (exact to 2^53) and not a pair of words: an aligned 8-byte load or store is one instruction on
 * x86-64 and arm64, the platforms we run on, so a reader never sees half of one; test/shm/counters.test.ts hammers that.
 *
 * The same struct serves all five kinds; a kind leaves what it has no use for at zero.
 */
import { layout } from './layout.ts';

/** A sliding one-second rate: see rate.ts. */
const RATE = 5;

export const COUNTERS = layout('counters', 8, [
  // gauges: what this worker holds now. Given back by the master if the worker dies.
  ['cur_sess', 1, 'worker', 'sessions (frontend, listener: connections) open now'],
  ['cur_paused', 1, 'worker', 'listeners that stopped accepting for want of a place (process row)'],
  ['cur_queued', 1, 'worker', 'requests waiting now in the queue of this server or backend'],
  [
    'queue_head',
    1,
    'worker',
    'place of the first stream of this worker in this queue (waiting-line.ts); 0 = none waits',
  ],
  ['cur_idle', 1, 'worker', 'idle server connections pooled now, usable by anyone (safe)'],
  ['cur_idle_private', 1, 'worker', 'idle server connections bound to one client session'],
  ['cur_used', 1, 'worker', 'server connections in use now'],
  ['cur_conns', 1, 'worker', 'server connections that strict-maxconn counts now'],
  ['cur_room', 1, 'worker', 'streams that wait for a connection of the server to end (strict-maxconn)'],
  ['cur_h1_conns', 1, 'worker', 'HTTP/1 connections open now'],
  ['cur_h1_streams', 1, 'worker', 'HTTP/1 streams open now'],
  ['cur_comp_bytes', 1, 'worker', 'native memory of compressors (process row)'],
  ['cur_tls', 1, 'worker', 'TLS connections open now, to clients and to servers (process)'],
  // totals
  ['cum_conn', 1, 'worker', 'connections accepted'],
  ['cum_sess', 1, 'worker', 'sessions (frontend, listener) or streams (backend, server) taken'],
  ['cum_req', 1, 'worker', 'HTTP requests'],
  ['cum_lb', 1, 'worker', 'times the load-balancing algorithm chose this one'],
  ['bytes_in', 1, 'worker', 'bytes from clients'],
  ['bytes_out', 1, 'worker', 'bytes to clients'],
  ['denied_req', 1, 'worker', 'requests denied by a rule'],
  ['denied_resp', 1, 'worker', 'responses denied by a rule'],
  ['denied_conn', 1, 'worker', 'connections denied by tcp-request connection'],
  ['denied_sess', 1, 'worker', 'sessions denied by tcp-request session'],
  ['failed_req', 1, 'worker', 'requests with a client-side error'],
  ['failed_conn', 1, 'worker', 'failed connections to servers'],
  ['failed_resp', 1, 'worker', 'invalid or failed responses'],
  ['retries', 1, 'worker', 'connection attempts repeated'],
  ['redispatches', 1, 'worker', 'requests moved to another server'],
  ['failed_rewrites', 1, 'worker', 'header rewrites that failed'],
  ['internal_errors', 1, 'worker', 'internal errors'],
  ['cli_aborts', 1, 'worker', 'transfers aborted by the client'],
  ['srv_aborts', 1, 'worker', 'transfers aborted by the server'],
  ['intercepted', 1, 'worker', 'requests answered by Sluice itself (statistics, monitor, redirects)'],
  ['connect', 1, 'worker', 'connection establishment attempts'],
  ['reuse', 1, 'worker', 'requests sent over a connection that already existed'],
  ['hrsp_1xx', 1, 'worker', 'responses with status 100-199'],
  ['hrsp_2xx', 1, 'worker', 'responses with status 200-299'],
  ['hrsp_3xx', 1, 'worker', 'responses with status 300-399'],
  ['hrsp_4xx', 1, 'worker', 'responses with status 400-499'],
  ['hrsp_5xx', 1, 'worker', 'responses with status 500-599'],
  ['hrsp_other', 1, 'worker', 'responses with another status, or none'],
  ['comp_in', 1, 'worker', 'bytes given to the compressor'],
  ['comp_out', 1, 'worker', 'bytes the compressor produced'],
  ['comp_byp', 1, 'worker', 'bytes that bypassed the compressor'],
  ['comp_rsp', 1, 'worker', 'responses compressed'],
  ['h1_bytes_in', 1, 'worker', 'bytes received on HTTP/1 connections'],
  ['h1_bytes_out', 1, 'worker', 'bytes sent on HTTP/1 connections'],
  ['h1_conns', 1, 'worker', 'HTTP/1 connections ever'],
  ['h1_streams', 1, 'worker', 'HTTP/1 streams ever'],
  ['cum_tls', 1, 'worker', 'TLS connections ever (process)'],
  ['tls_sess', 1, 'worker', 'TLS handshakes completed'],
  ['tls_reused', 1, 'worker', 'of them: sessions resumed'],
  ['tls_failed', 1, 'worker', 'TLS handshakes that failed'],
  ['tls_lookups', 1, 'worker', 'sessions of TLS clients without tickets that were looked for (process)'],
  ['tls_misses', 1, 'worker', 'of them: those not found (process)'],
  // averages over the last 512 streams, and maxima since start; milliseconds
  ['q_time', 1, 'worker', 'queue time, sum over the sliding window'],
  ['c_time', 1, 'worker', 'connect time, sum over the sliding window'],
  ['d_time', 1, 'worker', 'response time, sum over the sliding window'],
  ['t_time', 1, 'worker', 'total session time, sum over the sliding window'],
  ['q_time_max', 1, 'worker', 'longest queue time'],
  ['c_time_max', 1, 'worker', 'longest connect time'],
  ['d_time_max', 1, 'worker', 'longest response time'],
  ['t_time_max', 1, 'worker', 'longest total time'],
  ['last_sess', 1, 'worker', 'second of the shared clock of the last session; 0 = never'],
  // rates
  ['conn_rate', RATE, 'worker', 'connections per second'],
  ['sess_rate', RATE, 'worker', 'sessions per second'],
  ['req_rate', RATE, 'worker', 'HTTP requests per second'],
  ['bytes_out_rate', RATE, 'worker', 'bytes per second to clients (process row)'],
  ['comp_in_rate', RATE, 'worker', 'bytes per second given to compressors (process row)'],
  ['comp_out_rate', RATE, 'worker', 'bytes per second that compressors produced (process row)'],
  ['tls_rate', RATE, 'worker', 'TLS handshakes of clients per second (process)'],
  ['tls_key_rate', RATE, 'worker', 'of them: full ones, not resumed (process)'],
  ['tls_server_key_rate', RATE, 'worker', 'full TLS handshakes with servers per second (process)'],
]);

/** What a name server of a `resolvers` section did, in the order of `show resolvers`; the control thread counts. */
export const NAMESERVER = layout('nameserver', 8, [
  ['sent', 1, 'control', 'queries sent'],
  ['snd_error', 1, 'control', 'queries that could not be sent'],
  ['valid', 1, 'control', 'valid answers'],
  ['update', 1, 'control', 'answers that changed what was known'],
  ['cname', 1, 'control', 'answers by way of an alias'],
  ['cname_error', 1, 'control', 'answers with an alias that leads nowhere'],
  ['any_err', 1, 'control', 'answers without a record'],
  ['nx', 1, 'control', 'answers that there is no such name'],
  ['timeout', 1, 'control', 'queries without an answer in time'],
  ['refused', 1, 'control', 'answers that refuse'],
  ['other', 1, 'control', 'answers with another error'],
  ['invalid', 1, 'control', 'answers that cannot be read'],
  ['too_big', 1, 'control', 'answers that are too long'],
  ['truncated', 1, 'control', 'answers that were cut'],
  ['outdated', 1, 'control', 'answers that nobody waits for'],
]);

export type CounterName = keyof typeof COUNTERS.at;

const at = COUNTERS.at;
export const CUR_SESS = at.cur_sess;
export const CUR_PAUSED = at.cur_paused;
export const CUR_QUEUED = at.cur_queued;
export const QUEUE_HEAD = at.queue_head;
export const CUR_IDLE = at.cur_idle;
export const CUR_IDLE_PRIVATE = at.cur_idle_private;
export const CUR_USED = at.cur_used;
export const CUR_CONNS = at.cur_conns;
export const CUR_ROOM = at.cur_room;
export const CUR_H1_CONNS = at.cur_h1_conns;
export const CUR_H1_STREAMS = at.cur_h1_streams;
export const CUR_COMP_BYTES = at.cur_comp_bytes;
export const CUM_CONN = at.cum_conn;
export const CUM_SESS = at.cum_sess;
export const CUM_REQ = at.cum_req;
export const CUM_LB = at.cum_lb;
export const BYTES_IN = at.bytes_in;
export const BYTES_OUT = at.bytes_out;
export const DENIED_REQ = at.denied_req;
export const DENIED_RESP = at.denied_resp;
export const DENIED_CONN = at.denied_conn;
export const DENIED_SESS = at.denied_sess;
export const FAILED_REQ = at.failed_req;
export const FAILED_CONN = at.failed_conn;
export const FAILED_RESP = at.failed_resp;
export const RETRIES = at.retries;
export const REDISPATCHES = at.redispatches;
export const FAILED_REWRITES = at.failed_rewrites;
export const INTERNAL_ERRORS = at.internal_errors;
export const CLI_ABORTS = at.cli_aborts;
export const SRV_ABORTS = at.srv_aborts;
export const INTERCEPTED = at.intercepted;
export const CONNECT = at.connect;
export const REUSE = at.reuse;
/** Add `Math.floor(status / 100) - 1` (0..4) to reach 1xx..5xx; HRSP_OTHER for the rest. */
export const HRSP_1XX = at.hrsp_1xx;
export const HRSP_OTHER = at.hrsp_other;
export const COMP_IN = at.comp_in;
export const COMP_OUT = at.comp_out;
export const COMP_BYP = at.comp_byp;
export const COMP_RSP = at.comp_rsp;
export const H1_BYTES_IN = at.h1_bytes_in;
export const H1_BYTES_OUT = at.h1_bytes_out;
export const H1_CONNS = at.h1_conns;
export const H1_STREAMS = at.h1_streams;
export const Q_TIME = at.q_time;
export const C_TIME = at.c_time;
export const D_TIME = at.d_time;
export const T_TIME = at.t_time;
export const Q_TIME_MAX = at.q_time_max;
export const C_TIME_MAX = at.c_time_max;
export const D_TIME_MAX = at.d_time_max;
export const T_TIME_MAX = at.t_time_max;
export const LAST_SESS = at.last_sess;
export const CONN_RATE = at.conn_rate;
export const SESS_RATE = at.sess_rate;
export const REQ_RATE = at.req_rate;
export const BYTES_OUT_RATE = at.bytes_out_rate;
export const COMP_IN_RATE = at.comp_in_rate;
export const COMP_OUT_RATE = at.comp_out_rate;
export const CUR_TLS = at.cur_tls;
export const CUM_TLS = at.cum_tls;
export const TLS_SESS = at.tls_sess;
export const TLS_REUSED = at.tls_reused;
export const TLS_FAILED = at.tls_failed;
export const TLS_LOOKUPS = at.tls_lookups;
export const TLS_MISSES = at.tls_misses;
export const TLS_RATE = at.tls_rate;
export const TLS_KEY_RATE = at.tls_key_rate;
export const TLS_SERVER_KEY_RATE = at.tls_server_key_rate;
