/** Fetches of connections, frontends, backends and servers (manual 7.3.3). */

import { networkInterfaces } from 'node:os';
import type { Proxy, Timeouts } from '../config/proxy-model.ts';
import type { Server } from '../config/server-model.ts';
import type { Address } from '../io/contract.ts';
import { PROXY } from '../proxy/preamble.ts';
import type { Stream } from '../proxy/stream.ts';
import { LISTENER } from '../shm/words.ts';
import type { Fetch, SampleContext } from './context.ts';
import { CLOCK_OFFSET_MS, inUnit, unitProblem } from './fetches-internal.ts';
import type { Source } from './points.ts';
import { type FetchRow, fetch, plain } from './row.ts';
import { bytesOf } from './sample.ts';

type AddressOf = (ctx: SampleContext) => Address | null;

const source: AddressOf = ctx => ctx.session.source();
const destination: AddressOf = ctx => ctx.session.destination();
/** Without what a PROXY header or a rule said. */
const peer: AddressOf = ctx => ctx.session.conn.peer();
const local: AddressOf = ctx => ctx.session.conn.local();
const serverPeer: AddressOf = ctx => ctx.stream?.serverSide?.conn?.peer() ?? null;
const serverLocal: AddressOf = ctx => ctx.stream?.serverSide?.conn?.local() ?? ctx.stream?.serverLocal ?? null;

function ip(of: AddressOf): Fetch {
  return (ctx, out) => {
    const address = of(ctx);
    return address !== null && address.family !== 1 && out.setIp(address.bytes);
  };
}

function port(of: AddressOf): Fetch {
  return (ctx, out) => {
    const address = of(ctx);
    return address !== null && address.family !== 1 && out.setInt(address.port);
  };
}

/** One of this machine's own addresses. */
function isLocal(of: AddressOf): Fetch {
  return (ctx, out) => {
    const address = of(ctx);
    if (address === null || address.family === 1) return false;
    const { bytes } = address;
    if (bytes.length === 4 ? bytes[0] === 127 : bytes.every((b, i) => b === (i === 15 ? 1 : 0)))
      return out.setBool(true);
    return out.setBool(OWN.has(bytes.join('.')));
  };
}

/** Bytes of the addresses of all interfaces, as they were at the start. */
const OWN = new Set(
  Object.values(networkInterfaces())
    .flatMap(list => list ?? [])
    .filter(entry => entry.family === 'IPv4')
    .map(entry => entry.address),
);

type NumberOf = (stream: Stream) => number;

/** A number of the stream; -1 = it has none. */
function ofStream(name: string, from: Source, doc: string, read: NumberOf): FetchRow {
  return plain(name, 'sint', from, doc, (ctx, out) => {
    const value = ctx.stream === null ? -1 : read(ctx.stream);
    return value >= 0 && out.setInt(value);
  });
}

function name(key: string, from: Source, doc: string, of: (ctx: SampleContext) => string | null): FetchRow {
  return plain(key, 'str', from, doc, (ctx, out) => {
    const text = of(ctx);
    if (text === null) return false;
    const bytes = bytesOf(text);
    return out.setStr(bytes, 0, bytes.length);
  });
}

/** The stream's backend, or its frontend until one is chosen; that of a health check. What is no request has none. */
function backendOf({ check, stream, session }: SampleContext): Proxy | null {
  if (stream === null || stream.refused) return check?.proxy ?? null;
  return stream.backend?.proxy ?? session.frontend.proxy;
}

function serverOf({ check, stream }: SampleContext): Server | null {
  return check?.server ?? stream?.server?.config ?? null;
}

/** The number of a proxy or a server. */
function id(
  key: string,
  from: Source,
  doc: string,
  of: (ctx: SampleContext) => { readonly id: number } | null,
): FetchRow {
  return plain(key, 'sint', from, doc, (ctx, out) => {
    const found = of(ctx);
    return found !== null && out.setInt(found.id);
  });
}

