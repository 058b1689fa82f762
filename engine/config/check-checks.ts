/** Cross-checks of what the lines about checks say together. HAProxy's words where it has some. */
import { trackedName } from './build-server.ts';
import { checkOf } from './check-draft.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { ProxyDraft, ServerDraft } from './draft.ts';
import { expressionReferences } from './expression-references.ts';
import { newProxy } from './new-drafts.ts';
import type { Drafts } from './sections.ts';
import { didYouMean } from './suggest.ts';

/** All of it for one proxy that has servers. */
export function checkChecks(proxy: ProxyDraft, diagnostics: Diagnostics, drafts: Drafts): void {
  if (proxy.kind === 'frontend') return;
  const script = checkOf(proxy.check);
  if ('error' in script) diagnostics.report('alert', proxy, `proxy '${proxy.name}': ${script.error}`);
  const external = proxy.check.type === 'external' && proxy.servers.some(server => server.check);
  if (external && !drafts.global.externalCheck) {
    diagnostics.report(
      'alert',
      proxy,
      `proxy '${proxy.name}': 'option external-check' needs 'external-check' in the global section`,
    );
  }
  for (const server of proxy.servers) checkServer(server, proxy, diagnostics, drafts);
}

function checkServer(server: ServerDraft, proxy: ProxyDraft, diagnostics: Diagnostics, drafts: Drafts): void {
  const alert = (message: string, hint: string | null = null): void =>
    diagnostics.report('alert', server, `'server ${proxy.name}/${server.name}': ${message}`, hint);
  const { healthcheck } = server;
  const names = drafts.healthchecks.map(({ name }) => name);
  if (healthcheck !== null && !names.includes(healthcheck)) {
    alert(`unable to find healthcheck '${healthcheck}'`, didYouMean(healthcheck, names));
  }
  if (server.agentCheck && server.agentPort === 0 && server.checkPort === 0) {
    alert("'agent-check' needs the port of the agent", "write 'agent-port <port>'");
  }
  if (server.observe === 7 && proxy.mode !== 'http') alert("'observe layer7' needs 'mode http'");
  if (server.checkViaSocks4 && server.socks4 === null) alert("'check-via-socks4' needs 'socks4 <address>:<port>'");
  if (server.track === null) return;
  if (server.check || server.agentCheck) alert("'track' cannot be used together with 'check' or 'agent-check'");
  else if (server.initState !== 'none') alert("'track' cannot be used together with 'init-state'");
  else trackingChain(server, proxy, drafts, alert);
}

type Alert = (message: string, hint?: string | null) => void;

/** At the end of a chain of tracking servers one must be checked. */
function trackingChain(server: ServerDraft, proxy: ProxyDraft, { proxies }: Drafts, alert: Alert) {
  const seen = new Set([server]);
  let [at, owner] = [server, proxy];
  while (at.track !== null) {
    const wanted = trackedName(at.track, owner.name);
    const backends = proxies.filter(({ kind }) => kind !== 'frontend');
    const backend = backends.find(({ name }) => name === wanted.backend);
    const hint = (list: readonly { readonly name: string }[], name: string): string | null =>
      didYouMean(
        name,
        list.map(entry => entry.name),
      );
    if (backend === undefined) {
      return alert(`unable to find required proxy '${wanted.backend}' for tracking`, hint(backends, wanted.backend));
    }
    const found = backend.servers.find(({ name }) => name === wanted.server);
    if (found === undefined) {
      const near = hint(backend.servers, wanted.server);
      return alert(`unable to find required server '${wanted.server}' for tracking`, near);
    }
    if (seen.has(found))
      return alert(`unable to use ${backend.name}/${found.name} for tracking: they track each other`);
    seen.add(found);
    [at, owner] = [found, backend];
  }
  if (at.check || at.agentCheck) return;
  alert(`unable to use ${owner.name}/${at.name} for tracking as it does not have any check nor agent enabled`);
}

/** Sections that share a name, and what is wrong with one by itself. */
export function checkHealthchecks(drafts: Drafts, diagnostics: Diagnostics): void {
  const seen = new Set<string>();
  for (const section of drafts.healthchecks) {
    const subject = `healthcheck '${section.name}'`;
    if (seen.has(section.name)) diagnostics.report('alert', section, `${subject} is declared twice`);
    seen.add(section.name);
    const script = checkOf(section.check);
    if ('error' in script) diagnostics.report('alert', section, `${subject}: ${script.error}`);
    // Its servers belong to proxies of their own: what names none is looked up there when the check runs.
    const owner: ProxyDraft = { ...newProxy(), kind: 'defaults', name: section.name, expressions: section.expressions };
    expressionReferences(owner, diagnostics, drafts);
  }
}
