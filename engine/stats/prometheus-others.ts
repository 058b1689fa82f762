/** HAProxy's metrics of stick tables and of name servers. */
import { NAMESERVER } from '../shm/counters.ts';
import { R, T } from './prometheus-filter.ts';
import type { Metric } from './prometheus-process.ts';

function ofTable(name: string, help: string, read: (table: Table) => number): Metric {
  return {
    ...{ name: `haproxy_sticktable_${name}`, type: 'gauge', help, scope: T, extra: false },
    lines: (view, s, line) => line('', '', read(view.tables[s.index]!)),
  };
}

type Table = Parameters<Metric['lines']>[0]['tables'][number];

export const TABLE_METRICS: readonly Metric[] = [
  ofTable('size', 'Entries that the table can have', ({ spec }) => spec.size),
  ofTable('used', 'Entries that the table has', ({ used }) => used),
];

/** Where HAProxy's metric has another name than its line in `show resolvers`. */
const OTHERWISE: Readonly<Record<string, string>> = { snd_error: 'send_error' };

export const NAMESERVER_METRICS: readonly Metric[] = NAMESERVER.rows.map(([name, , , doc], i) => ({
  ...{ name: `haproxy_resolver_${OTHERWISE[name] ?? name}`, type: 'counter', scope: R, extra: false },
  help: doc.charAt(0).toUpperCase() + doc.slice(1),
  lines: (view, s, line) => line('', '', view.memory.nameserver(s.index)[i]!),
}));
