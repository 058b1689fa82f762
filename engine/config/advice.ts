/** What is valid and hardly meant: HAProxy's warnings about lines that have no effect, or another one than it seems. */
import type { ConditionData } from '../sample/condition.ts';
import { type Expression, fetchOf, unseen } from '../sample/expression.ts';
import { isBytes } from '../sample/points.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { ProxyDraft } from './draft.ts';
import type { Place } from './model.ts';
import type { Rule } from './proxy-model.ts';
import { nameOf } from './subjects.ts';

export function advise(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  if (proxy.kind === 'defaults' || proxy.disabled) return;
  const warn = (place: Place, message: string): void => diagnostics.report('warning', place, message);
  if (proxy.kind === 'listen' && proxy.defaultBackend !== null && proxy.servers.length > 0) {
    const who = `In ${nameOf(proxy)}`;
    warn(proxy, `${who}, the 'default_backend' rule always has precedence over the servers, which will never be used`);
  }
  unusedChecks(proxy, warn);
  misplaced(proxy, warn);
  contents(proxy, warn);
  if (proxy.mode === 'http') bytesInHttp(proxy, warn);
  const { request, response, afterResponse, stats } = proxy.rules;
  noops("'http-request' action is final and", request, warn);
  noops("'http-response' action is final and", response, warn);
  noops("'http-after-response' action is final and", afterResponse, warn);
  noops("'stats' action", stats, warn);
}

type Warn = (place: Place, message: string) => void;

/** Lines about checks of another kind than the one that is done. */
function unusedChecks(proxy: ProxyDraft, warn: Warn): void {
  const { type, http, tcp, command, path } = proxy.check;
  const own = `${proxy.file}:${proxy.line}`;
  for (const [kind, rules, option] of [
    ['http', http, 'httpchk'],
    ['tcp', tcp, 'tcp-check'],
  ] as const) {
    if (type === kind || rules.owner !== own || rules.list.length === 0) continue;
    warn(proxy, `${nameOf(proxy)} uses ${kind}-check rules without 'option ${option}', so the rules are ignored`);
  }
  for (const [keyword, value] of [
    ['command', command],
    ['path', path],
  ]) {
    if (type === 'external' || value === '') continue;
    const keywords = `'external-check ${keyword}'`;
    warn(proxy, `${keywords} will be ignored for ${nameOf(proxy)} (requires 'option external-check')`);
  }
}

const FINAL: readonly string[] = ['allow', 'auth', 'deny', 'redirect', 'return', 'tarpit'];

/** What `tcp-request content` rules keep of bytes that may not be there yet, or could have found before. */
function contents(proxy: ProxyDraft, warn: Warn): void {
  if (proxy.kind === 'backend') return;
  for (const rule of proxy.rules.content) {
    const tracks = rule.action.startsWith('track-sc');
    if (!tracks && rule.action !== 'capture') continue;
    const { expression } = rule.args as { readonly expression: Expression };
    const keyword = `'tcp-request ${tracks ? 'content track-sc*' : 'capture'}'`;
    if (unseen(expression, 'session') !== null) {
      if (proxy.inspectDelayMs > 0) continue;
      const why = `explicitly depending on request contents without any 'tcp-request inspect-delay' setting`;
      warn(rule, `${nameOf(proxy)} : a ${keyword} rule ${why}: it will randomly find its contents`);
    } else if (tracks && proxy.mode === 'http' && !looksAtContents(rule.condition, proxy)) {
      const why = "should be executed at the session level, using a 'tcp-request session' rule";
      warn(
        rule,
        `${nameOf(proxy)} : a ${keyword} rule not depending on request contents for an HTTP frontend ${why} (mandatory to track invalid HTTP requests)`,
      );
    }
  }
}

/** Fetches of bytes find none where HTTP is spoken. */
function bytesInHttp({ name, acls, rules, useBackend, useServer, stickRules }: ProxyDraft, warn: Warn): void {
  const requestStick = stickRules.filter(({ response }) => !response);
  for (const rule of [...Object.values(rules).flat(), ...useBackend, ...useServer, ...requestStick]) {
    const terms = rule.condition === null ? [] : rule.condition.any.flat();
    if (!terms.some(({ acl }) => acls[acl]!.tests.some(test => isBytes(fetchOf(test.expression).from)))) continue;
    warn(rule, `Proxy '${name}': L6 sample fetches ignored on HTTP proxies`);
  }
}

function looksAtContents(condition: ConditionData | null, { acls }: ProxyDraft): boolean {
  const terms = condition === null ? [] : condition.any.flat();
  return terms.some(({ acl }) => acls[acl]!.tests.some(test => unseen(test.expression, 'session') !== null));
}

/** Rules behind one that ends every evaluation: HAProxy names the next one. */
function noops(subject: string, rules: readonly Rule[], warn: Warn): void {
  rules.slice(1).forEach((rule, i) => {
    const before = rules[i]!;
    if (before.condition !== null || !FINAL.includes(before.action)) return;
    warn(rule, `previous ${subject} has no condition attached, further entries are NOOP`);
  });
}

/** What runs in this order, whatever the order of the lines. */
function misplaced(proxy: ProxyDraft, warn: Warn): void {
  const { rules, useBackend, useServer } = proxy;
  const stages: readonly (readonly [name: string, article: string, rules: readonly Place[]])[] = [
    ['tcp-request', 'a', rules.connection],
    ['tcp-request session', 'a', rules.session],
    ['tcp-request content', 'a', rules.content],
    ['monitor fail', 'a', proxy.monitorFail],
    ['http-request', 'an', rules.request],
    ['redirect', 'a', rules.redirect],
    ['use_backend', 'a', useBackend],
    ['use-server', 'a', useServer],
  ];
  const last = stages.findIndex(([name]) => name === 'use_backend');
  stages.slice(0, last).forEach(([name, , list], i) => {
    for (const rule of list) {
      const later = stages.slice(i + 1).find(([, , others]) => others.some(other => isBefore(other, rule)));
      if (later === undefined) continue;
      const keyword = name.startsWith('tcp-request') ? 'tcp-request' : name;
      warn(rule, `a '${keyword}' rule placed after ${later[1]} '${later[0]}' rule will still be processed before`);
    }
  });
}

function isBefore(a: Place, b: Place): boolean {
  return a.file === b.file && a.line < b.line;
}
