/**
 * Rings of the model: the sections, `buf0` which is always there, one for each stream address of a `log` line, and one for
 * each server of a log backend that takes a stream.
 */
import { BUF0_BYTES } from '../limits.ts';
import { type Directory, resolve } from './build-server.ts';
import type { TlsBuilder } from './build-tls.ts';
import type { ProxyDraft, RingDraft, ServerDraft } from './draft.ts';
import { type LogTarget, type Ring, type RingServer, ringOfServer } from './log-model.ts';
import { newRing } from './new-drafts.ts';
import type { Drafts } from './sections.ts';

/** Time-outs of a ring that no section describes. */
const CONNECT_MS = 1_000;
const SERVER_MS = 5_000;

export const BUF0 = 'buf0';

/** The `log` lines of all sections. */
export function allLogs({ global, proxies, peers, logForwards }: Drafts): readonly LogTarget[] {
  const sections = [global, ...proxies, ...peers, ...logForwards];
  return sections.flatMap(({ logs }): readonly LogTarget[] => logs as readonly LogTarget[]);
}

/** Where names are looked up, and what reads the files of TLS. */
type Means = Omit<Directory, 'proxy'> & { readonly tls: TlsBuilder };

export function ringsOf(drafts: Drafts, directory: Means): Ring[] {
  const rings = drafts.rings.map(ring => ringOf(ring, directory));
  for (const log of allLogs(drafts)) {
    if (log.ring === null || rings.some(({ name }) => name === log.ring)) continue;
    const ring = ringOf(newRing(log, log.ring), directory);
    if (log.endpoint !== null) rings.push({ ...ring, ...implicit(log.ring, log.endpoint) });
    else if (log.ring === BUF0) rings.push({ ...ring, sizeBytes: BUF0_BYTES });
  }
  for (const proxy of drafts.proxies) {
    for (const server of streamServers(proxy)) rings.push(ringFor(proxy, server, directory));
  }
  return rings;
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

function ringOf({ defaultServer: _, servers, ...ring }: RingDraft, directory: Means): Ring {
  return { ...ring, servers: servers.map(server => serverOf(ring, server, directory)) };
}

function serverOf(owner: { readonly name: string }, server: ServerDraft, directory: Means): RingServer {
  const { name, source, logProto, endpoint, tls } = server;
  const address = resolve(endpoint!, server, { ...directory, proxy: owner });
  const secret = directory.tls.streamless(tls, server, `'server ${owner.name}/${name}'`);
  return { name, address, source: source?.address ?? null, octetCount: logProto === 'octet-count', tls: secret };
}

/** What a stream address of a `log` line makes of a ring: the header of its lines is that of the log line. */
function implicit(name: string, address: NonNullable<LogTarget['endpoint']>): Partial<Ring> {
  const servers = [{ name, address, source: null, octetCount: false, tls: null }];
  return { format: '', connectMs: CONNECT_MS, serverMs: SERVER_MS, servers };
}
