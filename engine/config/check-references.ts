/** Names of what must be there: backends, servers, sections, users. */
import { askedProfile } from '../rules/actions-log.ts';
import { errorSection } from '../rules/reply-spec.ts';
import { allLogs, BUF0 } from './build-rings.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { ProxyDraft, Reference, UserlistDraft } from './draft.ts';
import type { Drafts } from './sections.ts';
import { accepts, at, nameOf, serves } from './subjects.ts';
import { didYouMean } from './suggest.ts';

/** `default` is there wherever the system names servers: without them nothing is found, and that is no mistake. */
export function resolversUsed(proxy: ProxyDraft, diagnostics: Diagnostics, { resolvers }: Drafts): void {
  const names = ['default', ...resolvers.map(({ name }) => name)];
  for (const use of proxy.resolversUsed) {
    if (names.includes(use.name)) continue;
    const message = `unable to find resolvers '${use.name}'`;
    diagnostics.report('alert', use, message, didYouMean(use.name, names));
  }
}

export function references(proxy: ProxyDraft, diagnostics: Diagnostics, { proxies }: Drafts): void {
  if (!accepts(proxy)) return;
  for (const rule of proxy.useBackend) {
    if (rule.dynamic === null) reference(proxy, 'use_backend', rule, proxies, diagnostics);
  }
  if (proxy.defaultBackend === null) return;
  reference(proxy, 'default_backend', proxy.defaultBackend, proxies, diagnostics);
  if (proxy.kind === 'listen' && proxy.defaultBackend.name === proxy.name) {
    const message = `Proxy '${proxy.name}': loop detected for default_backend: '${proxy.name}'`;
    diagnostics.mark('alert', proxy.defaultBackend, message);
  }
}

function reference(
  proxy: ProxyDraft,
  keyword: string,
  target: Reference,
  proxies: readonly ProxyDraft[],
  diagnostics: Diagnostics,
): void {
  const { name } = target;
  const backends = proxies.filter(serves);
  const backend = backends.find(other => other.name === name);
  if (backend === undefined) {
    const frontend = proxies.some(other => other.name === name);
    const hint = frontend
      ? `'${name}' is a frontend`
      : didYouMean(
          name,
          backends.map(other => other.name),
        );
    diagnostics.mark('alert', target, `Proxy '${proxy.name}': unable to find required ${keyword}: '${name}'`, hint);
  } else if (backend.mode !== proxy.mode && (proxy.mode === 'http' || backend.mode === 'log')) {
    const how = keyword === 'use_backend' ? "in a 'use_backend' rule" : 'as its default backend';
    const message = `${proxy.mode} ${nameOf(proxy)} (${at(proxy)}) tries to use incompatible ${backend.mode} ${nameOf(backend)} (${at(backend)}) ${how} (see 'mode')`;
    diagnostics.mark('alert', target, message);
  }
}

export function serverReferences(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  const names = proxy.servers.map(server => server.name);
  for (const rule of proxy.useServer) {
    const { name, dynamic } = rule;
    if (dynamic !== null || names.includes(name)) continue;
    const message = `unable to find server '${name}' in proxy '${proxy.name}' referenced in a 'use-server' rule`;
    diagnostics.mark('alert', rule, message, didYouMean(name, names));
  }
}

/** Pages that `errorfiles` lines and rules take from `http-errors` sections. */
export function errorSections(proxy: ProxyDraft, diagnostics: Diagnostics, { httpErrors }: Drafts): void {
  const names = httpErrors.map(section => section.name);
  for (const page of proxy.errorPages) {
    if (!('statuses' in page) || names.includes(page.name)) continue;
    const { name } = page;
    const message = `unable to find the http-errors section '${name}'`;
    diagnostics.mark('alert', page, message, didYouMean(name, names));
  }
  for (const rule of Object.values(proxy.rules).flat()) {
    const asked = errorSection(rule.args);
    if (asked === null) continue;
    const { section, status } = asked;
    const found = httpErrors.find(({ name }) => name === section);
    if (found === undefined) {
      const message = `'${rule.action}': unable to find the http-errors section '${section}'`;
      diagnostics.report('alert', rule, message, didYouMean(section, names) ?? undefined);
    } else if (!found.pages.some(page => page.status === status)) {
      const message = `'${rule.action}': status '${status}' is not declared in http-errors section '${section}'`;
      diagnostics.report('warning', rule, message);
    }
  }
}

/** Log profiles that `log` lines and rules name. */
export function logProfiles(proxy: ProxyDraft, diagnostics: Diagnostics, drafts: Drafts): void {
  const names = drafts.logProfiles.map(({ name }) => name);
  const rules = Object.values(proxy.rules).flat();
  const asked = [
    ...proxy.logs.map(log => ({ place: log, profile: log.profile })),
    ...rules.map(rule => ({ place: rule, profile: rule.action === 'do-log' ? askedProfile(rule.args) : null })),
  ];
  for (const { place, profile } of asked) {
    if (profile === null || names.includes(profile)) continue;
    diagnostics.report('alert', place, `unknown log-profile '${profile}'`, didYouMean(profile, names) ?? undefined);
  }
}

/** Rings and backends that `log` lines name. */
export function logTargets(drafts: Drafts, diagnostics: Diagnostics): void {
  const rings = [...drafts.rings.map(({ name }) => name), BUF0];
  const backends = drafts.proxies.filter(({ mode, kind }) => mode === 'log' && kind === 'backend');
  const known = { ring: rings, backend: backends.map(({ name }) => name) };
  for (const log of allLogs(drafts)) {
    for (const kind of ['ring', 'backend'] as const) {
      const name = log[kind];
      if (name === null || log.endpoint !== null || known[kind].includes(name)) continue;
      const what = kind === 'ring' ? 'ring' : 'log backend';
      diagnostics.report('alert', log, `unknown ${what} '${name}'`, didYouMean(name, known[kind]) ?? undefined);
    }
  }
}

export function checkUserlists(userlists: UserlistDraft[], diagnostics: Diagnostics): void {
  const seen = new Set<string>();
  for (const list of [...userlists]) {
    if (seen.has(list.name)) {
      diagnostics.report('warning', list, `ignoring duplicated userlist '${list.name}'`);
      userlists.splice(userlists.indexOf(list), 1);
    } else checkMembers(list, diagnostics);
    seen.add(list.name);
  }
}

/** Users and groups that name each other must be there. */
function checkMembers({ name, users, groups, ...place }: UserlistDraft, diagnostics: Diagnostics): void {
  const missing = (what: string, named: string, where: string): void =>
    diagnostics.report('alert', place, `userlist '${name}': no such ${what} '${named}' specified in ${where}`);
  for (const group of groups) {
    for (const user of group.users) {
      if (!users.some(known => known.name === user)) missing('user', user, `group '${group.name}'`);
    }
  }
  for (const user of users) {
    for (const group of user.groups) {
      if (!groups.some(known => known.name === group)) missing('group', group, `user '${user.name}'`);
    }
  }
}
