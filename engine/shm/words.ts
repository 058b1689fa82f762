/**
 * The shared 32-bit words: what several threads read and write at once, always through Atomics. One struct for the
 * process, one per proxy, listener and server, one per worker.
 */
import { layout } from './layout.ts';

export const PROCESS = layout('process', 4, [
  ['conns', 1, 'any', 'client connections open now, all frontends (global maxconn)'],
  ['conns_max', 1, 'any', 'most of them so far'],
  ['maxconn', 1, 'any', 'the limit in force; 0 = none'],
  ['maxconnrate', 1, 'any', 'limit of connections per second; 0 = none'],
  ['maxsessrate', 1, 'any', 'limit of sessions per second; 0 = none'],
  ['tls_conns', 1, 'any', 'TLS connections open now, to clients and to servers'],
  ['tls_conns_max', 1, 'any', 'most of them so far'],
  ['maxsslconn', 1, 'any', 'their limit in force; 0 = none'],
  ['maxsslrate', 1, 'any', 'limit of TLS handshakes of clients per second; 0 = none'],
  ['maxcomprate', 1, 'any', 'limit of bytes per second given to compressors; 0 = none'],
  ['waiting', 1, 'any', 'workers that stopped accepting because of the global limit'],
  ['stopping', 1, 'master', '1 = soft stop: accept nothing more, finish what is there'],
  ['start_second', 1, 'master', 'second of the shared clock at which the process started'],
  ['dropped_logs', 1, 'any', 'log lines that their target did not take'],
  ['received_logs', 1, 'control', 'log lines that log-forward sections took in'],
  ['stream_numbers', 1, 'any', 'numbers given to streams (log variable %rt)'],
  ['tainted', 1, 'control', 'TAINTED_*: commands of which modes were used'],
  ['anon_key', 1, 'control', '`anonkey`: what `set anon` begins with, an unsigned number; 0 = none'],
  ['debug_commands', 1, 'control', '`debug dev` commands used'],
  ['log_sockets', 3, 'control', 'datagram sockets of the control thread: as in worker'],
  ['control_doorbell', 1, 'any', '1 = someone rang at the control thread (doorbell.ts)'],
  ['log_doorbell', 1, 'any', '1 = lines for rings have come (log/rings.ts)'],
]);

export const PROXY = layout('proxy', 4, [
  ['fe_conns', 1, 'any', 'client connections of the frontend now'],
  ['fe_conns_max', 1, 'any', 'most of them so far'],
  ['fe_maxconn', 1, 'any', 'its limit in force; 0 = none'],
  ['fe_waiting', 1, 'any', 'workers that stopped accepting for this frontend because of a limit'],
  ['fe_rate_limit', 1, 'any', 'rate-limit sessions in force; 0 = none'],
  ['fe_stopped', 1, 'any', 'whether its listeners accept: FE_*'],
  ['fe_log_lines', 1, 'any', 'lines logged (log variable %lc)'],
  ['be_unpublished', 1, 'any', '1 = the switching rules of other proxies do not see it'],
  ['be_sess', 1, 'any', 'streams in the backend now'],
  ['be_sess_max', 1, 'any', 'most of them so far'],
  ['be_served', 1, 'any', 'streams on the servers of the backend now'],
  ['be_queued', 1, 'any', 'streams in the queue of the backend now, not counting those of its servers'],
  ['be_queued_max', 1, 'any', 'most of them so far'],
  ['be_dequeued', 1, 'any', 'streams that got a place out of the queue of the backend so far, modulo 2^32'],
  ['be_total_queued', 1, 'any', 'streams in the queues of the backend and of its servers'],
  ['turn', 1, 'any', 'round robin: turns taken'],
  [
    'generation',
    1,
    'control',
    'changes when a server of the backend changes state or weight: schedules are made again',
  ],
  ['act', 1, 'any', 'active servers usable now'],
  ['bck', 1, 'any', 'backup servers usable now'],
  ['last_change', 1, 'any', 'second of the shared clock at which the backend last went up or down'],
  ['down_time', 1, 'any', 'seconds the backend was down, not counting now'],
  ['down_trans', 1, 'any', 'times the backend went down'],
]);

