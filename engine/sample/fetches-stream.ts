/** Fetches of how a stream and its connections fared: rules, queues, errors, times, the kernel's view (manual 7.3.2, 7.3.3). */
import type { Place } from '../config/model.ts';
import type { Conn } from '../io/contract.ts';
import * as timers from '../log/timers.ts';
import { CONNECTION_ERRORS } from '../proxy/connection-errors.ts';
import { streamNumber } from '../proxy/notes.ts';
import type { Stream } from '../proxy/stream.ts';
import type { SampleContext } from './context.ts';
import type { Source } from './points.ts';
import { type FetchRow, fetch, plain } from './row.ts';
import { bytesOf, type Sample } from './sample.ts';
import { serverError } from './tls-ends.ts';

/** A number of the stream; -1 = it has none. */
function number(name: string, from: Source, doc: string, of: (stream: Stream) => number): FetchRow {
  return plain(name, 'sint', from, doc, ({ stream }, out) => {
    const value = stream === null ? -1 : of(stream);
    return value >= 0 && out.setInt(value);
  });
}

function put(text: string, out: Sample): true {
  const bytes = bytesOf(text);
  return out.setStr(bytes, 0, bytes.length);
}

/** Where the configuration says what the stream last met; null = nothing. */
function place(
  name: string,
  doc: string,
  of: (stream: Stream) => Place | null,
  text: (place: Place) => string,
): FetchRow {
  return plain(name, 'str', 'internal', doc, ({ stream }, out) => {
    const found = stream === null ? null : of(stream);
    return found !== null && put(text(found), out);
  });
}

const location = ({ file, line }: Place): string => `${file}:${line}`;

type ErrorOf = (ctx: SampleContext) => number;

/** The three fetches of an error: its number, name and message. */
function errors(side: 'fc' | 'bc', from: Source, whose: string, of: ErrorOf): FetchRow[] {
  return [
    plain(`${side}_err`, 'sint', from, `Number of what went wrong with ${whose} connection.`, (ctx, out) =>
      out.setInt(of(ctx)),
    ),
    plain(`${side}_err_name`, 'str', from, `Name of what went wrong with ${whose} connection.`, (ctx, out) =>
      put(CONNECTION_ERRORS[of(ctx)]!.name, out),
    ),
    plain(`${side}_err_str`, 'str', from, `What went wrong with ${whose} connection.`, (ctx, out) =>
      put(CONNECTION_ERRORS[of(ctx)]!.message, out),
    ),
  ];
}

type ConnOf = (ctx: SampleContext) => Conn | null;

const client: ConnOf = ({ session }) => session.conn;
const server: ConnOf = ({ stream }) => stream?.serverSide?.conn ?? null;

// Fields of Linux's `struct tcp_info`, 32 bits each: where they stand.
const TCP_UNACKED = 24;
const TCP_SACKED = 28;
const TCP_LOST = 32;
const TCP_RETRANS = 36;
const TCP_FACKETS = 40;
const TCP_RTT_US = 68;
const TCP_RTTVAR_US = 72;
const TCP_REORDERING = 88;

/** A field of what the kernel knows of a TCP connection; -1 = it does not tell. */
function kernel(conn: Conn | null, at: number): number {
  const info = conn === null ? null : conn.tcpInfo();
  if (info === null || info.length < at + 4) return -1;
  return (info[at]! | (info[at + 1]! << 8) | (info[at + 2]! << 16) | (info[at + 3]! << 24)) >>> 0;
}

function counter(name: string, doc: string, of: ConnOf, at: number): FetchRow {
  return plain(name, 'sint', 'client', doc, (ctx, out) => {
    const value = kernel(of(ctx), at);
    return value >= 0 && out.setInt(value);
  });
}

/** A time that the kernel has in microseconds. */
function time(name: string, from: Source, doc: string, of: ConnOf, at: number): FetchRow {
  return fetch(
    name,
    '[unit:str]',
    'sint',
    from,
    doc,
    args => {
      const perUnit = args.text(0) === 'us' ? 1 : 1_000;
      return (ctx, out) => {
        const us = kernel(of(ctx), at);
        return us >= 0 && out.setInt(Math.floor(us / perUnit));
      };
    },
    {
      check: ([unit]) =>
        unit == null || unit === 'ms' || unit === 'us' ? null : `expects 'ms' or 'us', got '${unit}'`,
      good: [name, `${name}(us)`],
      bad: [[`${name}(s)`, `invalid args in fetch method '${name}' : expects 'ms' or 'us', got 's'`]],
    },
  );
}

