/** A thread of the stress test: holds, counts and gives back entries of one table until it has done its share. */
import { workerData } from 'node:worker_threads';
import { addValue } from '../../engine/stick/values.ts';
import { attach, key, type Shared } from './world.ts';

export interface Share {
  readonly shared: Shared;
  readonly row: number;
  readonly operations: number;
  /** Keys are drawn from this many. */
  readonly keys: number;
  /** What each thread has counted of each key that stays, added up: the reference. */
  readonly counted: SharedArrayBuffer;
  /** Set when the thread may go on for ever: it is to be killed. */
  readonly endless: boolean;
}

const { shared, row, operations, keys, counted, endless } = workerData as Share;
const table = attach(shared, row);
const reference = new Int32Array(counted);
const gpc0 = table.field(2)!;
const held: { entry: number; hold: number }[] = [];
let random = 12_345 + row * 7_919;

function draw(n: number): number {
  random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fff_ffff;
  return random % n;
}

function begin(): void {
  const value = draw(keys);
  key(table, value);
  const hold = table.takeHold();
  const entry = table.findOrAdd(1, hold);
  if (entry < 0) {
    table.giveHold(hold);
    return;
  }
  table.count(entry, hold);
  addValue(table, entry, gpc0, 0, 1, 1);
  Atomics.add(reference, value, 1);
  table.changed(entry, 1 + draw(1000));
  held.push({ entry, hold });
}

function end(): void {
  const { entry, hold } = held.splice(draw(held.length), 1)[0]!;
  table.uncount(entry, hold);
  table.release(entry, hold);
  table.giveHold(hold);
}

for (let i = 0; endless || i < operations; i++) {
  if (held.length > 20 || (held.length > 0 && draw(2) === 0)) end();
  else begin();
}
while (held.length > 0) end();
