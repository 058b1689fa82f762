/** Cross-check of captures: a rule of a frontend that fills a slot needs that slot. Those of backends are told by traffic. */
import { CAPTURE, type Capture } from '../rules/actions-vars.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { ProxyDraft } from './draft.ts';

export function checkCaptures(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  const { kind, name, requestCaptures, responseCaptures, rules } = proxy;
  if (kind === 'backend') return;
  for (const rule of Object.values(rules).flat()) {
    if (rule.action !== CAPTURE.name) continue;
    const { slot, response } = rule.args as Capture;
    if (slot < (response ? responseCaptures : requestCaptures).length) continue;
    const side = response ? 'response' : 'request';
    const message = `Proxy '${name}': unable to find capture id '${slot}' referenced by http-${side} capture rule`;
    diagnostics.report('alert', rule, message, `'declare capture ${side} len <bytes>' makes one`);
  }
}
