/** `tune.*` of the global section. What tunes a part that Sluice does not have, or that needs no tuning, is accepted. */
import type { GlobalDraft } from './draft.ts';
import { accepted, type Keyword, supported } from './keyword.ts';

type Field = Exclude<keyof GlobalDraft['tune'], 'varsLimited'>;

const SIZES: readonly (readonly [name: string, field: Field, doc: string])[] = [
  ['tune.bufsize', 'bufsizeBytes', 'Room for a message head and what is kept free beside it.'],
  ['tune.bufsize.large', 'bufsizeLargeBytes', 'Room for payload that rules wait for, where they ask for a large one.'],
  ['tune.cli.max-payload-size', 'cliPayloadBytes', 'Payload that a command of the runtime API may have.'],
  ['tune.maxrewrite', 'maxrewriteBytes', 'Room kept free for headers that are added.'],
  ['tune.rcvbuf.client', 'rcvbufClientBytes', "Kernel's receive buffer towards clients."],
  ['tune.rcvbuf.server', 'rcvbufServerBytes', "Kernel's receive buffer towards servers."],
  ['tune.sndbuf.client', 'sndbufClientBytes', "Kernel's send buffer towards clients."],
  ['tune.sndbuf.server', 'sndbufServerBytes', "Kernel's send buffer towards servers."],
  ['tune.vars.global-max-size', 'varsGlobalBytes', 'What variables of all scopes may take.'],
  ['tune.vars.proc-max-size', 'varsProcBytes', 'What variables of the process, and of the session in hand, may take.'],
  ['tune.vars.sess-max-size', 'varsSessBytes', 'What variables of a session and its stream may take.'],
  ['tune.vars.txn-max-size', 'varsTxnBytes', 'What variables of a stream may take.'],
  ['tune.vars.reqres-max-size', 'varsReqresBytes', 'What variables of scopes `req` and `res` may take in a stream.'],
];

const NUMBERS: readonly (readonly [name: string, field: Field, min: number, max: number, doc: string])[] = [
  ['tune.http.maxhdr', 'maxhdr', 1, 32_767, 'Header lines that a message may have.'],
  ['tune.http.cookielen', 'cookieCaptureBytes', 1, 65_535, 'How much of a cookie can be captured.'],
  ['tune.http.logurilen', 'logUriBytes', 1, 65_535, 'How much of a request line log lines show.'],
  ['tune.peers.max-updates-at-once', 'peersMaxUpdates', 1, 100_000, 'Updates that a peer is sent in a turn.'],
  ['tune.stick-counters', 'stickCounters', 0, 100, 'Keys that a session or a stream can track at a time.'],
  ['tune.maxaccept', 'maxaccept', -1, 100_000, 'Connections accepted in one turn by a listener.'],
];

const NO_H2 = 'only HTTP/1 is spoken';
const NO_QUIC = 'there is no QUIC';
const NO_LUA = 'there is no Lua';
const NO_POOLS = 'memory is managed by the runtime';
const SCHEDULER = 'the event loop schedules itself';
const IDLE = 'no more idle connections are kept than were lately in use';
const COPYING = 'how bytes are moved is not tunable';

