/** Global keywords that set nothing in the model: carried out while reading, meaningless here, refused, or gone. */
import { DEFAULT_PATH } from './default-path.ts';
import type { GlobalDraft } from './draft.ts';
import { accepted, type Keyword, later, removed, supported } from './keyword.ts';
import { HTTPCLIENT } from './keywords-httpclient.ts';

const POLLER = 'the runtime chooses how to wait for events';
const THREADS = 'the system places threads';
const FORKS = 'programs are run for external checks only';

/** [name, syntax, why it means nothing]. */
const MEANINGLESS: readonly (readonly [string, string, string])[] = [
  ['busy-polling', '', POLLER],
  ['noepoll', '', POLLER],
  ['noevports', '', POLLER],
  ['nokqueue', '', POLLER],
  ['nopoll', '', POLLER],
  ['nosplice', '', 'the kernel decides how bytes move'],
  ['nogetaddrinfo', '', 'host names are resolved by the runtime'],
  ['no-memory-trimming', '', 'memory is managed by the runtime'],
  ['maxpipes', '<number>', 'no pipes are used'],
  ['cpu-affinity', '...', THREADS],
  ['cpu-policy', '<policy> ...', THREADS],
  ['cpu-set', '<what> ...', THREADS],
  ['numa-cpu-mapping', '', THREADS],
  ['thread-groups', '<1..16>', 'all threads are one group'],
  ['thread-group', '<group> ...', 'all threads are one group'],
  ['max-threads-per-group', '<number>', 'all threads are one group'],
  ['prealloc-fd', '', 'the descriptor table grows by itself'],
  ['strict-limits', '', 'a limit that cannot be met is always an error'],
  ['insecure-fork-wanted', '', FORKS],
  ['insecure-setuid-wanted', '', FORKS],
  ['profiling.memory', '<on|off>', 'profiles are taken when the runtime API is told to'],
  ['profiling.tasks', '<on|off|auto>', 'profiles are taken when the runtime API is told to'],
  ['debug', '', 'the command line has -d'],
  ['quiet', '', 'the command line has -q'],
  ['debug.counters', '<on|off>', 'there are no such counters'],
  ['expose-deprecated-directives', '', 'there are none'],
  ['expose-experimental-directives', '', 'there are none'],
  ['force-cfg-parser-pause', '<time>', 'reading is never slowed'],
  ['warn-blocked-traffic-after', '<time>', 'a blocked thread is watched by its master'],
  ['limited-quic', '', 'there is no QUIC'],
  ['cluster-secret', '<secret>', 'it is a secret of QUIC connections'],
  ['harden.reject-privileged-ports.quic', '<on|off>', 'there is no QUIC'],
  ['h2-workaround-bogus-websocket-clients', '', 'only HTTP/1 is spoken'],
  ['jwt.decrypt_alg_list', '<list>', 'there are no tokens yet'],
  ['jwt.decrypt_enc_list', '<list>', 'there are no tokens yet'],
];

/** [name, syntax, what it does]. */
const LATER: readonly (readonly [string, string, string])[] = [
  ['51degrees-allow-unmatched', '<on|off>', 'Device detection.'],
  ['51degrees-cache-size', '<number>', 'Device detection.'],
  ['51degrees-data-file', '<file>', 'Device detection.'],
  ['51degrees-difference', '<number>', 'Device detection.'],
  ['51degrees-drift', '<number>', 'Device detection.'],
  ['51degrees-property-name-list', '<names>', 'Device detection.'],
  ['51degrees-property-separator', '<char>', 'Device detection.'],
  ['51degrees-use-performance-graph', '<on|off>', 'Device detection.'],
  ['51degrees-use-predictive-graph', '<on|off>', 'Device detection.'],
  ['deviceatlas-json-file', '<file>', 'Device detection.'],
  ['deviceatlas-log-level', '<number>', 'Device detection.'],
  ['deviceatlas-properties-cookie', '<name>', 'Device detection.'],
  ['deviceatlas-separator', '<char>', 'Device detection.'],
  ['wurfl-cache-size', '<number>', 'Device detection.'],
  ['wurfl-data-file', '<file>', 'Device detection.'],
  ['wurfl-information-list', '<names>', 'Device detection.'],
  ['wurfl-information-list-separator', '<char>', 'Device detection.'],
  ['wurfl-patch-file', '<files>', 'Device detection.'],
  ['lua-load', '<file>', 'Loads a Lua script.'],
  ['lua-load-per-thread', '<file>', 'Loads a Lua script in each thread.'],
  ['lua-prepend-path', '<path>', 'Where Lua modules are.'],
];

/** The reader has carried these out, and has checked them, before any table sees them. */
const ENVIRONMENT: readonly (readonly [string, string, string])[] = [
  ['setenv', '<name> <value>', 'Sets an environment variable for the lines that follow.'],
  ['presetenv', '<name> <value>', 'Sets an environment variable unless it is set.'],
  ['unsetenv', '<name>...', 'Removes environment variables.'],
  ['resetenv', '[<name>...]', 'Removes all environment variables but these.'],
];

export const GLOBAL_MORE: readonly Keyword<GlobalDraft>[] = [
  DEFAULT_PATH,
  ...HTTPCLIENT,
  ...MEANINGLESS.map(([name, args, why]) => accepted<GlobalDraft>(name, 'G', args, 'Of no effect here.', why)),
  ...LATER.map(([name, args, doc]) => later<GlobalDraft>(name, 'G', args, doc)),
  ...ENVIRONMENT.map(([name, args, doc]) =>
    supported<GlobalDraft>({
      ...{ name, args, doc, where: 'G', good: [`${name} SOME value`], bad: [] },
      parse: cursor => void cursor.rest(),
    }),
  ),
  removed('stats bind-process', 'G', '2.5', "'thread' on the 'stats socket' line"),
];
