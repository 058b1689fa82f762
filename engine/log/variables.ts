/** The variables of log formats (manual 8.2.6): one row each. */
import type { Mode } from '../config/proxy-model.ts';
import type { Address } from '../io/contract.ts';
import { countingBackend } from '../proxy/account.ts';
import { streamNumber, uniqueId } from '../proxy/notes.ts';
import type { Backend, Frontend } from '../proxy/nouns.ts';
import type { Session } from '../proxy/session.ts';
import type { Stream } from '../proxy/stream.ts';
import { targetAddress } from '../proxy/target-address.ts';
import { PROCESS, PROXY, SERVER } from '../shm/words.ts';
import { TlsConn } from '../tls/conn.ts';
import { NO_CIPHER, type TlsConnection } from '../tls/connection.ts';
import { bytesOf, type Line } from './line.ts';
import * as requestLine from './request-line.ts';
import type { Scene, StreamScene } from './scene.ts';
import { STEP_ORIGINS } from './steps.ts';
import * as timers from './timers.ts';
import {
  address,
  captured,
  captures,
  DASH,
  date,
  EARLY,
  END,
  growing,
  type Moment,
  number,
  PLUS,
  port,
  START,
  sent,
  text,
  type Variable,
} from './variable.ts';

const source = (stream: Stream): Address | null => stream.session.source();
const destination = (stream: Stream): Address | null => stream.session.destination();
/** There is none before a connection was tried: who waits in a queue is not at its server yet. */
const target = (stream: Stream): Address | null =>
  stream.server === null || stream.connectAt === 0 ? null : targetAddress(stream, stream.server);
/** HAProxy's backend is the frontend until one is chosen. */
const backend = (stream: Stream): Backend | Frontend => stream.backend ?? stream.frontend;

/** The names of proxies and servers as bytes, made once each. */
const NAMES = new WeakMap<object, Uint8Array>();

function nameOf(named: { readonly name: string }): Uint8Array {
  const known = NAMES.get(named);
  if (known !== undefined) return known;
  const bytes = bytesOf(named.name);
  NAMES.set(named, bytes);
  return bytes;
}

const NO_SERVER = bytesOf('<NOSRV>');
const SERVICES = { stats: bytesOf('<STATS>'), prometheus: bytesOf('<PROMEX>') } as const;

function serverName({ server, service }: Stream): Uint8Array {
  if (server !== null) return nameOf(server.config);
  return service === null ? NO_SERVER : SERVICES[service];
}

/** The name of what a health check is about. */
function ofCheck(what: 'proxy' | 'server'): (scene: Scene) => Uint8Array | null {
  return ({ at: { check } }) => check && nameOf(check[what]);
}

function word(stream: Stream, at: number): number {
  return Atomics.load(stream.context.words, at);
}

/** HAProxy shows -1 as long as there is no status; TCP has none. */
function status(stream: Stream): number {
  return stream.status === 0 && stream.http ? -1 : stream.status;
}

/** The state of what has not begun, as HAProxy shows it. */
const NO_STATE = bytesOf('PR');

const COOKIE = { none: 'N', invalid: 'I', down: 'D', valid: 'V', expired: 'E', old: 'O', unused: 'U' } as const;

function writeState(line: Line, stream: Stream): void {
  line.byte(stream.cause.charCodeAt(0));
  line.byte(stream.phase.charCodeAt(0));
}

function writeCookieState(line: Line, stream: Stream): void {
  const cookie = countingBackend(stream)?.cookie?.config;
  // HAProxy tells nothing of a cookie that is only looked at.
  const persists = cookie !== undefined && (cookie.mode !== 'passive' || cookie.indirect);
  line.byte(persists ? COOKIE[stream.cookie].charCodeAt(0) : DASH);
  line.byte(persists ? stream.cookieSet.charCodeAt(0) : DASH);
}

function writeRetries(line: Line, stream: Stream, bare: boolean): void {
  if (stream.redispatched && !bare) line.byte(PLUS);
  line.number(stream.attempts);
}

/** What the client's TLS connection tells; null without TLS. */
/** `before`: what it is until the client's hello has come. */
function tlsText(
  { stream }: StreamScene,
  of: (tls: TlsConnection) => string,
  before: (session: Session) => string,
): Uint8Array | null {
  const { conn } = stream.session;
  if (!(conn instanceof TlsConn)) return null;
  const value = conn.tls === null ? before(stream.session) : of(conn.tls);
  return value === '' ? null : bytesOf(value);
}

