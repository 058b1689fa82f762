/** How messages name what they are about. */
import type { ProxyDraft } from './draft.ts';
import type { Place } from './model.ts';

/** `c.cfg:12` */
export function at({ file, line }: Place): string {
  return `${file}:${line}`;
}

/** HAProxy calls a `listen` a proxy. */
export function kindOf({ kind }: { readonly kind: string }): string {
  return kind === 'listen' ? 'proxy' : kind;
}

/** `listen x` is `proxy 'x'`. */
export function nameOf(proxy: Pick<ProxyDraft, 'kind' | 'name'>): string {
  return `${kindOf(proxy)} '${proxy.name}'`;
}

export function accepts(proxy: ProxyDraft): boolean {
  return proxy.kind !== 'backend';
}

export function serves(proxy: ProxyDraft): boolean {
  return proxy.kind !== 'frontend';
}
