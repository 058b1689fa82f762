/** Keywords of a `log-forward` section (manual 12.6). */
import { LOG_FORWARD_MAXCONN } from '../limits.ts';
import { BIND_ACCEPTS } from './address.ts';
import { readBindLine } from './bind-line.ts';
import type { BindDraft, Draft } from './draft.ts';
import { bare, integer, time } from './fields.ts';
import { type Keyword, supported } from './keyword.ts';
import { FORWARD_LOG } from './keywords-log.ts';
import type { HostStrategy, LogForward } from './log-model.ts';
import type { Place } from './model.ts';
import { newBind } from './new-drafts.ts';

export interface LogForwardDraft extends Draft<Omit<LogForward, 'index' | 'binds' | 'dgramBinds'>> {
  binds: BindDraft[];
  dgramBinds: BindDraft[];
  /** Of `bind` lines that say none. */
  backlog: number;
}

/** A section as it is opened. */
export function newLogForward({ file, line }: Place, name: string): LogForwardDraft {
  return {
    ...{ file, line, name, binds: [], dgramBinds: [], backlog: 0, logs: [] },
    ...{ maxconn: LOG_FORWARD_MAXCONN, clientMs: 0, endsWithLf: false, unparsed: false, host: 'fill' },
  };
}

function row(name: string, doc: string) {
  return { where: 'W', name, doc };
}

const STRATEGIES: readonly HostStrategy[] = ['replace', 'fill', 'keep', 'append'];

export const LOG_FORWARD: readonly Keyword<LogForwardDraft>[] = [
  supported({
    ...row('bind', 'Where lines come in over TCP.'),
    args: '[<address>]:<port> [settings]',
    parse(cursor, section, context) {
      const word = cursor.next();
      if (word === null) return cursor.error("'bind' expects [<address>]:<port> as argument");
      section.binds.push(...(readBindLine(cursor, word, 'bind', context) ?? []));
    },
    good: ['bind 127.0.0.1:1514', 'bind :1514 ssl crt foo.pem'],
    bad: [
      ['bind', "'bind' expects [<address>]:<port> as argument"],
      ['bind 127.0.0.1', "'bind': missing port specification in '127.0.0.1'"],
      ['bind udp@127.0.0.1:1514', "'bind': dgram-type address not acceptable in 'udp@127.0.0.1:1514'"],
    ],
  }),
  supported({
    ...row('dgram-bind', 'Where lines come in as UDP datagrams.'),
    args: '[<address>]:<port> [settings]',
    parse(cursor, section, context) {
      const word = cursor.next();
      if (word === null) return cursor.error("'dgram-bind' expects [<address>]:<port> as argument");
      const accepts = { ...BIND_ACCEPTS, unix: false, fd: false, type: 'dgram' } as const;
      section.dgramBinds.push(...(readBindLine(cursor, word, 'dgram-bind', context, newBind(), accepts) ?? []));
    },
    good: ['dgram-bind 127.0.0.1:1514', 'dgram-bind :1514,[::]:1514 interface lo', 'dgram-bind udp@127.0.0.1:1514'],
    bad: [
      ['dgram-bind', "'dgram-bind' expects [<address>]:<port> as argument"],
      ['dgram-bind /run/log', "'dgram-bind': a unix socket is not acceptable here in '/run/log'"],
      ['dgram-bind 127.0.0.1:1514 foo', "'dgram-bind 127.0.0.1:1514': unknown keyword 'foo'"],
    ],
  }),
  FORWARD_LOG as Keyword<LogForwardDraft>,
  integer(row('backlog', 'Connections waiting in the kernel.'), 'backlog'),
  integer(row('maxconn', 'Connections at a time.'), 'maxconn', { min: 1, max: 1_000_000 }),
  time(row('timeout client', 'How long a connection may be silent.'), 'clientMs'),
  bare<LogForwardDraft>(row('option assume-rfc6587-ntf', 'A line ends with a line feed, however it begins.'), {
    endsWithLf: true,
  }),
  bare<LogForwardDraft>(row('option dont-parse-log', 'Lines are texts: no header is looked for.'), { unparsed: true }),
  supported({
    ...row('option host', 'What lines say of where they are from.'),
    args: '{ replace | fill | keep | append }',
    parse(cursor, section) {
      section.host = cursor.expectOneOf('option host', STRATEGIES) ?? section.host;
    },
    good: STRATEGIES.map(strategy => `option host ${strategy}`),
    bad: [['option host x', "'option host' expects 'replace', 'fill', 'keep' or 'append', not 'x'"]],
  }),
];
