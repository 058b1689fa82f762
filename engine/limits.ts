/**
 * Every bound of Sluice that no configuration keyword sets, in one place, with its unit in its name. Where a keyword
 * does set it (`tune.bufsize`, `maxconn`), the constant here is the keyword's default or ceiling.
 */

/** Pending output above which a sender must pause its source. Bytes per connection. */
export const HIGH_WATER_BYTES = 128 * 1024;
/** Pending output at or below which `onDrain` is called. Bytes per connection. */
export const LOW_WATER_BYTES = 32 * 1024;

/** Workers (threads) at most: rows in shared memory are sized by the number in use, bit masks by this. */
export const WORKERS_MAX = 64;
/** `shards`, listeners, servers and proxies are indexes into arrays of at most this many entries. */
export const PROXIES_MAX = 65_536;
export const SERVERS_MAX = 1_048_576;
/** Server weights, as HAProxy's. */
export const WEIGHT_MAX = 256;

/** `tune.bufsize` and `tune.maxrewrite` defaults: a message head may take bufsize - maxrewrite bytes. */
export const BUFSIZE_BYTES = 16_384;
export const MAXREWRITE_BYTES = 1_024;
/** `tune.http.maxhdr`: header lines in a message. */
export const HEADERS_MAX = 101;

/** Listening backlog when neither `backlog` nor `maxconn` says. */
export const BACKLOG_DEFAULT = 1_024;
/** Connections accepted in one turn of the loop by one listener (`tune.maxaccept`). */
export const ACCEPT_BURST = 64;

/** A configuration file may be this long, a line have this many words (HAProxy's MAX_LINE_ARGS). */
export const CONFIG_FILE_BYTES_MAX = 10 * 1024 * 1024;
export const LINE_WORDS_MAX = 64;
/** Nested `.if` blocks, and nested parentheses and negations in one condition. */
export const IF_NESTING_MAX = 100;
export const CONDITION_NESTING_MAX = 1_024;

/** A value that a converter makes may be this long: HAProxy's buffer size. Bytes. */
export const SAMPLE_BYTES_MAX = 16_384;

/** Stream objects kept for the next streams, per worker: the rest goes to the garbage collector. */
export const SPARE_STREAMS_MAX = 4_096;

/** Native memory of the compressors of all workers, where `maxzlibmem` does not say: a thousand or so. Bytes. */
export const COMPRESSION_BYTES_MAX = 256 * 1024 * 1024;
/** Idle compressors that a worker keeps for the next bodies, of each format. */
export const SPARE_ENCODERS_MAX = 16;

/** What all statistics pages and scrapes of a worker make together: some 20 lines of CSV. Bytes per millisecond. */
export const DUMP_BYTES_PER_MS = 8_192;

/** A timer's longest time that histograms tell apart. Microseconds. */
export const TIMER_US_MAX = 3_600_000_000;
/** All histograms together have two significant digits as long as they take no more address space than this, then one. */
export const HISTOGRAM_BYTES_FINE = 64 * 1024 * 1024;
/** The same, with those of spare places for backends. */
export const HISTOGRAM_BYTES_FINE_SPARE = 512 * 1024 * 1024;

/** Backends that `add backend` may add, where named `defaults` sections are for it: their places in shared memory are there from the start. */
export const ADDED_BACKENDS_MAX = 16;
/** Servers that `add server` may add to one backend: their places in shared memory are there from the start. */
export const ADDED_SERVERS_MAX = 16;

