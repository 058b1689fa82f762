/** What needs HTTP in a proxy of another mode is ignored, as HAProxy does, and said. What formats show must be there. */
import { missingStyle } from '../log/builtin.ts';
import { type Format, httpVariable } from '../log/format-text.ts';
import { switchesMode } from '../rules/actions-flow.ts';
import { RULE_SETS } from '../rules/rule-sets.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { ProxyDraft } from './draft.ts';
import { LOG_GLOBAL } from './keywords-log.ts';
import { dropHttpSwitches } from './keywords-options.ts';
import type { Place } from './model.ts';
import { newBalance } from './new-drafts.ts';
import type { Drafts } from './sections.ts';
import { accepts, nameOf, serves } from './subjects.ts';

/** A captured cookie has room for so much. */
export function cookieCapture(proxy: ProxyDraft, diagnostics: Diagnostics, { global }: Drafts): void {
  const { cookieCapture: capture } = proxy;
  const { cookieCaptureBytes: lenBytes } = global.tune;
  if (capture === null || capture.lenBytes <= lenBytes) return;
  const message = `truncating capture length to ${lenBytes} bytes for ${nameOf(proxy)}`;
  diagnostics.report('warning', proxy, message, "'tune.http.cookielen' allows more");
  proxy.cookieCapture = { ...capture, lenBytes };
}

/** What formats show that the proxy does not have. */
export function logFormats(proxy: ProxyDraft, diagnostics: Diagnostics, { global }: Drafts): void {
  if (!accepts(proxy)) return;
  const targets = proxy.logs.flatMap(log => (log.address === LOG_GLOBAL ? global.logs : [log]));
  const asked = proxy.logFormat !== null || proxy.logStyle !== null;
  if (asked && targets.length === 0 && !proxy.disabled) {
    const message = `log format ignored for ${nameOf(proxy)} since it has no log address`;
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
export function httpFormats(proxy: ProxyDraft, diagnostics: Diagnostics): void {
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
export function httpOnly(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  if (proxy.mode === 'http') return;
  const who = nameOf(proxy);
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
    const who = nameOf(proxy);
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
