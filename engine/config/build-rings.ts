/** Rings of the model: the sections, `buf0` which is always there, and one for each stream address of a `log` line. */
import { BUF0_BYTES } from '../limits.ts';
import { type Directory, resolve } from './build-server.ts';
import type { TlsBuilder } from './build-tls.ts';
import { newRing, type RingDraft } from './draft.ts';
import type { LogTarget, Ring } from './log-model.ts';
import type { Drafts } from './sections.ts';

/** Time-outs of a ring that no section describes. */
const CONNECT_MS = 1_000;
const SERVER_MS = 5_000;

export const BUF0 = 'buf0';

/** The `log` lines of all sections. */
export function allLogs({ global, proxies }: Drafts): readonly LogTarget[] {
  return [...global.logs, ...proxies.flatMap(proxy => proxy.logs)] as readonly LogTarget[];
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
  return rings;
}

function ringOf({ defaultServer: _, servers, ...ring }: RingDraft, directory: Means): Ring {
  return {
    ...ring,
    servers: servers.map(server => {
      const { name, source, logProto, endpoint, tls } = server;
      const address = resolve(endpoint!, server, { ...directory, proxy: ring });
      const secret = directory.tls.streamless(tls, server, `'server ${ring.name}/${name}'`);
      return { name, address, source: source?.address ?? null, octetCount: logProto === 'octet-count', tls: secret };
    }),
  };
}

/** What a stream address of a `log` line makes of a ring: the header of its lines is that of the log line. */
function implicit(name: string, address: NonNullable<LogTarget['endpoint']>): Partial<Ring> {
  const servers = [{ name, address, source: null, octetCount: false, tls: null }];
  return { format: '', connectMs: CONNECT_MS, serverMs: SERVER_MS, servers };
}
