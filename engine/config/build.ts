/** From checked drafts to the frozen model: numbers, default names, references, addresses. */

import { ADDED_SERVERS_MAX } from '../limits.ts';
import { addUse, isPatternRef, patternRefs } from '../sample/pattern-ref.ts';
import { defaultsOf } from './build-defaults.ts';
import { logForwardsOf } from './build-log-forwards.ts';
import { ringsOf } from './build-rings.ts';
import { serverOf, type Workshop } from './build-server.ts';
import { buildTables } from './build-tables.ts';
import { type CertificateUses, TlsBuilder } from './build-tls.ts';
import { checkOf } from './check-draft.ts';
import type { Check } from './check-model.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { BindDraft, GlobalDraft, ProxyDraft, Resources, UserlistDraft } from './draft.ts';
import type { Global } from './global-model.ts';
import { LOG_GLOBAL } from './keywords-log.ts';
import { emailAlertOf } from './keywords-mailers.ts';
import { defaultResolvers } from './keywords-resolvers.ts';
import type { Bind, ErrorPage, Model, Userlist } from './model.ts';
import { newGlobal } from './new-drafts.ts';
import type { Proxy, Timeouts } from './proxy-model.ts';
import type { Drafts } from './sections.ts';
import type { Resolvers } from './server-model.ts';
import type { StateFiles } from './server-state.ts';

export function buildModel(drafts: Drafts, diagnostics: Diagnostics, resources: Resources, states: StateFiles): Model {
  const { global, proxies, userlists } = drafts;
  // HAProxy's stats sockets belong to an internal proxy, which takes the first number when there is one.
  rememberForced(proxies);
  number(proxies, global.statsSockets.length > 0 ? 2 : 1);
  const backends = new Map<string, number>();
  proxies.forEach((proxy, index) => {
    if (proxy.kind !== 'frontend' && !backends.has(proxy.name)) backends.set(proxy.name, index);
  });
  const system = drafts.resolvers.some(({ name }) => name === 'default') ? null : defaultResolvers(resources);
  const resolvers: readonly Resolvers[] = system === null ? drafts.resolvers : [...drafts.resolvers, system];
  const tls = new TlsBuilder(global.tls, drafts.crtStores, resources, diagnostics);
  const bindsIn = (binds: BindDraft[]) => bindsOf(binds, newGlobal().unixBind, tls);
  const localPeer = resources.localPeer ?? (global.localPeer || (resources.env.HAPROXY_LOCALPEER ?? ''));
  const shared = buildTables(drafts, localPeer, bindsIn, tls, diagnostics, resources);
  const ports = { used: 0 };
  const build = (draft: ProxyDraft, index: number): Proxy => {
    const workshop: Workshop = {
      ports,
      proxy: draft,
      backends,
      drafts,
      resolvers,
      states,
      tables: shared.tables,
      tls,
      diagnostics,
      resources,
    };
    return proxyOf(draft, index, backends, drafts, workshop);
  };
  const built = proxies.map(build);
  const builtGlobal = globalOf({ ...global, localPeer }, tls);
  return freeze({
    ...shared,
    global: builtGlobal,
    proxies: withFullconn(built, global.maxconn),
    defaults: defaultsOf(drafts, draft => build(draft, -1)),
    userlists: userlists.map(userlistOf),
    httpErrors: drafts.httpErrors,
    resolvers,
    patternRefs: refsOf(drafts, resources),
    logProfiles: drafts.logProfiles,
    rings: ringsOf(drafts, { diagnostics, resources, tls }),
    logForwards: logForwardsOf(drafts, bindsIn),
    tls: tls.files(),
  });
}

/** Converters do not know their line; the expressions of the proxies do. */
function refsOf({ proxies, healthchecks }: Drafts, resources: Resources): Model['patternRefs'] {
  const refs = patternRefs(resources);
  for (const { file, line, expression } of new Set([...proxies, ...healthchecks].flatMap(owner => owner.expressions))) {
    for (const { args } of expression.converters) {
      for (const arg of args) if (isPatternRef(arg)) addUse(arg, { by: 'map', file, line });
    }
  }
  return refs;
}