/** Name servers of a section, and how often a query is sent to them unless `resolve_retries` says. */
export const NAMESERVERS_MAX = 32;
export const RESOLVE_RETRIES = 3;
/** Names of servers: so many are first asked for at once, the others one after the other, this far apart. Milliseconds. */
export const NAME_BURST = 64;
export const NAME_SPACING_MS = 0.2;
/** Names that `do-resolve` may be asking for, or keep for `hold valid`, in one section; requests that one of them may hold. */
export const ASKED_NAMES_MAX = 4_096;
export const ASKED_WAITING_MAX = 16_384;
/** Streams of one worker that may wait for names. */
export const NAME_ASKS_MAX = 4_096;
/** Records kept of one answer: the others are passed over. */
export const ANSWER_RECORDS_MAX = 1_024;
/** Stick tables: entries (they are numbered in 28 bits), and bytes of a key. */
export const STICK_SIZE_MAX = 2 ** 28;
export const STICK_KEY_BYTES_MAX = 16_384;
/** The longest period of a rate: half of what its 31-bit times can tell apart. Milliseconds. */
export const STICK_PERIOD_MS_MAX = 2 ** 29;
/** Names or addresses of servers that a table knows, and bytes of each. */
export const STICK_NAMES_MAX = 1_024;
export const STICK_NAME_BYTES = 124;
/** Changes of a table that are remembered for its peers: one that is further behind is told everything again. */
export const STICK_CHANGES_MAX = 65_536;
/** Keys that one stream stores (manual 4.2, `stick store-request`). */
export const STICK_STORES_MAX = 8;
/** `data.` conditions of `show table` and `clear table`. */
export const STICK_FILTERS_MAX = 4;

/** How long the runtime API waits for a worker's answer. Milliseconds. */
export const ASK_TIMEOUT_MS = 1_000;
/** Silence of a server after which `httpclient` of the runtime API gives up. Milliseconds. */
export const HTTPCLIENT_IDLE_MS = 30_000;
/** Payload of one command of the runtime API (`<<`). Bytes. */
export const PAYLOAD_BYTES_MAX = 128 * 1024;

/**
 * A worker that stops closes connections that were idle for so long, and looks for such this often. Milliseconds. Clients that
 * pause for less, stalls of their machine included, lose no request.
 */
export const STOP_IDLE_MS = 3_000;
export const STOP_LOOK_MS = 100;
/** Clients of the master's socket at a time; more wait in the kernel's queue. */
export const MASTER_CLI_SESSIONS_MAX = 32;
/** Generations of the configuration that drain at a time, unless `mworker-max-reloads` says less. */
export const GENERATIONS_MAX = 50;
/** Changes of maps, ACLs and variables in one space of their log, and from where on it is made short again. Bytes. */
export const CHANGE_BYTES_MAX = 256 * 1024 * 1024;
export const CHANGE_COMPACT_BYTES = 1024 * 1024;

/** A worker that died is started again after this long, doubled each time up to the maximum. Milliseconds. */
export const RESPAWN_MIN_MS = 100;
export const RESPAWN_MAX_MS = 30_000;
/** Programs of external checks that run at a time; the others wait for their turn. */
export const EXTERNAL_CHECKS_MAX = 64;
/** A program that does not end when it is asked to (SIGTERM) is made to (SIGKILL) after this long. Milliseconds. */
export const EXTERNAL_KILL_MS = 1_000;

/** Heap of one thread: between these, by the memory of the machine or `-m`. Mebibytes. */
export const WORKER_HEAP_MIN_MB = 64;
export const WORKER_HEAP_MAX_MB = 4_096;

/** Changes of stick tables are looked for this often, for the peers. Milliseconds. */
export const PEER_LOOK_MS = 20;
/** `tune.peers.max-updates-at-once` */
export const PEER_UPDATES_AT_ONCE = 200;
/** A message of another peer (HAProxy's are not longer than its buffers). Bytes. */
export const PEER_MESSAGE_BYTES_MAX = 16_384;
/** Connections of peers that have not said hello yet, per `peers` section. */
export const PEER_STRANGERS_MAX = 32;
/** Updates of a table whose loss we can make good without sending all of it again, per peer. */
export const PEER_UNACKED_MAX = 16_384;
/** Between attempts to reach a peer, doubled each time that it breaks the protocol, up to the maximum. Milliseconds. */
export const PEER_RETRY_MIN_MS = 5_000;
export const PEER_RETRY_MAX_MS = 60_000;

/** A log message, the header before it, the part of a request line in it, and a captured cookie, by default. Bytes. */
export const LOG_MESSAGE_BYTES_MAX = 65_535;
export const LOG_HEADER_BYTES_MAX = 1_024;
export const LOG_URI_BYTES = 1_023;
export const COOKIE_CAPTURE_BYTES = 63;
/** Plaintext of short sends that becomes one TLS record at the end of a turn. Bytes. */
export const TLS_GATHER_BYTES = 16_384;
/** Early data of a TLS client at most: what it sends before the handshake is complete (`allow-0rtt`). Bytes. */
export const TLS_EARLY_BYTES = 15_360;
/** TLS sessions kept per server and worker, one per name that is sent. */
export const TLS_SESSIONS_MAX = 1_024;

