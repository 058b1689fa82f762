/** `log-forward` sections of the model, and what may be wrong with them. */
import type { Diagnostics } from './diagnostics.ts';
import type { BindDraft } from './draft.ts';
import { LOG_GLOBAL } from './keywords-log.ts';
import type { LogForward, LogTarget } from './log-model.ts';
import type { Bind } from './model.ts';
import type { Drafts } from './sections.ts';

export function logForwardsOf({ logForwards, global }: Drafts, bindsOf: (binds: BindDraft[]) => Bind[]): LogForward[] {
  return logForwards.map(({ binds, dgramBinds, backlog, ...section }, index) => ({
    ...section,
    index,
    binds: bindsOf(binds.map(bind => ({ ...bind, backlog: bind.backlog || backlog }))),
    dgramBinds: bindsOf(dgramBinds),
    logs: section.logs.flatMap((log): readonly LogTarget[] => (log.address === LOG_GLOBAL ? global.logs : [log])),
  }));
}

export function checkLogForwards({ logForwards }: Drafts, diagnostics: Diagnostics): void {
  logForwards.forEach((section, i) => {
    const { name } = section;
    const other = logForwards.slice(0, i).find(earlier => earlier.name === name);
    if (other !== undefined) {
      const message = `log-forward section '${name}' has the same name as another log-forward section declared at ${other.file}:${other.line}.`;
      diagnostics.report('alert', section, message);
    }
    if (section.binds.length + section.dgramBinds.length === 0) {
      diagnostics.report(
        'warning',
        section,
        `log-forward '${name}' has neither a 'bind' nor a 'dgram-bind' directive.`,
      );
    }
    for (const log of section.logs) {
      if (log.profile === null) continue;
      diagnostics.report('warning', log, "'profile' is ignored: the lines of others are not made by a log-profile");
    }
  });
}