export const LISTENER = layout('listener', 4, [
  ['conns', 1, 'any', 'connections of the listener now'],
  ['conns_max', 1, 'any', 'most of them so far'],
  ['maxconn', 1, 'any', 'its limit in force; 0 = none'],
]);

export const SERVER = layout('server', 4, [
  ['served', 1, 'any', 'streams on the server now, from connect to end'],
  ['served_max', 1, 'any', 'most of them so far'],
  ['maxconn', 1, 'any', 'its limit in force; 0 = none'],
  ['conns', 1, 'any', 'connections to it now, idle ones too, where strict-maxconn counts them'],
  ['queued', 1, 'any', 'streams waiting for this very server now'],
  ['queued_max', 1, 'any', 'most of them so far'],
  ['dequeued', 1, 'any', 'streams that got a place out of its queue so far, modulo 2^32'],
  ['oper', 1, 'any', 'operational state: OPER_*'],
  ['admin', 1, 'any', 'administrative flags: ADMIN_*'],
  ['uweight', 1, 'any', 'weight as the operator set it (0..256)'],
  ['iweight', 1, 'master', 'weight as configured'],
  ['eweight', 1, 'any', 'weight that balancing uses now: 0 when the server is not usable'],
  ['last_change', 1, 'any', 'second of the shared clock of the last state change'],
  ['down_time', 1, 'any', 'seconds down, not counting now'],
  ['down_trans', 1, 'any', 'times it went from UP to DOWN'],
  ['check_on', 1, 'control', 'CHECK_* bits: configured, enabled, in progress'],
  ['check_status', 1, 'control', 'CHECK_STATUSES index of the last check'],
  ['check_code', 1, 'control', 'layer 5-7 status code of the last check; -1 = none'],
  ['check_duration', 1, 'control', 'milliseconds of the last check; -1 = none'],
  ['check_health', 1, 'any', 'position on the scale of rise + fall - 1'],
  ['check_rise', 1, 'control', 'successes that bring the server up'],
  ['check_fall', 1, 'control', 'failures that take the server down'],
  ['check_fails', 1, 'control', 'failed checks (counted while the server is up)'],
  ['check_seq', 1, 'control', 'odd while the description below is being written'],
  ['check_text_len', 1, 'control', 'bytes of the description'],
  ['check_text', 32, 'control', 'last check: its description, UTF-8, 128 bytes at most'],
  ['agent_on', 1, 'control', 'CHECK_* bits of the agent check'],
  ['agent_status', 1, 'control', 'CHECK_STATUSES index of the last agent check'],
  ['agent_code', 1, 'control', 'its status code; -1 = none'],
  ['agent_duration', 1, 'control', 'its milliseconds; -1 = none'],
  ['agent_health', 1, 'any', 'position on its scale of rise + fall - 1'],
  ['agent_rise', 1, 'control', 'answers that bring the server up'],
  ['agent_fall', 1, 'control', 'answers that take the server down'],
  ['agent_seq', 1, 'control', 'odd while its description is being written'],
  ['agent_text_len', 1, 'control', 'bytes of its description'],
  ['agent_text', 32, 'control', 'its description, UTF-8, 128 bytes at most'],
  ['errors', 1, 'any', 'observe: errors in a row'],
  ['error_runs', 1, 'any', 'observe: runs of too many errors that nobody has looked at yet'],
  ['error_kind', 1, 'any', 'observe: the last one, OBSERVED index'],
  ['observed_fails', 1, 'control', 'observe: times that the errors were too many'],
  ['ramp', 1, 'any', 'slowstart: sixteenths of the weight in force, 1..15; 0 = all of it'],
  ['downs', 1, 'any', 'times it went down while on-marked-down shuts sessions'],
  ['ups', 1, 'any', 'times it came up while on-marked-up shuts the sessions of backups'],
  ['chosen', 1, 'any', 'leastconn: the turn at which the server was last chosen'],
  ['addr', 8, 'control', 'its address, where it is not the configured one: server-address.ts'],
  ['check_addr', 8, 'control', 'where it is checked, the same way'],
  ['agent_addr', 8, 'control', 'where its agent is, the same way'],
  ['plain', 1, 'any', '1 = spoken to without TLS, though its line has settings'],
  ['kills', 1, 'any', 'how often its streams were to end at once: a worker that sees another number ends them'],
]);

