/**
 * Cross-checks: what can only be said once everything is read. HAProxy's words where it has some. Where HAProxy goes on
 * with less than was asked (a cookie in TCP mode), the draft is changed to that here.
 */

import { PROXIES_MAX, RINGS_MAX, SERVERS_MAX } from '../limits.ts';
import { missingStyle } from '../log/builtin.ts';
import { type Format, httpVariable } from '../log/format-text.ts';
import { switchesMode } from '../rules/actions-flow.ts';
import { askedProfile } from '../rules/actions-log.ts';
import { errorSection } from '../rules/reply-spec.ts';
import { RULE_SETS } from '../rules/rule-sets.ts';
import { formatAddress } from './address.ts';
import { advise } from './advice.ts';
import { checkLogForwards } from './build-log-forwards.ts';
import { allLogs, BUF0, streamServers } from './build-rings.ts';
import { checkTables, checkTableUses } from './build-tables.ts';
import { checkChecks, checkHealthchecks } from './check-checks.ts';
import { checkFilters } from './check-filters.ts';
import { checkLogBackend } from './check-log-backends.ts';
import { checkNumbers } from './check-numbers.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { BindDraft, ProxyDraft, Reference, UserlistDraft } from './draft.ts';
import { expressionReferences } from './expression-references.ts';
import { sameGuids } from './guid.ts';
import { isService } from './init-addr.ts';
import { LOG_GLOBAL } from './keywords-log.ts';
import { checkEmailAlert } from './keywords-mailers.ts';
import { dropHttpSwitches } from './keywords-options.ts';
import type { Place } from './model.ts';
import { newBalance } from './new-drafts.ts';
import type { Drafts } from './sections.ts';
import { didYouMean } from './suggest.ts';

type Check = (proxy: ProxyDraft, diagnostics: Diagnostics, drafts: Drafts) => void;

export function checkDrafts(drafts: Drafts, diagnostics: Diagnostics): void {
  const checks = diagnostics.fatal ? CHECKS : [...CHECKS, ...CHECKS_OF_GOOD_FILES];
  tooMany('proxies', drafts.proxies.length, PROXIES_MAX, diagnostics);
  const logServers = drafts.proxies.flatMap(streamServers);
  tooMany('rings and log servers', drafts.rings.length + logServers.length, RINGS_MAX, diagnostics);
  tooMany('servers', drafts.proxies.flatMap(proxy => proxy.servers).length, SERVERS_MAX, diagnostics);
  sameNames(drafts.proxies, diagnostics);
  sameIds(drafts.proxies, diagnostics);
  sameGuids(drafts.proxies, diagnostics);
  for (const proxy of drafts.proxies) {
    for (const check of checks) check(proxy, diagnostics, drafts);
  }
  sameAddresses(drafts.proxies, diagnostics);
  checkHealthchecks(drafts, diagnostics);
  checkTables(drafts, diagnostics);
  checkUserlists(drafts.userlists, diagnostics);
  sameSections('resolvers', drafts.resolvers, diagnostics);
  sameSections('ring', drafts.rings, diagnostics);
  sameSections('http-errors', drafts.httpErrors, diagnostics);
  sameSections('mailers', drafts.mailers, diagnostics);
  checkLogForwards(drafts, diagnostics);
  logTargets(drafts, diagnostics);
  for (const { name, mailers, ...place } of drafts.mailers) {
    if (mailers.length === 0) diagnostics.report('warning', place, `Removing incomplete section 'mailers ${name}'`);
  }
}

/** The same of a proxy that is not among the others. */
export function checkAnother(proxy: ProxyDraft, drafts: Drafts, diagnostics: Diagnostics): void {
  for (const check of [...CHECKS, ...CHECKS_OF_GOOD_FILES]) check(proxy, diagnostics, drafts);
  checkTableUses(proxy, drafts, diagnostics);
}

/** Server states are asked of a file that is not named. */
function stateFiles(proxy: ProxyDraft, diagnostics: Diagnostics, { global }: Drafts): void {
  if (!serves(proxy) || proxy.kind === 'defaults' || proxy.stateFrom !== 'global' || global.serverStateFile !== null)
    return;
  const asks = "configured to load server state file from global section 'server-state-file' directive";
  const message = `backend '${proxy.name}' ${asks}, but 'server-state-file' is not set`;
  diagnostics.report('warning', proxy, message);
}

