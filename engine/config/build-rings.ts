/**
 * Rings of the model: the sections, `buf0` which is always there, one for each stream address of a `log` line, and one for
 * each server of a log backend that takes a stream.
 */
import { BUF0_BYTES } from '../limits.ts';
import { type Directory, reachOf, resolve } from './build-server.ts';
import type { TlsBuilder } from './build-tls.ts';
import type { ExpressionUse, ProxyDraft, RingDraft, ServerDraft } from './draft.ts';
import { type LogTarget, type Ring, type RingServer, ringOfServer } from './log-model.ts';
import { newRing, newServer } from './new-drafts.ts';
import type { Drafts } from './sections.ts';

/** Time-outs of a ring that no section describes. */
const CONNECT_MS = 1_000;
const SERVER_MS = 5_000;

export const BUF0 = 'buf0';
const OF_BUF0 = { sizeBytes: BUF0_BYTES, format: 'timed', description: 'in-memory ring buffer' };

/** The `log` lines of all sections. */
export function allLogs({ global, proxies, peers, logForwards }: Drafts): readonly LogTarget[] {
  const sections = [global, ...proxies, ...peers, ...logForwards];
  return sections.flatMap(({ logs }): readonly LogTarget[] => logs as readonly LogTarget[]);
}

/** Where names are looked up, and what reads the files of TLS. */
type Means = Omit<Directory, 'proxy'> & { readonly tls: TlsBuilder };

export function ringsOf(drafts: Drafts, directory: Means): Ring[] {
  const rings = drafts.rings.map(ring => ringOf(ring, directory));
  for (const { name, maxlenBytes, sizeBytes, ...place } of rings) {
    if (maxlenBytes <= sizeBytes) continue;
    const message = `ring '${name}' event max length '${maxlenBytes}' exceeds size, forced to size '${sizeBytes}'`;
    directory.diagnostics.report('warning', place, message);
  }
  for (const log of allLogs(drafts)) {
    if (log.ring === null || rings.some(({ name }) => name === log.ring)) continue;
    const ring = ringOf(newRing(log, log.ring), directory);
    if (log.endpoint !== null) rings.push({ ...ring, ...implicit(log.ring, log.endpoint, directory) });
    else if (log.ring === BUF0) rings.push({ ...ring, ...OF_BUF0 });
  }
  const first = drafts.proxies.flatMap(({ expressions }) => expressions).find(debugsToBuf0);
  if (first !== undefined && !rings.some(({ name }) => name === BUF0)) {
    rings.push({ ...ringOf(newRing(first, BUF0), directory), ...OF_BUF0 });
  }
  for (const proxy of drafts.proxies) {
    for (const server of streamServers(proxy)) rings.push(ringFor(proxy, server, directory));
  }
  return rings;
}

/** A converter `debug` without another destination. */
function debugsToBuf0({ expression }: ExpressionUse): boolean {
  return expression.converters.some(({ name, args }) => name === 'debug' && (args[1] ?? BUF0) === BUF0);
}

/** The servers of a log backend that take no datagrams. */
export function streamServers({ mode, servers }: ProxyDraft): readonly ServerDraft[] {
  return mode === 'log' ? servers.filter(({ datagrams }) => !datagrams) : [];
}

function ringFor(proxy: ProxyDraft, server: ServerDraft, directory: Means): Ring {
  const { connectMs, serverMs } = proxy.timeouts;
  return {
    ...ringOf(newRing(server, ringOfServer(proxy, server)), directory),
    ...{ format: '', sizeBytes: server.logBufBytes },
    ...{ connectMs: connectMs || CONNECT_MS, serverMs: serverMs || SERVER_MS },
    servers: [serverOf(proxy, server, directory)],
  };
}

function ringOf({ defaultServer: _, namedServers: _named, servers, ...ring }: RingDraft, directory: Means): Ring {
  return { ...ring, servers: servers.map(server => serverOf(ring, server, directory)) };
}

function serverOf(owner: { readonly name: string }, server: ServerDraft, directory: Means): RingServer {
  const { name, logProto, endpoint } = server;
  const address = resolve(endpoint!, server, { ...directory, proxy: owner });
  const reach = reachOf(server, directory.tls, `'server ${owner.name}/${name}'`);
  return { name, address, octetCount: logProto === 'octet-count', ...reach };
}

/** What a stream address of a `log` line makes of a ring: the header of its lines is that of the log line. */
function implicit(name: string, address: NonNullable<LogTarget['endpoint']>, { tls }: Means): Partial<Ring> {
  const servers = [{ name, address, octetCount: false, ...reachOf(newServer(), tls, name) }];
  return { format: '', connectMs: CONNECT_MS, serverMs: SERVER_MS, servers };
}