/** `web~`: a name with what tells that its connection has TLS. */
function transportName({ stream: { frontend, session } }: StreamScene): Uint8Array {
  const name = nameOf(frontend.proxy);
  if (!(session.conn instanceof TlsConn)) return name;
  let marked = MARKED.get(name);
  if (marked === undefined) {
    marked = Buffer.concat([name, TILDE]);
    MARKED.set(name, marked);
  }
  return marked;
}

const TILDE = bytesOf('~');
const MARKED = new WeakMap<Uint8Array, Uint8Array>();

const timer = (name: string, mode: Mode, doc: string, of: (stream: Stream) => number, known: Moment = END): Variable =>
  number(name, mode, known, doc, scene => of(scene.stream), { alone: () => -1 });

const ORIGINS = Object.fromEntries(['unspec', ...Object.values(STEP_ORIGINS)].map(name => [name, bytesOf(name)]));

export const VARIABLES: readonly Variable[] = [
  date('T', 'tcp', 'accept date, UTC', 'utc', acceptDate),
  date('Tl', 'tcp', 'accept date, local', 'local', acceptDate),
  date('t', 'tcp', 'accept date with milliseconds', 'millis', acceptDate),
  date('tr', 'http', 'request date with milliseconds', 'millis', requestDate),
  date('trg', 'http', 'request date, UTC', 'utc', requestDate),
  date('trl', 'http', 'request date, local', 'local', requestDate),
  number('Ts', 'tcp', START, 'second of the accept date', s => Math.floor(acceptDate(s) / 1000), {
    hexDigits: 4,
    alone: scene => Math.floor(scene.wall() / 1000),
  }),
  number('ms', 'tcp', START, 'milliseconds of the accept date', s => Math.floor(acceptDate(s)) % 1000, {
    ...{ hexDigits: 2, digits: 3 },
    alone: scene => Math.floor(scene.wall()) % 1000,
  }),
  growing('Ta', 'http', 'time from the first byte of the request to the end', timers.active),
  timer('Tc', 'tcp', 'time to connect', timers.connect),
  timer('Td', 'tcp', 'time of the transfer', timers.data),
  timer('Th', 'tcp', 'time of handshakes', timers.handshake, START),
  timer('Ti', 'http', 'idle time before the request', timers.idle, START),
  timer('Tq', 'http', 'time until the request was complete', timers.untilRequest, START),
  timer('TR', 'http', 'time to receive the request', timers.request, START),
  timer('Tr', 'http', 'time until the response head was complete', timers.response, EARLY),
  growing('Tt', 'tcp', 'time from accept to end', timers.total),
  growing('Tu', 'tcp', 'time that the user saw', timers.user),
  timer('Tw', 'tcp', 'time in queues', timers.queue),
  growing('B', 'tcp', 'bytes sent to the client', stream => stream.bytesOut),
  number('U', 'tcp', END, 'bytes received from the client', scene => scene.stream.bytesIn),
  captured('CC', 'captured cookie of the request', stream => stream.requestCookie),
  captured('CS', 'captured cookie of the response', stream => stream.responseCookie),
  text(
    'H',
    'tcp',
    START,
    'host name',
    scene => scene.hostname,
    scene => scene.hostname,
  ),
  sent('HM', 'method', requestLine.writeMethod),
  sent('HP', 'request target without query', requestLine.writeTargetWithoutQuery),
  sent('HPO', 'path', requestLine.writePath),
  sent('HQ', 'query with its question mark', requestLine.writeQuery),
  sent('HU', 'request target', requestLine.writeTarget),
  sent('HV', 'version', requestLine.writeVersion),
  sent('r', 'request line', requestLine.writeRequestLine),
  text('ID', 'tcp', END, 'unique id', scene => uniqueId(scene.stream)),
  number('ST', 'tcp', EARLY, 'status', scene => status(scene.stream)),
  number('ac', 'tcp', END, 'connections of the process', ({ stream }) =>
    word(stream, stream.context.at + PROCESS.at.conns),
  ),
  number('fc', 'tcp', END, 'connections of the frontend', ({ stream }) =>
    word(stream, stream.frontend.at + PROXY.at.fe_conns),
  ),
  number('bc', 'tcp', END, 'streams of the backend', ({ stream }) =>
    word(stream, backend(stream).at + PROXY.at.be_sess),
  ),
  number('sc', 'tcp', END, 'streams of the server', ({ stream }) =>
    stream.server === null ? 0 : word(stream, stream.server.at + SERVER.at.served),
  ),
  {
    name: 'rc',
    mode: 'tcp',
    known: END,
    doc: 'retries',
    type: 'sint',
    writer:
      ({ bare = false }) =>
      (line, scene) =>
        writeRetries(line, scene.stream, bare),
    streamless: () => line => line.number(0),
  },
  number('sq', 'tcp', END, 'place in the queue of the server', scene => scene.stream.serverQueuePlace),
  number('bq', 'tcp', END, 'place in the queue of the backend', scene => scene.stream.backendQueuePlace),
  text('f', 'tcp', START, 'frontend', scene => nameOf(scene.stream.frontend.proxy)),
  text('ft', 'tcp', START, 'frontend and its transport', transportName),
  text('b', 'tcp', START, 'backend', scene => nameOf(backend(scene.stream).proxy), ofCheck('proxy')),
  text(
    's',
    'tcp',
    EARLY,
    'server',
    scene => serverName(scene.stream),
    s => ofCheck('server')(s) ?? NO_SERVER,
  ),
  address('ci', START, 'address of the client', source),
  port('cp', START, 'port of the client', source),
  address('fi', START, 'address that the client connected to', destination),
  port('fp', START, 'port that the client connected to', destination),
  address('bi', EARLY, 'our address towards the server', stream => stream.serverLocal),
  port('bp', EARLY, 'our port towards the server', stream => stream.serverLocal),
  address('si', EARLY, 'address of the server', target),
  port('sp', EARLY, 'port of the server', target),
  number(
    'lc',
    'tcp',
    START,
    'lines that the frontend has logged',
    ({ stream }) => word(stream, stream.frontend.at + PROXY.at.fe_log_lines),
    { hexDigits: 4 },
  ),
  number('rt', 'tcp', END, 'number of the stream', ({ stream }) => streamNumber(stream), { hexDigits: 4 }),
  number('pid', 'tcp', START, 'process', scene => scene.pid, { hexDigits: 4, alone: scene => scene.pid }),
  text('OG', 'tcp', START, 'when the line was written', scene => ORIGINS[scene.origin]!),
  captures('hr', 'captured headers of the request', false, stream => stream.requestCaptures),
  captures('hrl', 'captured headers of the request, CLF', true, stream => stream.requestCaptures),
  captures('hs', 'captured headers of the response', false, stream => stream.responseCaptures),
  captures('hsl', 'captured headers of the response, CLF', true, stream => stream.responseCaptures),
  text('sslc', 'tcp', START, 'TLS cipher', s =>
    tlsText(
      s,
      tls => tls.cipher(),
      () => NO_CIPHER,
    ),
  ),
  text('sslv', 'tcp', START, 'TLS version', s => {
    return tlsText(
      s,
      tls => tls.version(),
      ({ listener }) => listener.bind.tls?.maxVersion ?? '',
    );
  }),
  {
    ...{ name: 'ts', mode: 'tcp', known: END, doc: 'termination state', type: 'str' },
    writer: () => (line, scene) => writeState(line, scene.stream),
    streamless: () => line => line.raw(NO_STATE),
  },
  {
    ...{ name: 'tsc', mode: 'http', known: END, doc: 'termination state and what became of the cookie', type: 'str' },
    writer: () => (line, scene) => {
      writeState(line, scene.stream);
      writeCookieState(line, scene.stream);
    },
  },
];

function acceptDate(scene: StreamScene): number {
  return scene.wallOf(scene.stream.acceptedAt);
}

function requestDate(scene: StreamScene): number {
  const { firstByteAt, acceptedAt } = scene.stream;
  return scene.wallOf(firstByteAt === 0 ? acceptedAt : firstByteAt);
}

/** The rows by name. */
export const ALIASES: ReadonlyMap<string, Variable> = new Map(VARIABLES.map(row => [row.name, row]));