/** Before the others get theirs. */
function rememberForced(list: readonly { id: number; forcedId: boolean }[]): void {
  for (const entry of list) entry.forcedId = entry.id !== 0;
}

/** Gives each 0 a free number. As HAProxy does, the counter goes on by one for each entry, given number or not. */
function number(list: readonly { id: number }[], first: number): void {
  const used = new Set(list.map(entry => entry.id));
  let next = first;
  for (const entry of list) {
    if (entry.id === 0) {
      while (used.has(next)) next++;
      entry.id = next;
      used.add(next);
    }
    next++;
  }
}

function userlistOf({ users, groups, ...rest }: UserlistDraft): Userlist {
  return {
    ...rest,
    users: users.map(({ groups: _, ...user }) => user),
    groups: groups.map(({ name, users: named }) => {
      const members = users.filter(user => user.groups.includes(name) || named.includes(user.name));
      return { name, users: members.map(user => user.name) };
    }),
  };
}

/** `unix-bind` is for `bind` lines only: stats sockets take nothing from it. */
function globalOf(
  {
    unixBind: _u,
    zeroWarning: _z,
    externalCheck: _e,
    folderOf: _f,
    fileNameCases,
    tls: _t,
    statsSockets,
    ...global
  }: GlobalDraft,
  tls: TlsBuilder,
): Global {
  const sockets = bindsOf(statsSockets, newGlobal().unixBind, tls, 'stats socket');
  return {
    ...global,
    nameCases: [...global.nameCases, ...fileNameCases],
    statsSockets: sockets,
    tls: tls.global(global),
  };
}

/** Listeners get numbers and names; unix sockets get what `unix-bind` says. */
function bindsOf(
  drafts: BindDraft[],
  unix: GlobalDraft['unixBind'],
  tls: TlsBuilder,
  keyword = 'bind',
  uses: CertificateUses | null = null,
): Bind[] {
  number(drafts, 1);
  return drafts.map(bind => ({
    ...bind,
    name: bind.name || `sock-${bind.id}`,
    ...(bind.address?.family === 1 ? unixSettings(bind, unix) : {}),
    tls: tls.bind(bind.tls, bind, `'${keyword} ${bind.text}'`, uses),
  }));
}

/** Null where there are none. */
function usesOf(proxy: string, lines: CertificateUses['lines']): CertificateUses | null {
  return lines.length === 0 ? null : { name: `@${proxy}`, lines };
}

function unixSettings(bind: BindDraft, unix: GlobalDraft['unixBind']): Partial<Omit<Bind, 'tls'>> {
  const { bytes } = bind.address!;
  const prefix = bind.abstract ? new Uint8Array(0) : new TextEncoder().encode(unix.prefix);
  const path = new Uint8Array(prefix.length + bytes.length);
  path.set(prefix);
  path.set(bytes, prefix.length);
  return {
    address: { family: 1, bytes: path, port: 0 },
    unixMode: bind.unixMode ?? unix.mode,
    unixUser: bind.unixUser ?? unix.user,
    unixGroup: bind.unixGroup ?? unix.group,
    unixUid: bind.unixUid ?? unix.uid,
    unixGid: bind.unixGid ?? unix.gid,
  };
}