/** A configured time-out of the stream's backend, or of its frontend. */
function timeout(key: string, side: 'backend' | 'frontend', field: keyof Timeouts, doc: string): FetchRow {
  return plain(key, 'sint', side, doc, (ctx, out) => {
    const proxy = side === 'frontend' ? ctx.session.frontend.proxy : backendOf(ctx);
    return proxy !== null && out.setInt(proxy.timeouts[field]);
  });
}

/** Time-outs that a frontend has. */
const OF_FRONTENDS = ['client', 'tarpit'];

/** The time-out in force, as `set-timeout` left it. */
function current(kind: string, of: (s: Stream) => number): FetchRow {
  return ofStream(
    `cur_${kind}_timeout`,
    OF_FRONTENDS.includes(kind) ? 'frontend' : 'backend',
    `The stream's ${kind} time-out.`,
    of,
  );
}

/** Where no HTTP is spoken there is no version of it. */
const httpMajor: Fetch = ({ stream }, out) => stream?.http === true && out.setInt(1);

/** When the request's first byte came, or what stands for it. */
const begin = (s: Stream): number => s.firstByteAt || s.acceptedAt;

export const CONNECTION_FETCHES: readonly FetchRow[] = [
  plain('src', 'addr', 'client', "The client's address.", ip(source)),
  plain('src_port', 'sint', 'client', "The client's port.", port(source)),
  plain('src_is_local', 'bool', 'client', 'The client is this machine.', isLocal(source)),
  plain('dst', 'addr', 'client', 'The address it connected to.', ip(destination)),
  plain('dst_port', 'sint', 'client', 'The port it connected to.', port(destination)),
  plain('dst_is_local', 'bool', 'client', "That address is this machine's.", isLocal(destination)),
  plain('fc_src', 'addr', 'client', "The connection's own source.", ip(peer)),
  plain('fc_src_port', 'sint', 'client', "The connection's own source port.", port(peer)),
  plain('fc_src_is_local', 'bool', 'client', 'That source is this machine.', isLocal(peer)),
  plain('fc_dst', 'addr', 'client', "The connection's own destination.", ip(local)),
  plain('fc_dst_port', 'sint', 'client', "The connection's own destination port.", port(local)),
  plain('fc_dst_is_local', 'bool', 'client', "That destination is this machine's.", isLocal(local)),
  plain('fc_rcvd_proxy', 'bool', 'client', 'A PROXY header came.', (ctx, out) =>
    out.setBool(ctx.session.preambles.includes(PROXY)),
  ),
  plain('fc_http_major', 'sint', 'client', "Major HTTP version of the client's connection.", httpMajor),
  plain('bc_http_major', 'sint', 'serverAddress', "Major HTTP version of the server's connection.", httpMajor),
  plain('bc_src', 'addr', 'serverAddress', 'The address we connected to the server from.', ip(serverLocal)),
  plain('bc_src_port', 'sint', 'serverAddress', 'The port we connected to the server from.', port(serverLocal)),
  plain('bc_dst', 'addr', 'serverAddress', "The server's address.", ip(serverPeer)),
  plain('bc_dst_port', 'sint', 'serverAddress', "The server's port.", port(serverPeer)),
  plain('bc_reused', 'bool', 'serverAddress', 'The connection had served another request.', (ctx, out) => {
    return ctx.stream?.serverSide != null && out.setBool(ctx.stream.serverSide.reused);
  }),
  fetch(
    'accept_date',
    '[unit:str]',
    'sint',
    'client',
    'When the connection was accepted.',
    args => {
      return (ctx, out) =>
        out.setInt(inUnit((ctx.stream?.acceptedAt ?? ctx.session.acceptedAt) + CLOCK_OFFSET_MS, args, 0));
    },
    {
      check: unitProblem(0),
      good: ['accept_date', 'accept_date(ms)'],
      bad: [['accept_date(x)', "invalid args in fetch method 'accept_date' : expects 's', 'ms' or 'us', got 'x'"]],
    },
  ),
  fetch(
    'request_date',
    '[unit:str]',
    'sint',
    'request',
    'When the first byte of the request came.',
    args => {
      return (ctx, out) => ctx.stream !== null && out.setInt(inUnit(begin(ctx.stream) + CLOCK_OFFSET_MS, args, 0));
    },
    {
      check: unitProblem(0),
      good: ['request_date', 'request_date(us)'],
      bad: [['request_date(x)', "invalid args in fetch method 'request_date' : expects 's', 'ms' or 'us', got 'x'"]],
    },
  ),
  plain('fe_id', 'sint', 'frontend', 'Number of the frontend.', (ctx, out) =>
    out.setInt(ctx.session.frontend.proxy.id),
  ),
  name('fe_name', 'frontend', 'Name of the frontend.', ctx => ctx.session.frontend.proxy.name),
  name('fe_defbe', 'frontend', 'Its default backend.', ({ session: { frontend } }) => {
    const proxy = frontend.defaultBackend?.proxy ?? null;
    // A listen section is its own backend, not one that somebody named.
    return proxy === null || proxy === frontend.proxy ? null : proxy.name;
  }),
  id('be_id', 'backend', 'Number of the backend.', backendOf),
  name('be_name', 'backend', 'Name of the backend.', ctx => backendOf(ctx)?.name ?? null),
  id('srv_id', 'server', 'Number of the server.', serverOf),
  name('srv_name', 'server', 'Name of the server.', ctx => serverOf(ctx)?.name ?? null),
  plain('so_id', 'sint', 'listener', 'Number of the listener.', (ctx, out) => out.setInt(ctx.session.listener.bind.id)),
  name('so_name', 'listener', 'Name of the listener, where it was given one.', ({ session }) => {
    const { name, id } = session.listener.bind;
    return name === `sock-${id}` ? null : name;
  }),
  plain('dst_conn', 'sint', 'client', 'Connections of the listener now.', ({ session: { context, listener } }, out) => {
    return out.setInt(Atomics.load(context.words, listener.at + LISTENER.at.conns));
  }),
  timeout('be_connect_timeout', 'backend', 'connectMs', "The backend's connect time-out."),
  timeout('be_queue_timeout', 'backend', 'queueMs', "The backend's queue time-out."),
  timeout('be_server_timeout', 'backend', 'serverMs', "The backend's server time-out."),
  timeout('be_tarpit_timeout', 'backend', 'tarpitMs', "The backend's tarpit time-out."),
  timeout('be_tunnel_timeout', 'backend', 'tunnelMs', "The backend's tunnel time-out."),
  timeout('fe_client_timeout', 'frontend', 'clientMs', "The frontend's client time-out."),
  timeout('fe_tarpit_timeout', 'frontend', 'tarpitMs', "The frontend's tarpit time-out."),
  current('client', s => s.clientMs),
  current('connect', s => s.timeouts.connectMs),
  current('queue', s => s.timeouts.queueMs),
  current('server', s => s.timeouts.serverMs),
  current('tarpit', s => s.timeouts.tarpitMs),
  current('tunnel', s => s.timeouts.tunnelMs),
  ofStream('be_max_retries', 'backend', "The backend's retries.", s => s.backend?.proxy.retries ?? -1),
  ofStream('cur_max_retries', 'backend', "The stream's retries.", s =>
    s.retries >= 0 ? s.retries : (s.backend?.proxy.retries ?? -1),
  ),
  ofStream('txn.conn_retries', 'serverAddress', 'Connections tried again.', s => s.attempts),
  plain(
    'txn.redispatched',
    'bool',
    'serverAddress',
    'Another server was taken.',
    (ctx, out) => ctx.stream !== null && out.setBool(ctx.stream.redispatched),
  ),
  ofStream('bytes_in', 'requestEnd', 'Bytes from the client.', s => s.bytesIn),
  ofStream('bytes_out', 'responseEnd', 'Bytes to the client.', s => s.bytesOut),
  ofStream('req.bytes_in', 'requestEnd', 'Bytes from the client.', s => s.bytesIn),
  ofStream('req.bytes_out', 'requestEnd', 'Bytes to the server.', s => s.serverBytesOut),
  ofStream('res.bytes_in', 'responseEnd', 'Bytes from the server.', s => s.serverBytesIn),
  ofStream('res.bytes_out', 'responseEnd', 'Bytes to the client.', s => s.bytesOut),
];
