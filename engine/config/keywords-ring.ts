/** Keywords of the ring section (manual 12.5). */
import { FORMATS } from '../log/syslog.ts';
import type { RingDraft } from './draft.ts';
import { integer, sentence, time } from './fields.ts';
import { type Keyword, supported } from './keyword.ts';
import { readRingServer } from './server-line.ts';

export const RING: readonly Keyword<RingDraft>[] = [
  supported({
    name: 'backing-file',
    where: 'R',
    args: '<path>',
    doc: 'A file that has its lines when the process is gone.',
    parse(cursor, ring, { resources }) {
      const path = cursor.next()?.text ?? '';
      if (path === '') cursor.error("'backing-file' expects a file name as argument");
      else if (ring.backingFile !== null) cursor.error("'backing-file': this ring has one already");
      else ring.backingFile = resources.locate?.(path) ?? path;
    },
    good: ['backing-file /var/lib/ring'],
    bad: [
      ['backing-file', "'backing-file' expects a file name as argument"],
      ['backing-file a b', "'backing-file' cannot handle unexpected argument 'b'"],
    ],
  }),
  sentence({ name: 'description', where: 'R', doc: 'What `show events` says of it.' }, 'description', null),
  supported({
    name: 'format',
    where: 'R',
    args: '<format>',
    doc: 'What stands before each message, whatever the log lines say.',
    parse(cursor, ring) {
      const format = cursor.expectOneOf('format', FORMATS);
      if (format !== null) ring.format = format;
    },
    good: ['format rfc5424', 'format raw'],
    bad: [['format foo', `'format' expects ${namesOf(FORMATS)}, not 'foo'`]],
  }),
  integer({ name: 'maxlen', where: 'R', doc: 'A line is cut to this length.' }, 'maxlenBytes', {
    min: 1,
    max: 2_147_483_647,
  }),
  supported({
    name: 'server',
    where: 'R',
    args: '<name> <address> [<settings>]',
    doc: 'A log server that the lines are sent to over TCP.',
    parse: readRingServer,
    good: ['server s 127.0.0.1:514', 'server s 127.0.0.1:514 log-proto octet-count'],
    bad: [['server s', "'server' expects <name> and <addr>[:<port>] as arguments"]],
  }),
  supported({
    name: 'size',
    where: 'R',
    args: '<size>',
    doc: 'Bytes that it keeps.',
    parse(cursor, ring) {
      const size = cursor.expectSize('size');
      if (size !== null && size > 0) ring.sizeBytes = size;
      else if (size !== null) cursor.error("invalid size '0' for new sink buffer");
    },
    good: ['size 32764', 'size 1m'],
    bad: [
      ['size', "'size' expects a size (in bytes by default)"],
      ['size 0', "invalid size '0' for new sink buffer"],
    ],
  }),
  time({ name: 'timeout connect', where: 'R', doc: 'Time to connect to a server.' }, 'connectMs'),
  time({ name: 'timeout server', where: 'R', doc: 'Time that output may wait for a server.' }, 'serverMs'),
];

function namesOf(names: readonly string[]): string {
  const quoted = names.map(name => `'${name}'`);
  return `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}
