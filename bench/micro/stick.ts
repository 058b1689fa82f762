/**
 * Nanoseconds of a lookup, and of what a tracked request costs (track, count the request, read its rate, give back), in a full
 * table; one thread alone and two together: `node bench/micro/stick.ts [entries]`.
 */
import { once } from 'node:events';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { Sample } from '../../engine/sample/sample.ts';
import { setKey } from '../../engine/stick/key.ts';
import { tableBytes } from '../../engine/stick/table.ts';
import { countAt, endTracking, newTracked, REQUEST, track } from '../../engine/stick/tracking.ts';
import { readValue } from '../../engine/stick/values.ts';
import { attach, type Shared, share, stored, tableSpec } from '../../test/stick/world.ts';

const OPERATIONS = 2_000_000;
const STEP = 7_919;

interface Work {
  readonly shared: Shared;
  readonly row: number;
  readonly entries: number;
}

function measure({ shared, row, entries }: Work): Record<string, number> {
  const table = attach(shared, row);
  const sample = new Sample();
  const address = new Uint8Array(4);
  const view = new DataView(address.buffer);
  const tracked = newTracked(1);
  const rate = table.field(10)!;
  let source = row * 101;
  let sum = 0;
  const next = (): void => {
    source = (source + STEP) % entries;
    view.setUint32(0, 0x0a00_0000 + source);
    sample.setIp(address);
  };
  const run = (operation: (now: number) => void): number => {
    for (let i = 0; i < 100_000; i++) operation(1_000);
    const start = process.hrtime.bigint();
    for (let i = 0; i < OPERATIONS; i++) operation(1_000 + i / 1_000);
    return Number(process.hrtime.bigint() - start) / OPERATIONS;
  };
  const key = run(() => {
    next();
    if (setKey(table.spec, sample)) sum++;
  });
  const lookup = run(now => {
    next();
    setKey(table.spec, sample);
    const entry = table.find(now);
    if (entry < 0) throw new Error('a source is not there');
    table.release(entry);
  });
  const request = run(now => {
    next();
    const one = tracked[0]!;
    if (!track(one, table, sample, now)) throw new Error('a source cannot be tracked');
    countAt(one, REQUEST, now);
    sum += readValue(table, one.entry, rate, 0, now);
    endTracking(tracked, now);
  });
  if (sum === 0) throw new Error('nothing was counted');
  return { lookup: lookup - key, request: request - key };
}

function fill({ shared, entries }: Omit<Work, 'row'>): void {
  const table = attach(shared, 2);
  const sample = new Sample();
  const address = new Uint8Array(4);
  for (let i = 0; i < entries; i++) {
    new DataView(address.buffer).setUint32(0, 0x0a00_0000 + i);
    sample.setIp(address);
    setKey(table.spec, sample);
    const entry = table.findOrAdd(0);
    if (entry < 0) throw new Error(`no room for source ${i}`);
    table.release(entry);
  }
}

async function together(work: Omit<Work, 'row'>): Promise<Record<string, number>[]> {
  const workers = [0, 1].map(row => new Worker(new URL(import.meta.url), { workerData: { ...work, row } }));
  return Promise.all(workers.map(async worker => (await once(worker, 'message'))[0]));
}

if (isMainThread) {
  const entries = Number(process.argv[2] ?? 1_000_000);
  const spec = tableSpec({ key: 'ip', size: entries, expireMs: 600_000, data: [stored('http_req_rate', 10_000)] });
  const shared = share(spec, 3);
  const start = process.hrtime.bigint();
  fill({ shared, entries });
  const add = Number(process.hrtime.bigint() - start) / entries;
  console.log(
    `${entries} entries, ${(tableBytes(spec) / entries).toFixed(1)} bytes each; adding one takes ${add.toFixed(0)} ns`,
  );
  console.log('threads   lookup ns   tracked request ns');
  const show = (threads: number, { lookup, request }: Record<string, number>): void =>
    console.log(`${threads}         ${lookup!.toFixed(0).padStart(9)} ${request!.toFixed(0).padStart(20)}`);
  show(1, measure({ shared, row: 0, entries }));
  for (const figures of await together({ shared, entries })) show(2, figures);
} else {
  const { parentPort } = await import('node:worker_threads');
  parentPort!.postMessage(measure(workerData as Work));
}