/** Parts of a weight in which `ramp` counts. */
export const RAMP_FULL = 16;

/** Bytes of a check description: 32 words. */
export const CHECK_TEXT_BYTES = 128;

export const WORKER = layout('worker', 4, [
  ['doorbell', 1, 'any', '1 = someone rang: look at the limits and queues again (doorbell.ts)'],
  ['alive', 1, 'master', '1 = a thread serves this row'],
  ['incarnation', 1, 'master', 'how many threads have had this row'],
  ['busy_permille', 1, 'worker', 'share of the last second spent working'],
  ['streams', 1, 'worker', 'streams open now'],
  [
    'log_sockets',
    3,
    'worker',
    'its datagram sockets, IPv4, IPv6, unix: descriptor + 1; a thread that takes its place goes on with them',
  ],
]);

/** `tainted`, HAProxy's bits: a command of this mode was used. */
export const TAINTED_EXPERT = 4;
export const TAINTED_EXPERIMENTAL = 8;

/** What a frontend's listeners do: accept, rest (`disable frontend`), or never again (`disabled`, `shutdown frontend`). */
export const FE_OPEN = 0;
export const FE_PAUSED = 1;
export const FE_STOPPED = 2;

/** Operational states, HAProxy's order. */
export const OPER_STOPPED = 0;
export const OPER_STARTING = 1;
export const OPER_RUNNING = 2;
export const OPER_STOPPING = 3;

/**
 * Administrative flags, HAProxy's bits. Any flag of ADMIN_MAINT takes the server out; any DRAIN flag keeps only persistent
 * traffic. CONFIG_MAINT only remembers that the configuration said `disabled`: FORCED_MAINT is what takes it out then.
 */
export const ADMIN_FORCED_MAINT = 1;
export const ADMIN_INHERITED_MAINT = 2;
export const ADMIN_CONFIG_MAINT = 4;
export const ADMIN_FORCED_DRAIN = 8;
export const ADMIN_INHERITED_DRAIN = 16;
export const ADMIN_RESOLUTION_MAINT = 32;
/** The name was set by the runtime API, or by SRV records. */
export const ADMIN_NAMED = 64;
export const ADMIN_MAINT = ADMIN_FORCED_MAINT | ADMIN_INHERITED_MAINT | ADMIN_RESOLUTION_MAINT;
export const ADMIN_DRAIN = ADMIN_FORCED_DRAIN | ADMIN_INHERITED_DRAIN;

export const CHECK_CONFIGURED = 1;
export const CHECK_ENABLED = 2;
export const CHECK_RUNNING = 4;

/** Words that say how much of something is there now: they are a generation's own, and readers add them. */
const GAUGES: Readonly<Record<'process' | 'proxy' | 'listener' | 'server', readonly number[]>> = {
  process: [PROCESS.at.conns],
  proxy: [PROXY.at.fe_conns, PROXY.at.be_sess, PROXY.at.be_served, PROXY.at.be_queued, PROXY.at.be_total_queued],
  listener: [LISTENER.at.conns],
  server: [SERVER.at.served, SERVER.at.conns, SERVER.at.queued],
};

export function isGauge(kind: 'process' | 'frontend' | 'backend' | 'listener' | 'server', field: number): boolean {
  return GAUGES[kind === 'frontend' || kind === 'backend' ? 'proxy' : kind].includes(field);
}
