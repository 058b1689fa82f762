/** What the query of a scrape asks for: which things, which metrics, and what besides. */
import { B, F, L, S } from './view.ts';

/** The process, stick tables and name servers: scopes beside F, B, S and L. */
export const G = 16;
export const T = 32;
export const R = 64;

/** `scope=` */
const SCOPES: ReadonlyMap<string, number> = new Map([
  ['*', G | F | L | B | S | T | R],
  ['global', G],
  ['frontend', F],
  ['listener', L],
  ['backend', B],
  ['server', S],
  ['sticktable', T],
  ['resolver', R],
]);

export interface PrometheusFilter {
  /** Sum of G, F, L, B, S, T, R. */
  readonly scopes: number;
  /** Leave out servers in maintenance. */
  readonly noMaint: boolean;
  /** Each section's description is a label of its metrics. */
  readonly descLabels: boolean;
  /** The columns of protocol modules too. */
  readonly extraCounters: boolean;
  /** Whether the metric of this name is asked for. */
  readonly wants: (metric: string) => boolean;
}

/** Reads the query of a URI (what stands after `?`); null = it asks for a scope that does not exist. */
export function readPrometheusFilter(query: string): PrometheusFilter | null {
  let scopes: number | null = null;
  const only = new Set<string>();
  const not = new Set<string>();
  const flags = new Set<string>();
  for (const part of query.split('#', 1)[0]!.split('&')) {
    const [[name, value] = ['', '']] = new URLSearchParams(part);
    if (name === 'scope') {
      const scope = value === '' ? 0 : SCOPES.get(value);
      if (scope === undefined || !part.includes('=')) return null;
      scopes = value === '' ? 0 : (scopes ?? 0) | scope;
    } else if (name === 'metrics') {
      for (const metric of value.split(',').map(word => word.trim())) {
        if (metric.startsWith('-')) not.add(metric.slice(1));
        else if (metric !== '') only.add(metric);
      }
    } else {
      flags.add(name);
    }
  }
  return {
    scopes: scopes ?? SCOPES.get('*')!,
    noMaint: flags.has('no-maint'),
    descLabels: flags.has('desc-labels'),
    extraCounters: flags.has('extra-counters'),
    wants: metric => !not.has(metric) && (only.size === 0 || only.has(metric)),
  };
}