/**
 * Rings: how many there may be; what each thread may have written into one that the control thread has not taken yet (bytes, a
 * power of two); their size when none is given; how long before a log server is tried again (ms).
 */
export const RINGS_MAX = 32;
export const RING_CHANNEL_BYTES = 262_144;
export const RING_BYTES = 16_384;
export const BUF0_BYTES = 1_048_576;
export const RING_RECONNECT_MS = 1_000;
/** Connections to a `log-forward` section at a time, where it does not say (manual 12.6). */
export const LOG_FORWARD_MAXCONN = 10;
/** Mails that wait for one mailer; what comes when there are more is lost. */
export const MAIL_QUEUE_MAX = 100;
/** Lines in one round of `log ... sample`. */
export const LOG_SAMPLE_MAX = 65_536;
/**
 * io_uring, per worker. Entries: operations written before the kernel takes them; completions: what it tells at once
 * before it must keep some for later. Powers of two.
 */
export const URING_ENTRIES = 1_024;
export const URING_COMPLETIONS = 8_192;
/** Sockets of a worker, listening ones included; also bounded by the descriptor limit. 8 bytes of kernel memory each. */
export const URING_FILES_MAX = 262_144;
/** Blocks that connections receive into: the size of each, blocks at first and each time they run low, at most. */
export const URING_RECEIVE_BYTES = 65_536;
export const URING_RECEIVE_BLOCKS = 256;
/**
 * Received at once. Less than the loopback device's longest segment (65,483 bytes): a read that empties the socket is acknowledged
 * at once, which wakes the sender for each segment; one that leaves a little is not, which halves the packets of long bodies.
 */
export const URING_RECEIVE_MAX_BYTES = 61_440;
export const URING_RECEIVE_BLOCKS_MAX = 1_024;
/** Blocks that `send` copies into, in the same way. */
export const URING_OUTPUT_BYTES = 16_384;
export const URING_OUTPUT_BLOCKS = 256;
export const URING_OUTPUT_BLOCKS_MAX = 4_096;
/** Blocks of the same size are for layers to fill; those for records of more bytes, in the same way again. */
export const URING_BULK_BYTES = 131_072;
export const URING_BULK_BLOCKS = 16;
export const URING_BULK_BLOCKS_MAX = 512;
/** Accepts that wait on one listening socket: as many connections can be taken in a turn. */
export const URING_ACCEPTS = 16;
/** A paused connection holds this much before its receive is cancelled. Bytes. */
export const URING_HELD_BYTES = 65_536;
/** Listening sockets are looked at this often, should a wake-up have gone to a worker that has just died. Milliseconds. */
export const URING_LOOK_MS = 250;
/** The ring waits no longer than this before libuv, its guest, is asked whether a timer of Node's is due. Milliseconds. */
export const URING_GUEST_MS = 25;

if (LOW_WATER_BYTES >= HIGH_WATER_BYTES) throw new Error('limits: LOW_WATER_BYTES must be below HIGH_WATER_BYTES');
if (MAXREWRITE_BYTES >= BUFSIZE_BYTES) throw new Error('limits: MAXREWRITE_BYTES must be below BUFSIZE_BYTES');
if (URING_RECEIVE_BLOCKS > URING_RECEIVE_BLOCKS_MAX) throw new Error('limits: URING_RECEIVE_BLOCKS_MAX is too small');
if (URING_OUTPUT_BLOCKS > URING_OUTPUT_BLOCKS_MAX) throw new Error('limits: URING_OUTPUT_BLOCKS_MAX is too small');
if (1_000 / URING_GUEST_MS >= 60) throw new Error('limits: URING_GUEST_MS wakes an idle worker too often');

/** A program that is waited for, as `ssl-passphrase-cmd`: how long it may take, ms, and what it may write, bytes. */
export const COMMAND_TIMEOUT_MS = 10_000;
export const COMMAND_OUTPUT_BYTES = 4_096;

/** What an authority may answer when it is asked for an OCSP response, head included, bytes; and how long that may take, ms. */
export const OCSP_ANSWER_BYTES = 65_536;
export const OCSP_TIMEOUT_MS = 10_000;
