/** From the draft of a server to the model: addresses, checks, the server it tracks. */
import { isNowhere, parseIp } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { portCount, portWords } from '../shm/source-ports.ts';
import type { Endpoint } from './address.ts';
import type { TlsBuilder } from './build-tls.ts';
import { checkOf } from './check-draft.ts';
import type { Check } from './check-model.ts';
import { agentCheck } from './check-presets.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { ProxyDraft, Resources, ServerDraft } from './draft.ts';
import { initialAddress, isService } from './init-addr.ts';
import type { Drafts } from './sections.ts';
import type { AgentCheck, Naming, Reach, Resolvers, SavedState, Server, ServerCheck } from './server-model.ts';
import type { StateFiles } from './server-state.ts';
import type { StickTable } from './stick-model.ts';

/** What the servers of one proxy are made with. */
export interface Workshop {
  readonly proxy: ProxyDraft;
  /** Places of the backends, by name. */
  readonly backends: ReadonlyMap<string, number>;
  readonly drafts: Drafts;
  readonly resolvers: readonly Resolvers[];
  readonly states: StateFiles;
  readonly tls: TlsBuilder;
  readonly tables: readonly StickTable[];
  /** Words of source ports that servers have so far. */
  readonly ports: { used: number };
  readonly diagnostics: Diagnostics;
  readonly resources: Resources;
}

const ANY: Address = { family: 4, bytes: new Uint8Array(4), port: 0 };

export function serverOf(draft: ServerDraft, index: number, workshop: Workshop): Server {
  const { interMs: _i, fastinterMs: _f, downinterMs: _d, rise: _r, fall: _l, healthcheck: _h, ...settings } = draft;
  const { checkPort: _p, checkAddress: _a, checkSendProxy: _s, checkViaSocks4: _v, ...rest } = settings;
  const { agentCheck: _g, agentInterMs: _gi, agentPort: _gp, agentAddress: _ga, agentSend: _gs, ...more } = rest;
  const { initAddr: _ia, resolvers: _rs, resolvePrefer: _rp, resolveNet: _rn, ...others } = more;
  const {
    allowDuplicates: _ad,
    ignoreWeight: _iw,
    endpoint,
    check,
    track,
    observe,
    onError,
    errorLimit,
    logProto: _lp,
    logBufBytes: _lb,
    tls,
    ...own
  } = others;
  const naming = namingOf(draft, workshop);
  const saved = workshop.states.of(workshop.proxy, draft.name);
  const address = initialAddress(draft, naming, saved, workshop);
  const { portRelative, portOffset } = endpoint!;
  const subject = `'server ${workshop.proxy.name}/${draft.name}'`;
  const checkSni = tls.checkSni ?? (tls.checkSniAuto ? hostOfCheck(draft, workshop) : null);
  // Other protocols name no host.
  const sniAuto = tls.sniAuto && workshop.proxy.mode === 'http';
  const made = (forCheck: boolean) => workshop.tls.server({ ...tls, sniAuto, checkSni }, forCheck, draft, subject);
  workshop.tls.look(tls, draft, subject);
  // `check-ssl` has its settings looked at even where nothing is checked.
  const checked = draft.check && (checksTls(draft) || stepsWantTls(draft, workshop));
  const checkTls = checked || tls.checkSsl === true ? made(true) : null;
  return {
    ...own,
    ...limitsOf(draft),
    ...{ index, address, naming, saved, portOffset },
    hostname: hostnameOf(naming, saved, endpoint!.hostname),
    // The port behind a service is told by its records.
    portRelative: naming?.service ? false : portRelative,
    check: check ? serverCheck(draft, address, workshop) : null,
    agent: draft.agentCheck ? agentOf(draft, address, workshop) : null,
    track: track === null ? null : trackOf(track, workshop),
    portsAt: portsAt(draft, workshop.ports),
    observe: observe === 0 || !check ? null : { layer: observe, onError, errorLimit },
    tls: tls.ssl ? made(false) : null,
    checkTls: checked ? checkTls : null,
  };
}

/** The name behind a service is told by its records, at first by those of an older process; others an operator may change. */
function hostnameOf(naming: Naming | null, saved: SavedState | null, configured: string | null): string | null {
  if (naming?.service) return saved?.service === naming.service ? saved.hostname : null;
  return naming !== null && saved?.renamed ? saved.hostname : configured;
}

/** Where the words of its source ports stand among those of all; -1 = it needs none. */
function portsAt(draft: ServerDraft, ports: { used: number }): number {
  const at = ports.used;
  ports.used += portWords(portCount(draft));
  return ports.used === at ? -1 : at;
}

/** How a server is reached that no stream leads to: a peer, a log server. `subject` begins messages. */
export function reachOf(draft: ServerDraft, builder: TlsBuilder, subject: string): Reach {
  const { source, tcpUserTimeoutMs, congestion, md5sig, namespace, mptcp, socks4, sendProxy, proxyOptions } = draft;
  const tls = builder.streamless(draft.tls, draft, subject);
  return { source, tcpUserTimeoutMs, congestion, md5sig, namespace, mptcp, socks4, sendProxy, proxyOptions, tls };
}

/** Checks speak TLS as the server does, unless they go to another place; `check-ssl` and `no-check-ssl` decide. */
function checksTls({ tls, checkPort, checkAddress }: ServerDraft): boolean {
  return tls.checkSsl ?? (tls.ssl && checkPort === 0 && checkAddress === null);
}

