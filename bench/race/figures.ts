/** Arithmetic of a race: medians, ratios, the table. */
import type { Cpu } from './processes.ts';

/** What was measured of one peer in one row; what a row does not measure is left out. */
export interface Figures {
  /** Microseconds of processor time per unit. */
  readonly cpuUs?: number;
  readonly userUs?: number;
  readonly systemUs?: number;
  readonly perSecond?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly p999Ms?: number;
  readonly errors?: number;
  /** KiB of resident memory per unit. */
  readonly memoryKiB?: number;
  /** From the launch to the first answer. */
  readonly startMs?: number;
}

export type FigureName = keyof Figures;

export interface Result {
  readonly row: string;
  readonly unit: string;
  readonly peer: string;
  /** The figure that the goal is about. */
  readonly main: FigureName;
  readonly goal: string;
  /** Medians over the rounds. */
  readonly figures: Figures;
}

export function cpuFigures(before: Cpu, after: Cpu, units: number): Figures {
  const userUs = (after.user - before.user) / units;
  const systemUs = (after.system - before.system) / units;
  return { cpuUs: userUs + systemUs, userUs, systemUs };
}

/** Of an even number the mean of the two in the middle. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The median of each figure over the rounds; errors are summed: one is one too many. */
export function summarise(rounds: readonly Figures[]): Figures {
  const names = new Set(rounds.flatMap(round => Object.keys(round))) as Set<FigureName>;
  return Object.fromEntries(
    [...names].map(name => {
      const values = rounds.map(round => round[name]).filter(value => value !== undefined);
      return [name, name === 'errors' ? values.reduce((a, b) => a + b, 0) : median(values)];
    }),
  );
}

/** Of the main figure of a row: `peer` / `reference`. Null when one is missing or nothing. */
export function ratio(results: readonly Result[], row: string, peer: string, reference: string): number | null {
  const of = (name: string) => results.find(result => result.row === row && result.peer === name);
  const [a, b] = [of(peer), of(reference)].map(result => result?.figures[result.main]);
  return a === undefined || b === undefined || b === 0 ? null : a / b;
}

const COLUMNS: readonly (readonly [title: string, text: (result: Result, all: readonly Result[]) => string])[] = [
  ['row', ({ row }) => row],
  ['proxy', ({ peer }) => peer],
  ['cpu us/unit', ({ figures }) => number(figures.cpuUs, 1)],
  ['user', ({ figures }) => number(figures.userUs, 1)],
  ['system', ({ figures }) => number(figures.systemUs, 1)],
  ['unit', ({ unit }) => unit],
  ['units/s', ({ figures }) => number(figures.perSecond, 0)],
  ['p50 ms', ({ figures }) => number(figures.p50Ms, 2)],
  ['p99 ms', ({ figures }) => number(figures.p99Ms, 2)],
  ['p99.9 ms', ({ figures }) => number(figures.p999Ms, 2)],
  ['errors', ({ figures }) => number(figures.errors, 0)],
  ['KiB', ({ figures }) => number(figures.memoryKiB, 2)],
  ['start ms', ({ figures }) => number(figures.startMs, 0)],
  ['/ haproxy', ({ row, peer }, all) => (peer === 'haproxy' ? '' : number(ratio(all, row, peer, 'haproxy'), 2))],
  ['goal', ({ peer, goal }) => (peer === 'sluice' ? goal : '')],
];

function number(value: number | null | undefined, digits: number): string {
  return value === undefined || value === null || Number.isNaN(value) ? '' : value.toFixed(digits);
}

/** The results as text in columns, one line each. */
export function table(results: readonly Result[]): string {
  const lines = [
    COLUMNS.map(([title]) => title),
    ...results.map(result => COLUMNS.map(([, text]) => text(result, results))),
  ];
  const widths = COLUMNS.map((_, i) => Math.max(...lines.map(line => line[i]!.length)));
  // The row's and the proxy's names to the left, figures to the right.
  return lines
    .map(line =>
      line
        .map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