function proxyOf(
  {
    defaultServer,
    namedServers,
    expressions: _expressions,
    resolversUsed: _resolvers,
    tableUses: _uses,
    stateFrom: _from,
    stateFile: _file,
    check,
    sslUses,
    modeGiven: _given,
    ...draft
  }: ProxyDraft,
  index: number,
  backends: ReadonlyMap<string, number>,
  { global, httpErrors }: Drafts,
  workshop: Workshop,
): Proxy {
  const own = draft.kind === 'listen' ? index : -1;
  const tableOf = (name: string) => workshop.tables.findIndex(table => table.name === name);
  rememberForced(draft.servers);
  number(draft.servers, 1);
  if (draft.servers.length > 0) workshop.states.compare(workshop.proxy);
  return {
    ...draft,
    index,
    timeouts: timeoutsOf(draft.timeouts),
    defaultServers: [{ ...defaultServer, name: '' }, ...namedServers].map(({ name, settings }) => ({ name, settings })),
    kind: draft.kind === 'defaults' ? 'listen' : draft.kind,
    binds: bindsOf(draft.binds, global.unixBind, workshop.tls, 'bind', usesOf(draft.name, sslUses)),
    // A backend may have inherited one, which means nothing to it.
    defaultBackend:
      draft.defaultBackend === null || draft.kind === 'backend' ? own : backends.get(draft.defaultBackend.name)!,
    useBackend: draft.useBackend.map(({ file, line, name, condition, dynamic }) => {
      return { file, line, backend: dynamic === null ? backends.get(name)! : -1, dynamic, condition };
    }),
    useServer: draft.useServer.map(({ file, line, name, dynamic, condition }) => {
      const server = draft.servers.findIndex(other => other.name === name);
      return { file, line, server: dynamic === null ? server : -1, dynamic, condition };
    }),
    emailAlert: emailAlertOf(draft.emailAlert, workshop.drafts.mailers),
    table: draft.table === null ? -1 : tableOf(draft.name),
    stickRules: draft.stickRules.map(rule => ({ ...rule, table: tableOf(rule.table || draft.name) })),
    errorPages: errorPagesOf(draft.errorPages, httpErrors),
    servers: draft.servers.map((server, i) => serverOf(server, i, workshop)),
    serverSlots: draft.servers.length + (draft.kind === 'frontend' ? 0 : ADDED_SERVERS_MAX),
    // What is wrong with it has been said.
    check: checkOf(check) as Check,
    logFormat: draft.logFormat?.format ?? null,
    errorLogFormat: draft.errorLogFormat?.format ?? null,
    logFormatSd: draft.logFormatSd?.format ?? null,
    logs: draft.logs.flatMap(log => (log.address === LOG_GLOBAL ? global.logs : [log])),
  };
}

/** Who waits in a queue, or is kept waiting, waits as long as for a connection unless it is said how long. */
function timeoutsOf(timeouts: Timeouts): Timeouts {
  const { queueMs, tarpitMs, connectMs } = timeouts;
  return { ...timeouts, queueMs: queueMs || connectMs, tarpitMs: tarpitMs || connectMs };
}

/** The pages that the lines leave, by status: each line takes the place of those before it. */
function errorPagesOf(lines: ProxyDraft['errorPages'], sections: Drafts['httpErrors']): ErrorPage[] {
  const pages = new Map<number, ErrorPage>();
  for (const line of lines) {
    if ('statuses' in line) {
      const { name, statuses } = line;
      for (const page of sections.find(section => section.name === name)?.pages ?? []) {
        if (statuses.length === 0 || statuses.includes(page.status)) pages.set(page.status, page);
      }
    } else if (line.content === null) pages.delete(line.status);
    else pages.set(line.status, line);
  }
  return [...pages.values()];
}

/** `fullconn` not given: a tenth of what all enabled frontends that may come here let in. 0 where one of them has no limit. */
function withFullconn(proxies: readonly Proxy[], processMaxconn: number): Proxy[] {
  return proxies.map((backend, index) => {
    if (backend.fullconn > 0 || backend.kind === 'frontend') return backend;
    const comers = proxies.filter(
      ({ kind, disabled, defaultBackend, useBackend }) =>
        kind !== 'backend' &&
        !disabled &&
        (defaultBackend === index || useBackend.some(rule => rule.backend === index)),
    );
    const limits = comers.map(frontend => frontend.maxconn || processMaxconn);
    if (limits.includes(0)) return backend;
    const total = limits.reduce((sum, limit) => sum + limit, 0);
    return { ...backend, fullconn: Math.ceil(total / 10) };
  });
}

/** Freezes all the way down. Bytes cannot be frozen; nobody writes to them. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || Object.isFrozen(value))
    return value;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
  return value;
}
