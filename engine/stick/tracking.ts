/**
 * What sessions and streams track (`track-sc*`): which entry each of their counters holds, and what happens is counted
 * there. A stream counts where it tracks something itself with a counter, else where its session does.
 */

import type { StatusRange } from '../config/global-model.ts';
import type { Model } from '../config/model.ts';
import type { Sample } from '../sample/sample.ts';
import { setKey } from './key.ts';
import type { Table } from './table.ts';
import { addValue } from './values.ts';

/** One counter of a session or stream; it tracks nothing while `table` is null. */
export class Tracked {
  table: Table | null = null;
  entry = -1;
  hold = -1;
}

/** A session or stream that tracks nothing. */
export const NOTHING_TRACKED: readonly Tracked[] = [];

export function newTracked(counters: number): readonly Tracked[] {
  return Array.from({ length: counters }, () => new Tracked());
}

// Numbers of the types: data-types.ts. A total and its rate are counted together.
interface Event {
  readonly total: number;
  readonly rate: number;
}
const CONNECTION: Event = { total: 4, rate: 5 };
export const SESSION: Event = { total: 7, rate: 8 };
export const REQUEST: Event = { total: 9, rate: 10 };
export const CLIENT_ERROR: Event = { total: 11, rate: 12 };
export const SERVER_FAILURE: Event = { total: 20, rate: 21 };
const BYTES_IN: Event = { total: 13, rate: 14 };
const BYTES_OUT: Event = { total: 15, rate: 16 };

/** Begins to track the key that is in `sample`; false when it cannot be: no such key, no room. */
export function track(tracked: Tracked, table: Table, sample: Sample, now: number): boolean {
  if (!setKey(table.spec, sample)) return false;
  const hold = table.takeHold();
  if (hold < 0) return false;
  const entry = table.findOrAdd(now, hold);
  if (entry < 0) {
    table.giveHold(hold);
    return false;
  }
  tracked.table = table;
  tracked.entry = entry;
  tracked.hold = hold;
  table.count(entry, hold);
  add(table, entry, CONNECTION, now, 1, 1);
  table.changed(entry, now);
  return true;
}

/** Ends what is tracked: the entries live on for `expire`. */
export function endTracking(list: readonly Tracked[], now: number): void {
  for (let i = 0; i < list.length; i++) {
    const tracked = list[i]!;
    const { table, entry, hold } = tracked;
    if (table === null) continue;
    tracked.table = null;
    table.uncount(entry, hold);
    table.changed(entry, now);
    table.release(entry, hold);
    table.giveHold(hold);
  }
}

/** Counts `n` of an event at an entry; true if it stores any of that. */
function add(table: Table, entry: number, { total, rate }: Event, now: number, n: number, inRate: number): boolean {
  const totals = table.field(total);
  const rates = table.field(rate);
  if (totals !== null) addValue(table, entry, totals, 0, now, n);
  if (rates !== null) addValue(table, entry, rates, 0, now, inRate);
  return totals !== null || rates !== null;
}

/** Counts an event at one counter. */
export function countAt({ table, entry }: Tracked, event: Event, now: number): void {
  if (table !== null && add(table, entry, event, now, 1, 1)) table.changed(entry, now);
}

/** Counts an event wherever a stream (or a session alone) tracks. */
export function countEvent(own: readonly Tracked[], session: readonly Tracked[], event: Event, now: number): void {
  for (let i = 0; i < own.length || i < session.length; i++) {
    const tracked = trackedBy(own, session, i);
    if (tracked !== null) countAt(tracked, event, now);
  }
}

/** Counts bytes wherever a stream tracks. */
export function countTraffic(
  own: readonly Tracked[],
  session: readonly Tracked[],
  now: number,
  bytesIn: number,
  bytesOut: number,
): void {
  for (let i = 0; i < own.length || i < session.length; i++) {
    const tracked = trackedBy(own, session, i);
    if (tracked === null) continue;
    const table = tracked.table!;
    const { bytesRateFactor } = table.spec;
    const { entry } = tracked;
    const came = bytesIn > 0 && add(table, entry, BYTES_IN, now, bytesIn, Math.ceil(bytesIn / bytesRateFactor));
    const left = bytesOut > 0 && add(table, entry, BYTES_OUT, now, bytesOut, Math.ceil(bytesOut / bytesRateFactor));
    if (came || left) table.changed(entry, now);
  }
}

/** The counter `i` that is in force: the stream's own, else its session's; null = it tracks nothing. */
export function trackedBy(own: readonly Tracked[], session: readonly Tracked[], i: number): Tracked | null {
  const first = own[i];
  if (first !== undefined && first.table !== null) return first;
  const second = session[i];
  return second !== undefined && second.table !== null ? second : null;
}

/** A status that counts as an error of the client, as a failure of the server, or as neither. */
export function statusEvent({ global }: Model, status: number): Event | null {
  if (isIn(global.httpErrCodes, status)) return CLIENT_ERROR;
  return isIn(global.httpFailCodes, status) ? SERVER_FAILURE : null;
}

function isIn(ranges: readonly StatusRange[], status: number): boolean {
  for (let i = 0; i < ranges.length; i++) {
    const range = ranges[i]!;
    if (status >= range[0] && status <= range[1]) return true;
  }
  return false;
}
