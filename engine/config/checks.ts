/**
 * Cross-checks: what can only be said once everything is read. HAProxy's words where it has some. Where HAProxy goes on
 * with less than was asked (a cookie in TCP mode), the draft is changed to that here.
 */

import { PROXIES_MAX, RINGS_MAX, SERVERS_MAX } from '../limits.ts';
import { advise } from './advice.ts';
import { checkLogForwards } from './build-log-forwards.ts';
import { streamServers } from './build-rings.ts';
import { checkTables, checkTableUses } from './build-tables.ts';
import { checkChecks, checkHealthchecks } from './check-checks.ts';
import { checkFilters } from './check-filters.ts';
import { checkLogBackend } from './check-log-backends.ts';
import { cookieCapture, httpFormats, httpOnly, logFormats } from './check-mode.ts';
import { checkNumbers } from './check-numbers.ts';
import {
  checkUserlists,
  errorSections,
  logProfiles,
  logTargets,
  references,
  resolversUsed,
  serverReferences,
} from './check-references.ts';
import { listenersAndServers, sameAddresses, sameIds, sameNames, sameSections } from './check-twice.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { ProxyDraft } from './draft.ts';
import { expressionReferences } from './expression-references.ts';
import { sameGuids } from './guid.ts';
import { isService } from './init-addr.ts';
import { checkEmailAlert } from './keywords-mailers.ts';
import type { Drafts } from './sections.ts';
import { accepts, nameOf, serves } from './subjects.ts';

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

function noBind(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  if (!accepts(proxy) || proxy.disabled || proxy.binds.length > 0) return;
  const message = `${nameOf(proxy)} has no 'bind' directive. Please declare it as a backend if this was intended`;
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
    `missing timeouts for ${nameOf(proxy)}.\n` +
    'While not properly invalid, you will certainly encounter various problems\n' +
    'with such a configuration. To fix this, please ensure that all following\n' +
    "timeouts are set to a non-zero value: 'client', 'connect', 'server'.";
  diagnostics.report('warning', null, message);
}

/** Nothing gets past an unconditional rule. */
function unreachable(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  const last = proxy.useBackend.findIndex(rule => rule.condition === null);
  for (const rule of last < 0 ? [] : proxy.useBackend.slice(last + 1)) {
    const message = `'use_backend ${rule.name}' is never reached: the rule at line ${proxy.useBackend[last]!.line} has no condition`;
    diagnostics.mark('warning', rule, message);
  }
}

function checkPorts(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  for (const { check, checkPort, checkAddress, endpoint, name, file, line } of proxy.servers) {
    if (!check || endpoint === null || endpoint.family === 1) continue;
    if (checkPort || checkAddress?.port || endpoint.port) continue;
    // Its records will tell.
    if (endpoint.hostname !== null && isService(endpoint.hostname)) continue;
    const message = `${nameOf(proxy)}: server '${name}' has neither service port nor check port`;
    diagnostics.report('alert', { file, line }, message, "write a port behind the address, or 'port <port>'");
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
