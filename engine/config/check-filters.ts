/** Cross-checks of filters: what can be said once all lines of a proxy are read. */

import { type Limit, SET_BANDWIDTH_LIMIT } from '../rules/action-bandwidth.ts';
import { switchesMode } from '../rules/actions-flow.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { ProxyDraft } from './draft.ts';
import { isBandwidth, isNamed } from './filter-spec.ts';
import { FILTER_KINDS } from './keywords-filter.ts';
import { nameOf } from './subjects.ts';
import { didYouMean } from './suggest.ts';

const COMPRESSION_KINDS = ['compression', 'comp-req', 'comp-res'];

export function checkFilters(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  const { compression, filters, mode } = proxy;
  const who = nameOf(proxy);
  const compresses = filters.some(spec => COMPRESSION_KINDS.includes(spec.kind));
  if (mode !== 'http' && !switchesMode(proxy) && (compression !== null || compresses)) {
    diagnostics.report('warning', proxy, `compression ignored for ${who} as it requires HTTP mode`);
    proxy.compression = null;
    proxy.filters = filters.filter(spec => !COMPRESSION_KINDS.includes(spec.kind));
  } else if (compression !== null && filters.length > 0 && !compresses) {
    const message = `${who}: require an explicit filter declaration to use HTTP compression`;
    diagnostics.report('alert', proxy, message, "write 'filter comp-res' where it belongs in the order of the filters");
  }
  limitRules(proxy, diagnostics);
  for (const direction of ['request', 'response'] as const) {
    for (const filter of proxy.filterOrder[direction] ?? []) {
      if (FILTER_KINDS.includes(filter) || filters.some(spec => isNamed(spec, filter))) continue;
      const message = `'filter-sequence ${direction}': there is no filter '${filter}' in ${who}`;
      diagnostics.report('alert', proxy, message, didYouMean(filter, FILTER_KINDS));
    }
  }
}

/** Rules must name filters of their own proxy; only per-stream ones take other limits. */
function limitRules(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  const { filters, rules } = proxy;
  const limits = filters.filter(isBandwidth);
  for (const rule of Object.values(rules).flat()) {
    if (rule.action !== SET_BANDWIDTH_LIMIT) continue;
    const { filter, limit, period } = rule.args as Limit;
    const found = limits.find(spec => spec.name === filter);
    if (found === undefined) {
      const message = `there is no bandwidth limitation filter '${filter}' in ${nameOf(proxy)}`;
      const names = limits.map(spec => spec.name);
      diagnostics.report('alert', rule, message, didYouMean(filter, names));
    } else if (found.shared !== null && (limit !== null || period !== null)) {
      const message = `filter '${filter}' is shared: no rule may give it another limit or period`;
      diagnostics.report('alert', rule, message);
    }
  }
}
