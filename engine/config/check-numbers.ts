/** Numbers in rules that must be those of something there is: slots of captures, sticky counters; and large buffers. */
import type { BodyWait } from '../proxy/body-wait.ts';
import { WAIT_FOR_BODY } from '../rules/actions-flow.ts';
import { CAPTURE, type Capture } from '../rules/actions-vars.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { ProxyDraft } from './draft.ts';
import type { Rule } from './proxy-model.ts';
import type { Drafts } from './sections.ts';

export function checkNumbers(proxy: ProxyDraft, diagnostics: Diagnostics, { global }: Drafts): void {
  for (const rule of Object.values(proxy.rules).flat()) {
    // Which frontend a backend works for is known per request only.
    if (rule.action === CAPTURE.name && proxy.kind !== 'backend') checkSlot(proxy, rule, diagnostics);
    if (rule.action === WAIT_FOR_BODY.name && global.tune.bufsizeLargeBytes === 0) checkBuffer(rule, diagnostics);
    if (rule.action.startsWith('sc-')) checkCounter(rule, global.tune.stickCounters, diagnostics);
  }
}

function checkSlot(
  { name, requestCaptures, responseCaptures }: ProxyDraft,
  rule: Rule,
  diagnostics: Diagnostics,
): void {
  const { slot, response } = rule.args as Capture;
  if (slot < (response ? responseCaptures : requestCaptures).length) return;
  const side = response ? 'response' : 'request';
  const message = `Proxy '${name}': unable to find capture id '${slot}' referenced by http-${side} capture rule`;
  diagnostics.report('alert', rule, message, `'declare capture ${side} len <bytes>' makes one`);
}

function checkBuffer(rule: Rule, diagnostics: Diagnostics): void {
  if (!(rule.args as BodyWait).large) return;
  const message = `'${rule.action}': 'use-large-buffer' is of no effect without 'tune.bufsize.large' in the global section`;
  diagnostics.report('warning', rule, message);
}

function checkCounter(rule: Rule, counters: number, diagnostics: Diagnostics): void {
  const { counter = 0 } = (rule.args ?? {}) as { readonly counter?: number };
  if (counter < counters) return;
  const message = `'${rule.action}': there are ${counters} counters (see 'tune.stick-counters')`;
  diagnostics.report('alert', rule, message);
}