/** Who gets mails about the servers. */
function emailAlerts(proxy: ProxyDraft, diagnostics: Diagnostics, { mailers }: Drafts): void {
  if (proxy.kind !== 'defaults') checkEmailAlert(proxy, mailers, diagnostics);
}

function tooMany(what: string, count: number, max: number, diagnostics: Diagnostics): void {
  if (count > max) diagnostics.report('alert', null, `too many ${what}: ${count}, at most ${max} are possible`);
}

/** `c.cfg:12` */
function at({ file, line }: Place): string {
  return `${file}:${line}`;
}

/** HAProxy calls a `listen` a proxy. */
function kindOf(proxy: ProxyDraft): string {
  return proxy.kind === 'listen' ? 'proxy' : proxy.kind;
}

function accepts(proxy: ProxyDraft): boolean {
  return proxy.kind !== 'backend';
}

function serves(proxy: ProxyDraft): boolean {
  return proxy.kind !== 'frontend';
}

/** A frontend and a backend may have one name; two that do the same may not. */
function sameNames(proxies: readonly ProxyDraft[], diagnostics: Diagnostics): void {
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

function sameIds(proxies: readonly ProxyDraft[], diagnostics: Diagnostics): void {
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

/** `default` is there wherever the system names servers: without them nothing is found, and that is no mistake. */
function resolversUsed(proxy: ProxyDraft, diagnostics: Diagnostics, { resolvers }: Drafts): void {
  const names = ['default', ...resolvers.map(({ name }) => name)];
  for (const use of proxy.resolversUsed) {
    if (names.includes(use.name)) continue;
    const message = `unable to find resolvers '${use.name}'`;
    diagnostics.report('alert', use, message, didYouMean(use.name, names));
  }
}

type Named = Place & { readonly name: string };

/** Reports sections of one kind that have the name of an earlier one. */
function sameSections(keyword: string, sections: readonly Named[], diagnostics: Diagnostics): void {
  sections.forEach((section, i) => {
    const other = sections.slice(0, i).find(({ name }) => name === section.name);
    if (other === undefined) return;
    const message = `${keyword} '${section.name}' has the same name as another one, declared at ${at(other)}`;
    diagnostics.report('alert', section, message);
  });
}

/** Reports entries of a proxy that have the number or the name of an earlier one. */
function listenersAndServers(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  const names = new Map<string, Place>();
  const serverIds = new Map<number, string>();
  for (const server of proxy.servers) {
    const subject = `'server ${proxy.name}/${server.name}'`;
    const twin = names.get(server.name);
    if (twin === undefined) names.set(server.name, server);
    else {
      const message = `${kindOf(proxy)} '${proxy.name}', another server named '${server.name}' was already defined at line ${twin.line}, please use distinct names`;
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

function noBind(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  if (!accepts(proxy) || proxy.disabled || proxy.binds.length > 0) return;
  const message = `${kindOf(proxy)} '${proxy.name}' has no 'bind' directive. Please declare it as a backend if this was intended`;
  diagnostics.report('warning', proxy, message);
}

/** HAProxy's warning about infinite time-outs, with its advice and without a place. */
function missingTimeouts(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  const { clientMs, connectMs, serverMs, tunnelMs } = proxy.timeouts;
  const client = accepts(proxy) && clientMs === 0;
  const endless = serverMs === 0 && (proxy.mode === 'http' || tunnelMs === 0);
  const server = serves(proxy) && proxy.servers.length > 0 && (connectMs === 0 || endless);
  if (proxy.disabled || proxy.mode === 'log' || !(client || server)) return;
  const message =
    `missing timeouts for ${kindOf(proxy)} '${proxy.name}'.\n` +
    'While not properly invalid, you will certainly encounter various problems\n' +
    'with such a configuration. To fix this, please ensure that all following\n' +
    "timeouts are set to a non-zero value: 'client', 'connect', 'server'.";
  diagnostics.report('warning', null, message);
}

function references(proxy: ProxyDraft, diagnostics: Diagnostics, { proxies }: Drafts): void {
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
    const message = `${proxy.mode} ${kindOf(proxy)} '${proxy.name}' (${at(proxy)}) tries to use incompatible ${backend.mode} ${kindOf(backend)} '${backend.name}' (${at(backend)}) ${how} (see 'mode')`;
    diagnostics.mark('alert', target, message);
  }
}

function serverReferences(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  const names = proxy.servers.map(server => server.name);
  for (const rule of proxy.useServer) {
    const { name, dynamic } = rule;
    if (dynamic !== null || names.includes(name)) continue;
    const message = `unable to find server '${name}' in proxy '${proxy.name}' referenced in a 'use-server' rule`;
    diagnostics.mark('alert', rule, message, didYouMean(name, names));
  }
}

/** Pages that `errorfiles` lines and rules take from `http-errors` sections. */
function errorSections(proxy: ProxyDraft, diagnostics: Diagnostics, { httpErrors }: Drafts): void {
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

/** Nothing gets past an unconditional rule. */
function unreachable(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  const last = proxy.useBackend.findIndex(rule => rule.condition === null);
  for (const rule of last < 0 ? [] : proxy.useBackend.slice(last + 1)) {
    const message = `'use_backend ${rule.name}' is never reached: the rule at line ${proxy.useBackend[last]!.line} has no condition`;
    diagnostics.mark('warning', rule, message);
  }
}

/** Log profiles that `log` lines and rules name. */
function logProfiles(proxy: ProxyDraft, diagnostics: Diagnostics, drafts: Drafts): void {
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
function logTargets(drafts: Drafts, diagnostics: Diagnostics): void {
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

/** A captured cookie has room for so much. */
function cookieCapture(proxy: ProxyDraft, diagnostics: Diagnostics, { global }: Drafts): void {
  const { cookieCapture: capture } = proxy;
  const { cookieCaptureBytes: lenBytes } = global.tune;
  if (capture === null || capture.lenBytes <= lenBytes) return;
  const message = `truncating capture length to ${lenBytes} bytes for ${kindOf(proxy)} '${proxy.name}'`;
  diagnostics.report('warning', proxy, message, "'tune.http.cookielen' allows more");
  proxy.cookieCapture = { ...capture, lenBytes };
}

/** What formats show that the proxy does not have. */
function logFormats(proxy: ProxyDraft, diagnostics: Diagnostics, { global }: Drafts): void {
  if (!accepts(proxy)) return;
  const targets = proxy.logs.flatMap(log => (log.address === LOG_GLOBAL ? global.logs : [log]));
  const asked = proxy.logFormat !== null || proxy.logStyle !== null;
  if (asked && targets.length === 0 && !proxy.disabled) {
    const message = `log format ignored for ${kindOf(proxy)} '${proxy.name}' since it has no log address`;
    diagnostics.report('warning', proxy, message);
  }
  const missing = proxy.logFormat === null && proxy.logStyle !== null ? missingStyle(proxy.logStyle) : null;
  if (missing !== null) diagnostics.report('alert', proxy, `'option ${missing}' is not supported by Sluice yet`);
  if (proxy.mode === 'http') return;
  for (const [keyword, format] of [
    ['log-format', proxy.logFormat],
    ['log-format-sd', proxy.logFormatSd],
    ['error-log-format', proxy.errorLogFormat],
  ] as const) {
    const variable = format === null ? null : httpVariable(format.format);
    if (format === null || variable === null) continue;
    const message = `failed to parse ${keyword} : format variable '${variable}' is reserved for HTTP mode`;
    diagnostics.mark('alert', format, message);
  }
}

/** Variables of HTTP in other formats than those of log lines. */
function httpFormats(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  if (!accepts(proxy) || proxy.kind === 'defaults' || proxy.mode === 'http') return;
  const refuse = (what: string, place: Place, format: Format | null): void => {
    const variable = format === null ? null : httpVariable(format);
    if (variable === null) return;
    diagnostics.report(
      'alert',
      place,
      `failed to parse ${what} : format variable '${variable}' is reserved for HTTP mode`,
    );
  };
  for (const rule of proxy.useBackend) refuse(`use_backend rule '${rule.name}'`, rule, rule.dynamic);
  refuse('unique-id', proxy, proxy.uniqueIdFormat);
}

/** What needs HTTP in a TCP proxy is ignored, as HAProxy does, and said. */
function httpOnly(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  if (proxy.mode === 'http') return;
  const who = `${kindOf(proxy)} '${proxy.name}'`;
  const ignore = (message: string): void => diagnostics.report('warning', proxy, message);
  const switches = switchesMode(proxy);
  if (!switches && accepts(proxy) && proxy.monitorUri !== null) {
    ignore(`monitor-uri will be ignored for ${who} (needs 'mode http')`);
  }
  if (accepts(proxy) && proxy.logStyle !== null && !proxy.logStyle.startsWith('tcp')) {
    ignore(`'option httplog' not usable with ${who} (needs 'mode http'). Falling back to 'option tcplog'`);
    proxy.logStyle = 'tcp';
  }
  if (serves(proxy) && proxy.cookie !== null) ignore(`cookie will be ignored for ${who} (needs 'mode http')`);
  if (serves(proxy) && ['uri', 'url_param', 'hdr'].includes(proxy.balance.algorithm)) {
    ignore(`Layer 7 hash not possible for ${who} (needs 'mode http'). Falling back to round robin`);
    proxy.balance = newBalance('roundrobin');
  }
  proxy.cookie = null;
  if (!switches) ignoreHttp(proxy, who, ignore);
  else if (proxy.kind === 'listen' && proxy.useBackend.length === 0 && proxy.defaultBackend === null) {
    ignore(
      `Proxy '${proxy.name}' : 'switch-mode http' configured for a tcp proxy with no backend. Incoming connections upgraded to HTTP cannot be routed to TCP servers`,
    );
  }
  httpOnlyServers(proxy, diagnostics);
}

/** No connection of this proxy ever speaks HTTP. */
function ignoreHttp(proxy: ProxyDraft, who: string, ignore: (message: string) => void): void {
  for (const [asked, what] of [
    [proxy.stats !== null, "'stats' statement"],
    [proxy.cookieCapture !== null, "'capture' statement"],
    [proxy.forwardFor !== null, "'option forwardfor'"],
    [proxy.originalTo !== null, "'option originalto'"],
    [proxy.forwarded !== null, "'option forwarded'"],
  ] as const) {
    if (asked) ignore(`${what} ignored for ${who} as it requires HTTP mode`);
  }
  for (const option of dropHttpSwitches(proxy)) ignore(`'${option}' ignored for ${who} as it requires HTTP mode`);
  for (const { name, keyword, http } of RULE_SETS) {
    if (!http || proxy.rules[name].length === 0) continue;
    ignore(`'${keyword}' rules ignored for ${who} as they require HTTP mode`);
    proxy.rules[name] = [];
  }
  Object.assign(proxy, { monitorUri: null, stats: null, forwardFor: null, originalTo: null, forwarded: null });
}

function httpOnlyServers(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  for (const server of proxy.servers) {
    const who = `${kindOf(proxy)} '${proxy.name}'`;
    if (server.redir !== null) {
      diagnostics.report('alert', server, `${who}: server cannot have cookie or redirect prefix in non-HTTP mode`);
    }
    if (server.cookie === null) continue;
    diagnostics.report(
      'warning',
      server,
      `${who}: ignoring cookie for server '${server.name}' as HTTP mode is disabled`,
    );
    server.cookie = null;
  }
}

function checkPorts(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  for (const { check, checkPort, checkAddress, endpoint, name, file, line } of proxy.servers) {
    if (!check || endpoint === null || endpoint.family === 1) continue;
    if (checkPort || checkAddress?.port || endpoint.port) continue;
    // Its records will tell.
    if (endpoint.hostname !== null && isService(endpoint.hostname)) continue;
    const message = `${kindOf(proxy)} '${proxy.name}': server '${name}' has neither service port nor check port`;
    diagnostics.report('alert', { file, line }, message, "write a port behind the address, or 'port <port>'");
  }
}

/** Sockets of one address take connections from each other. Lines for distinct threads are meant so. */
function sameAddresses(proxies: readonly ProxyDraft[], diagnostics: Diagnostics): void {
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

function checkUserlists(userlists: UserlistDraft[], diagnostics: Diagnostics): void {
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

const CHECKS: readonly Check[] = [
  listenersAndServers,
  references,
  expressionReferences,
  serverReferences,
  errorSections,
  resolversUsed,
  checkPorts,
  checkChecks,
  emailAlerts,
  stateFiles,
  httpOnly,
  checkFilters,
  checkLogBackend,
  cookieCapture,
  logFormats,
  httpFormats,
  logProfiles,
  checkNumbers,
];
/** These would only repeat what a line with an error in it has led to. */
const CHECKS_OF_GOOD_FILES: readonly Check[] = [noBind, advise, unreachable, missingTimeouts];
