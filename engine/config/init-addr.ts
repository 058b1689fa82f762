/** Where a server is when the process starts: `init-addr` (manual 5.2). */

import { nowhere } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { ProxyDraft, Resources, ServerDraft } from './draft.ts';
import type { Naming, SavedState } from './server-model.ts';

interface World {
  readonly proxy: ProxyDraft;
  readonly diagnostics: Diagnostics;
  readonly resources: Resources;
}

/** The name of SRV records rather than of a host. */
export function isService(hostname: string): boolean {
  return hostname.startsWith('_');
}

/** Where the first of the methods that finds something says that it is; reports when none does. */
export function initialAddress(
  draft: ServerDraft,
  naming: Naming | null,
  saved: SavedState | null,
  world: World,
): Address {
  const { address, hostname, family, port } = draft.endpoint!;
  if (hostname === null) return address!;
  if (naming?.service) return lastAddress(draft, saved) ?? nowhere(port);
  const complain = (severity: 'alert' | 'warning', more: string): void => {
    const subject = `'server ${world.proxy.name}/${draft.name}'`;
    world.diagnostics.report(severity, draft, `${subject}: could not resolve address '${hostname}'${more}`);
  };
  let asked = false;
  const last = world.resources.ignoreResolution ? (['none'] as const) : [];
  for (const method of [...draft.initAddr, ...last]) {
    if (method === 'none' || typeof method === 'object') {
      const [found, instead] =
        method === 'none'
          ? [nowhere(port), 'disabling server']
          : [{ ...method, port }, 'falling back to configured address'];
      if (asked) complain('warning', `, ${instead}`);
      return found;
    }
    if (method === 'libc') asked = true;
    const found = method === 'libc' ? world.resources.resolve(hostname, family) : lastAddress(draft, saved);
    if (found !== null) return { ...found, port };
  }
  complain('alert', '');
  return nowhere(port);
}

/** What a state file has kept of it; only where `init-addr` wants that. */
function lastAddress({ initAddr }: ServerDraft, saved: SavedState | null): Address | null {
  return initAddr.includes('last') ? (saved?.address ?? null) : null;
}