export const STREAM_FETCHES: readonly FetchRow[] = [
  number('txn.id32', 'internal', 'Number of the stream.', streamNumber),
  plain('txn.sess_term_state', 'str', 'internal', 'How and where it ended, as in the log.', ({ stream }, out) => {
    return put(stream === null ? '--' : stream.cause + stream.phase, out);
  }),
  place(
    'last_rule_file',
    'File of the last final rule.',
    s => s.lastRule,
    rule => rule.file,
  ),
  number('last_rule_line', 'internal', 'Line of the last final rule.', s => s.lastRule?.line ?? -1),
  place('last_entity', 'The last final rule, as `file:line`.', s => s.lastRule, location),
  place('waiting_entity', 'The rule that waits, as `file:line`.', s => s.waitingRule, location),
  number('bc_be_queue', 'server', 'Its place in the queue of the backend.', s => s.backendQueuePlace),
  number('bc_srv_queue', 'server', 'Its place in the queue of the server.', s => s.serverQueuePlace),
  ...errors('fc', 'client', "the client's", ({ session }) => session.error),
  ...errors('bc', 'serverAddress', "the server's", serverError),
  number('fc_nb_streams', 'client', "Streams on the client's connection now.", () => 1),
  number('bc_nb_streams', 'serverAddress', "Streams on the server's connection now.", s =>
    s.serverSide?.conn == null ? -1 : 1,
  ),
  counter('fc_unacked', 'Segments that the client has not acknowledged.', client, TCP_UNACKED),
  counter('fc_sacked', 'Segments acknowledged selectively.', client, TCP_SACKED),
  counter('fc_lost', 'Segments that count as lost.', client, TCP_LOST),
  counter('fc_retrans', 'Segments sent again and not acknowledged.', client, TCP_RETRANS),
  counter('fc_fackets', 'Segments acknowledged out of order.', client, TCP_FACKETS),
  counter('fc_reordering', 'How far segments may be out of order.', client, TCP_REORDERING),
  plain(
    'fc_saved_syn',
    'bin',
    'client',
    'The SYN of the client, where `tcp-ss` has kept it; told once.',
    (ctx, out) => {
      const syn = client(ctx)?.savedSyn() ?? null;
      return syn !== null && out.setBin(syn, 0, syn.length);
    },
  ),
  time('fc_rtt', 'client', 'Round trip time to the client.', client, TCP_RTT_US),
  time('fc_rttvar', 'client', 'Its variance.', client, TCP_RTTVAR_US),
  time('bc_rtt', 'serverAddress', 'Round trip time to the server.', server, TCP_RTT_US),
  time('bc_rttvar', 'serverAddress', 'Its variance.', server, TCP_RTTVAR_US),
  // Times, manual 8.4: what %Th, %Tt, %Ti, %TR, %Tq, %Tw, %Tc, %Tr, %Td, %Ta and %Tu show.
  number('fc.timer.handshake', 'client', 'Time of the handshakes.', timers.handshake),
  number('fc.timer.total', 'sessionEnd', 'Time of the session.', timers.total),
  number('req.timer.idle', 'request', 'Idle time before the request.', timers.idle),
  number('req.timer.hdr', 'request', 'Time to get the head of the request.', timers.request),
  number('req.timer.tq', 'request', 'All time until the head of the request was there.', timers.untilRequest),
  number('req.timer.queue', 'transactionEnd', 'Time in queues.', timers.queue),
  number('bc.timer.connect', 'serverAddress', 'Time to connect to the server.', timers.connect),
  number('res.timer.hdr', 'response', "Time to get the head of the server's response.", timers.response),
  number('res.timer.data', 'responseEnd', 'Time of the payload.', timers.data),
  number('txn.timer.total', 'transactionEnd', 'Time of the request, from its first byte.', timers.active),
  number('txn.timer.user', 'sessionEnd', 'Time as the user saw it.', timers.user),
];
