/** Numbers in rules that must be those of something there is: slots of captures, sticky counters. */
import type { Diagnostics } from './diagnostics.ts';
import type { ProxyDraft } from './draft.ts';
import type { Drafts } from './sections.ts';

/** What rules with such numbers have in their arguments (rules/actions-vars.ts, rules/actions-stick.ts). */
interface Numbers {
  readonly slot: number;
  readonly response: boolean;
  readonly counter: number;
}

export function checkNumbers(proxy: ProxyDraft, diagnostics: Diagnostics, { global }: Drafts): void {
  const { stickCounters } = global.tune;
  for (const rule of Object.values(proxy.rules).flat()) {
    const { slot, response, counter = 0 } = (rule.args ?? {}) as Partial<Numbers>;
    // Which frontend a backend works for is known per request only.
    if (rule.action === 'capture' && slot !== undefined && proxy.kind !== 'backend') {
      const { length } = response === true ? proxy.responseCaptures : proxy.requestCaptures;
      const message = `Proxy '${proxy.name}': unable to find capture id '${slot}' referenced by 'capture'`;
      if (slot >= length) diagnostics.report('alert', rule, message, "write 'declare capture' lines for it");
    }
    if (rule.action.startsWith('sc-') && counter >= stickCounters) {
      const message = `'${rule.action}': there are ${stickCounters} counters (see 'tune.stick-counters')`;
      diagnostics.report('alert', rule, message);
    }
  }
}