/** [name, syntax, why it means nothing]. */
const MEANINGLESS: readonly (readonly [string, string, string])[] = [
  ['tune.applet.zero-copy-forwarding', '<on|off>', COPYING],
  ['tune.pool-high-fd-ratio', '<number>', IDLE],
  ['tune.pool-low-fd-ratio', '<number>', IDLE],
  ['tune.buffers.limit', '<number>', NO_POOLS],
  ['tune.buffers.reserve', '<number>', NO_POOLS],
  ['tune.bufsize.small', '<size>', NO_POOLS],
  ['tune.chksize', '<number>', 'a check takes as much of the answer as it needs'],
  ['tune.defaults.purge', '[<what>]', 'defaults sections are dropped after reading, and default servers kept, anyway'],
  ['tune.disable-fast-forward', '', COPYING],
  ['tune.disable-zero-copy-forwarding', '', COPYING],
  ['tune.epoll.mask-events', '<events>', SCHEDULER],
  ['tune.events.max-events-at-once', '<number>', SCHEDULER],
  ['tune.fail-alloc', '<number>', NO_POOLS],
  ['tune.fd.edge-triggered', '<on|off>', SCHEDULER],
  ['tune.fd.tables', '<strict|process>', SCHEDULER],
  ['tune.glitches.kill.cpu-usage', '<number>', 'glitches are errors at once'],
  ['tune.h1.be.glitches-threshold', '<number>', 'glitches are errors at once'],
  ['tune.h1.fe.glitches-threshold', '<number>', 'glitches are errors at once'],
  ['tune.h1.zero-copy-fwd-recv', '<on|off>', COPYING],
  ['tune.h1.zero-copy-fwd-send', '<on|off>', COPYING],
  ['tune.h2.be.glitches-threshold', '<number>', NO_H2],
  ['tune.h2.be.initial-window-size', '<size>', NO_H2],
  ['tune.h2.be.max-concurrent-streams', '<number>', NO_H2],
  ['tune.h2.be.max-frames-at-once', '<number>', NO_H2],
  ['tune.h2.be.rxbuf', '<size>', NO_H2],
  ['tune.h2.fe.glitches-threshold', '<number>', NO_H2],
  ['tune.h2.fe.initial-window-size', '<size>', NO_H2],
  ['tune.h2.fe.max-concurrent-streams', '<number>', NO_H2],
  ['tune.h2.fe.max-frames-at-once', '<number>', NO_H2],
  ['tune.h2.fe.max-rst-at-once', '<number>', NO_H2],
  ['tune.h2.fe.max-total-streams', '<number>', NO_H2],
  ['tune.h2.fe.rxbuf', '<size>', NO_H2],
  ['tune.h2.header-table-size', '<size>', NO_H2],
  ['tune.h2.initial-window-size', '<size>', NO_H2],
  ['tune.h2.log-errors', '<none|connection|stream>', NO_H2],
  ['tune.h2.max-concurrent-streams', '<number>', NO_H2],
  ['tune.h2.max-frame-size', '<size>', NO_H2],
  ['tune.h2.zero-copy-fwd-send', '<on|off>', NO_H2],
  ['tune.idle-pool.shared', '<on|off|auto|full>', 'idle server connections stay with their worker'],
  ['tune.idletimer', '<time>', COPYING],
  [
    'tune.listener.default-shards',
    '<by-process|by-thread|by-group>',
    'all threads hear a socket unless its line shards it',
  ],
  ['tune.listener.multi-queue', '<on|fair|off>', SCHEDULER],
  ['tune.lua.bool-sample-conversion', '<normal|pre-3.1-bug>', NO_LUA],
  ['tune.lua.burst-timeout', '<time>', NO_LUA],
  ['tune.lua.forced-yield', '<number>', NO_LUA],
  ['tune.lua.log.loggers', '<on|off>', NO_LUA],
  ['tune.lua.log.stderr', '<on|off|auto>', NO_LUA],
  ['tune.lua.maxmem', '<number>', NO_LUA],
  ['tune.lua.openlibs', '<libraries>', NO_LUA],
  ['tune.lua.service-timeout', '<time>', NO_LUA],
  ['tune.lua.session-timeout', '<time>', NO_LUA],
  ['tune.lua.task-timeout', '<time>', NO_LUA],
  ['tune.max-checks-per-thread', '<number>', 'checks have a thread of their own'],
  ['tune.max-rules-at-once', '<number>', SCHEDULER],
  ['tune.maxpollevents', '<number>', SCHEDULER],
  ['tune.memory.hot-size', '<number>', NO_POOLS],
  ['tune.notsent-lowat.client', '<size>', COPYING],
  ['tune.notsent-lowat.server', '<size>', COPYING],
  ['tune.pattern.cache-size', '<number>', 'patterns need no cache'],
  ['tune.pipesize', '<size>', COPYING],
  ['tune.pt.zero-copy-forwarding', '<on|off>', COPYING],
  ...['be', 'fe'].flatMap(side =>
    [
      ['cc.cubic-min-losses', '<number>'],
      ['cc.hystart', '<on|off>'],
      ['cc.max-frame-loss', '<number>'],
      ['cc.max-win-size', '<size>'],
      ['cc.reorder-ratio', '<number>'],
      ['max-idle-timeout', '<time>'],
      ['sec.glitches-threshold', '<number>'],
      ['stream.data-ratio', '<number>'],
      ['stream.max-concurrent', '<number>'],
      ['stream.rxbuf', '<size>'],
      ['tx.pacing', '<on|off>'],
      ['tx.udp-gso', '<on|off>'],
    ].map(([name, args]) => [`tune.quic.${side}.${name}`, args!, NO_QUIC] as const),
  ),
  ['tune.quic.fe.sec.retry-threshold', '<number>', NO_QUIC],
  ['tune.quic.fe.sock-per-conn', '<default-on|force-off>', NO_QUIC],
  ['tune.quic.fe.stream.max-total', '<number>', NO_QUIC],
  ['tune.quic.listen', '<on|off>', NO_QUIC],
  ['tune.quic.mem.tx-max', '<size>', NO_QUIC],
  ['tune.quic.zero-copy-fwd-send', '<on|off>', NO_QUIC],
  ['tune.rcvbuf.backend', '<size>', 'server connections use `tune.rcvbuf.server`'],
  ['tune.rcvbuf.frontend', '<size>', 'client connections use `tune.rcvbuf.client`'],
  ['tune.recv_enough', '<size>', COPYING],
  ['tune.renice.runtime', '<priority>', 'the priority of the process is left to who starts it'],
  ['tune.renice.startup', '<priority>', 'the priority of the process is left to who starts it'],
  ['tune.ring.queues', '<number>', 'there are no rings'],
  ['tune.runqueue-depth', '<number>', SCHEDULER],
  ['tune.sched.low-latency', '<on|off>', SCHEDULER],
  ['tune.sndbuf.backend', '<size>', 'server connections use `tune.sndbuf.server`'],
  ['tune.sndbuf.frontend', '<size>', 'client connections use `tune.sndbuf.client`'],
  ['tune.streams-elasticity', '<number>', NO_H2],
  ['tune.takeover-other-tg-connections', '<none|restricted|full>', 'there are no thread groups'],
];

export const TUNE: readonly Keyword<GlobalDraft>[] = [
  ...SIZES.map(([name, field, doc]) =>
    supported<GlobalDraft>({
      ...{ name, doc, where: 'G', args: '<size>', good: [`${name} 32768`, `${name} 32k`] },
      parse(cursor, global) {
        const bytes = cursor.expectSize(name);
        if (bytes === null) return;
        global.tune[field] = bytes;
        if (field.startsWith('vars')) global.tune.varsLimited = true;
      },
      bad: [[name, `'${name}' expects a size (in bytes by default)`]],
    }),
  ),
  ...NUMBERS.map(([name, field, min, max, doc]) =>
    supported<GlobalDraft>({
      ...{ name, doc, where: 'G', args: '<number>', good: [`${name} 50`] },
      parse(cursor, global) {
        const value = cursor.expectInt(name, { min, max });
        if (value !== null) global.tune[field] = value;
      },
      bad: [[name, `'${name}' expects an integer between ${min} and ${max}`]],
    }),
  ),
  ...MEANINGLESS.map(([name, args, why]) => accepted<GlobalDraft>(name, 'G', args, 'Tuning.', why)),
];