/** `check-sni-auto`: the Host that `option httpchk` or the first `http-check send` names, where no `http-check connect` is. */
function hostOfCheck({ healthcheck }: ServerDraft, { proxy, drafts }: Workshop): string | null {
  const { check } = drafts.healthchecks.find(({ name }) => name === healthcheck) ?? proxy;
  if (check.type !== 'http' || check.http.list.some(({ kind }) => kind === 'connect')) return null;
  const request = (checkOf(check) as Check).steps.find(step => step.kind === 'request');
  const host = request?.headers.find(([name]) => name.toLowerCase() === 'host')?.[1];
  const name = typeof host === 'string' ? host.replace(/:\d*$/, '') : '';
  return name === '' || parseIp(name, 0) !== null ? null : name;
}

/** `tcp-check connect ssl`. */
function stepsWantTls({ healthcheck }: ServerDraft, { proxy, drafts }: Workshop): boolean {
  const section = drafts.healthchecks.find(({ name }) => name === healthcheck);
  // What is wrong with it has been said.
  const { steps } = checkOf((section ?? proxy).check) as Check;
  return steps.some(step => step.kind === 'connect' && step.tls);
}

/** Where names are looked up, and who is named when one has no address. */
export interface Directory extends Pick<Workshop, 'diagnostics' | 'resources'> {
  readonly proxy: { readonly name: string };
}

export function resolve(what: Endpoint, draft: ServerDraft, { proxy, diagnostics, resources }: Directory): Address {
  const found = what.hostname === null ? what.address : resources.resolve(what.hostname, what.family);
  if (found !== null) return found.family === 1 ? found : { ...found, port: what.port };
  const message = `'server ${proxy.name}/${draft.name}': could not resolve address '${what.hostname}'`;
  diagnostics.report('alert', draft, message);
  return ANY;
}

/** A unix socket has no port; a server without an address yet has one. */
function withPort(address: Address, port: number): Address {
  return address.family === 1 && !isNowhere(address) ? address : { ...address, port };
}

function serverCheck(draft: ServerDraft, own: Address, workshop: Workshop): ServerCheck {
  const { interMs, fastinterMs, downinterMs, rise, fall, checkPort, checkAddress, checkViaSocks4 } = draft;
  const target = checkAddress === null ? own : resolve(checkAddress, draft, workshop);
  const port = checkPort || target.port || own.port;
  const section = workshop.drafts.healthchecks.find(({ name }) => name === draft.healthcheck);
  return {
    interMs,
    fastinterMs: fastinterMs || interMs,
    downinterMs: downinterMs || interMs,
    ...{ rise, fall },
    address: withPort(target, port),
    // A check of another port speaks to another program (manual 5.2, check-send-proxy).
    sendProxy: draft.checkSendProxy || (draft.sendProxy !== 0 && checkPort === 0 && checkAddress === null),
    viaSocks4: checkViaSocks4,
    tls: checksTls(draft),
    script: section === undefined ? null : (checkOf(section.check) as Check),
  };
}

/** Where the checks go the agent is, too, unless it has words of its own (manual 5.2, `addr`, `port`). */
function agentOf(draft: ServerDraft, own: Address, workshop: Workshop): AgentCheck {
  const endpoint = draft.agentAddress ?? draft.checkAddress;
  const target = endpoint === null ? own : resolve(endpoint, draft, workshop);
  return {
    interMs: draft.agentInterMs,
    address: withPort(target, draft.agentPort || draft.checkPort),
    script: {
      ...{ type: 'agent', steps: agentCheck(draft.agentSend) },
      ...{ disableOn404: false, sendState: false, external: null },
    },
  };
}

/** How the server's name is resolved at run time; null after reporting too. */
function namingOf(draft: ServerDraft, { proxy, resolvers, diagnostics }: Workshop): Naming | null {
  const { hostname } = draft.endpoint!;
  const section = resolvers.findIndex(({ name }) => name === draft.resolvers);
  const complain = (text: string): void => {
    diagnostics.report('alert', draft, `'server ${proxy.name}/${draft.name}': ${text}`);
  };
  if (section < 0 && draft.resolvers !== null) complain(`unable to find required resolvers '${draft.resolvers}'`);
  else if (section < 0 && hostname !== null && isService(hostname)) {
    complain(`'${hostname}' names SRV records, for which 'resolvers' is needed`);
  }
  if (hostname === null || section < 0) return null;
  const { resolvePrefer, resolveNet, allowDuplicates, ignoreWeight } = draft;
  return {
    ...{ resolvers: section, service: isService(hostname) ? hostname : null },
    ...{ prefer: resolvePrefer, networks: resolveNet as Naming['networks'], allowDuplicates, ignoreWeight },
  };
}

/** `[<backend>/]<server>` as places. Cross-checks have seen that it exists. */
function trackOf(text: string, { proxy, backends, drafts }: Workshop): Server['track'] {
  const { backend, server } = trackedName(text, proxy.name);
  const place = backends.get(backend);
  const index = place === undefined ? -1 : drafts.proxies[place]!.servers.findIndex(({ name }) => name === server);
  return index < 0 ? null : { proxy: place!, server: index };
}

export function trackedName(text: string, own: string): { backend: string; server: string } {
  const slash = text.indexOf('/');
  return slash < 0 ? { backend: own, server: text } : { backend: text.slice(0, slash), server: text.slice(slash + 1) };
}

/** A `minconn` without a higher `maxconn` is a fixed limit. */
function limitsOf({ minconn, maxconn }: ServerDraft): Pick<Server, 'minconn' | 'maxconn'> {
  return minconn > 0 && minconn >= maxconn ? { minconn: 0, maxconn: minconn } : { minconn, maxconn };
}
