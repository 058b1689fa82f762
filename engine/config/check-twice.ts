/** What is there twice: names, numbers and addresses. */
import { formatAddress } from './address.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { BindDraft, ProxyDraft } from './draft.ts';
import type { Place } from './model.ts';
import { accepts, at, nameOf, serves } from './subjects.ts';

/** A frontend and a backend may have one name; two that do the same may not. */
export function sameNames(proxies: readonly ProxyDraft[], diagnostics: Diagnostics): void {
  const frontends = new Map<string, ProxyDraft>();
  const backends = new Map<string, ProxyDraft>();
  for (const proxy of proxies) {
    if (proxy.name === '') continue;
    const other =
      (accepts(proxy) ? frontends.get(proxy.name) : undefined) ??
      (serves(proxy) ? backends.get(proxy.name) : undefined);
    if (other !== undefined) {
      const { kind, name } = proxy;
      const message = `${kind} '${name}' has the same name as ${other.kind} '${name}' declared at ${at(other)}`;
      diagnostics.report('alert', proxy, message);
    }
    if (accepts(proxy)) frontends.set(proxy.name, proxy);
    if (serves(proxy)) backends.set(proxy.name, proxy);
  }
}

export function sameIds(proxies: readonly ProxyDraft[], diagnostics: Diagnostics): void {
  const seen = new Map<number, ProxyDraft>();
  for (const proxy of proxies) {
    const other = proxy.id === 0 ? undefined : seen.get(proxy.id);
    if (other === undefined) seen.set(proxy.id, proxy);
    else {
      const message = `${proxy.kind} ${proxy.name} reuses same custom id as ${other.kind} ${other.name} (declared at ${at(other)})`;
      diagnostics.report('alert', proxy, message);
    }
  }
}

type Named = Place & { readonly name: string };

/** Reports sections of one kind that have the name of an earlier one. */
export function sameSections(keyword: string, sections: readonly Named[], diagnostics: Diagnostics): void {
  sections.forEach((section, i) => {
    const other = sections.slice(0, i).find(({ name }) => name === section.name);
    if (other === undefined) return;
    const message = `${keyword} '${section.name}' has the same name as another one, declared at ${at(other)}`;
    diagnostics.report('alert', section, message);
  });
}

/** Reports entries of a proxy that have the number or the name of an earlier one. */
export function listenersAndServers(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  const names = new Map<string, Place>();
  const serverIds = new Map<number, string>();
  for (const server of proxy.servers) {
    const subject = `'server ${proxy.name}/${server.name}'`;
    const twin = names.get(server.name);
    if (twin === undefined) names.set(server.name, server);
    else {
      const message = `${nameOf(proxy)}, another server named '${server.name}' was already defined at line ${twin.line}, please use distinct names`;
      diagnostics.report('alert', server, message);
    }
    const holder = serverIds.get(server.id);
    if (server.id !== 0 && holder !== undefined) {
      diagnostics.report('alert', server, `${subject}: custom id ${server.id} already used at ${holder}`);
    } else serverIds.set(server.id, `${at(server)} ('server ${server.name}')`);
  }
  const bindIds = new Map<number, string>();
  for (const bind of proxy.binds) {
    const holder = bindIds.get(bind.id);
    if (bind.id !== 0 && holder !== undefined) {
      diagnostics.report('alert', bind, `'bind ${bind.text}': custom id ${bind.id} already used at ${holder}`);
    } else bindIds.set(bind.id, `${at(bind)} ('bind ${bind.text}')`);
  }
}

/** Sockets of one address take connections from each other. Lines for distinct threads are meant so. */
export function sameAddresses(proxies: readonly ProxyDraft[], diagnostics: Diagnostics): void {
  const seen = new Map<string, BindDraft>();
  for (const bind of proxies.filter(proxy => !proxy.disabled).flatMap(proxy => proxy.binds)) {
    if (bind.address === null) continue;
    const key = `${bind.abstract} ${bind.mptcp} ${bind.interface} ${bind.namespace} ${formatAddress(bind.address)}`;
    const other = seen.get(key);
    if (other === undefined) seen.set(key, bind);
    else if (bind.threads === null || other.threads === null) {
      diagnostics.report('notice', bind, `'bind ${bind.text}': the same address is bound at ${at(other)} already`);
    }
  }
}
