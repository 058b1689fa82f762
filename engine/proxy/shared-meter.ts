/**
 * How many bytes a stream may pass, where all streams with one key share a limit: the rate of what they passed is in an entry of a
 * stick table, which all workers see. What is left of the limit is divided among those that hold the entry.
 */
import type { BandwidthSpec } from '../config/filter-spec.ts';
import type { Sample } from '../sample/sample.ts';
import { setKey } from '../stick/key.ts';
import type { Field } from '../stick/layout.ts';
import type { Table } from '../stick/table.ts';
import { addValue, readValue } from '../stick/values.ts';
import type { Meter } from './byte-meter.ts';

/** Numbers of `bytes_in_rate` and `bytes_out_rate` (stick/data-types.ts). */
const RATES = { 'bwlim-in': 14, 'bwlim-out': 16 } as const;

/** What waits looks again after this long: others may have left. */
const STEP_MS = 10;

class SharedMeter implements Meter {
  readonly #table: Table;
  readonly #entry: number;
  readonly #hold: number;
  readonly #rate: Field;
  readonly #limit: number;
  readonly #minBytes: number;

  constructor(table: Table, entry: number, hold: number, spec: BandwidthSpec) {
    this.#table = table;
    this.#entry = entry;
    this.#hold = hold;
    this.#rate = table.field(RATES[spec.kind])!;
    this.#limit = spec.limitBytes;
    this.#minBytes = spec.minBytes;
  }

  take(bytes: number, now: number): number {
    const table = this.#table;
    const { bytesRateFactor } = table.spec;
    const rate = readValue(table, this.#entry, this.#rate, 0, now) * bytesRateFactor;
    const holders = Math.max(table.holders(this.#entry) + 1, 1);
    const passing = Math.min(bytes, Math.ceil((this.#limit - rate) / holders));
    if (passing <= 0 || (passing < bytes && passing < Math.min(this.#minBytes, this.#limit))) return 0;
    addValue(table, this.#entry, this.#rate, 0, now, Math.ceil(passing / bytesRateFactor));
    table.changed(this.#entry, now);
    return passing;
  }

  when(_bytes: number, now: number): number {
    return now + STEP_MS;
  }

  release(): void {
    this.#table.release(this.#entry, this.#hold);
    this.#table.giveHold(this.#hold);
  }
}

/** A meter at the entry of the key in `sample`; null when there can be none: no such key, no room in the table. */
export function sharedMeter(table: Table, sample: Sample, spec: BandwidthSpec, now: number): SharedMeter | null {
  if (!setKey(table.spec, sample)) return null;
  const hold = table.takeHold();
  if (hold < 0) return null;
  const entry = table.findOrAdd(now, hold);
  if (entry >= 0) return new SharedMeter(table, entry, hold, spec);
  table.giveHold(hold);
  return null;
}
