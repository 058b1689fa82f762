/**
 * Loaded before Sluice by soak.ts and by tests: tells its parent what the process holds, and ends a random thread, whenever
 * its parent asks for that.
 */
import fs from 'node:fs';
import v8 from 'node:v8';
import vm from 'node:vm';
import type { Worker } from 'node:worker_threads';

/** What a process holds. Sizes in bytes. */
export interface Holdings {
  readonly threads: number;
  readonly rss: number;
  /** Of the heaps of all threads together. */
  readonly heap: number;
  readonly external: number;
  /** Shared memory that the master made and still knows. */
  readonly shared: number;
  readonly sharedCount: number;
  /** What Node keeps its loop going for, in the master. */
  readonly handles: Readonly<Record<string, number>>;
  readonly descriptors: number;
  /** How many of each kind: `socket`, `anon_inode:[eventpoll]` ... */
  readonly kinds: Readonly<Record<string, number>>;
}

const threads = new Set<Worker>();
process.on('worker', thread => {
  threads.add(thread);
  thread.once('exit', () => threads.delete(thread));
});

// --- shared memory: every buffer that is made, until nobody knows it ---

let [shared, sharedCount] = [0, 0];
const gone = new FinalizationRegistry<number>(bytes => {
  shared -= bytes;
  sharedCount--;
});
globalThis.SharedArrayBuffer = new Proxy(SharedArrayBuffer, {
  construct(made, args, target) {
    const buffer = Reflect.construct(made, args, target) as SharedArrayBuffer;
    shared += buffer.byteLength;
    sharedCount++;
    gone.register(buffer, buffer.byteLength);
    return buffer;
  },
});

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Names of what is open, without numbers of their own. */
function openKinds(): string[] {
  return fs.readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).replace(/:\[\d+\]$/, '');
    } catch {
      return [];
    }
  });
}

async function measure(): Promise<Holdings> {
  collect();
  // Registries hear of it in a turn of their own.
  await new Promise<void>(resolve => setTimeout(resolve, 50));
  const heaps = await Promise.allSettled([...threads].map(thread => thread.getHeapStatistics()));
  const mine = v8.getHeapStatistics();
  const all = [mine, ...heaps.flatMap(heap => (heap.status === 'fulfilled' ? [heap.value] : []))];
  const kinds = openKinds();
  if (process.env['PROBE'])
    console.error(
      all
        .map(
          h =>
            `${(h.used_heap_size / 2 ** 20).toFixed(0)}/${(h.total_heap_size / 2 ** 20).toFixed(0)}+${(h.external_memory / 2 ** 20).toFixed(0)}+${(h.malloced_memory / 2 ** 20).toFixed(0)}`,
        )
        .join(' '),
      JSON.stringify(
        Object.fromEntries(Object.entries(process.memoryUsage()).map(([k, v]) => [k, Math.round(v / 2 ** 20)])),
      ),
    );
  const task = fs.readdirSync('/proc/self/task').length;
  return {
    threads: task,
    rss: process.memoryUsage.rss(),
    heap: all.reduce((sum, heap) => sum + heap.total_heap_size, 0),
    external: all.reduce((sum, heap) => sum + heap.external_memory + heap.malloced_memory, 0),
    shared,
    sharedCount,
    handles: countBy(process.getActiveResourcesInfo()),
    descriptors: kinds.length,
    kinds: countBy(kinds),
  };
}

process.on('message', async message => {
  if (message === 'measure') process.send!(await measure());
  if (message === 'snapshots') {
    const { pipeline } = await import('node:stream/promises');
    for (const t of threads)
      await pipeline(await t.getHeapSnapshot(), fs.createWriteStream(`/tmp/reload2/t-${t.threadId}.heapsnapshot`));
    process.send!('ok');
  }
  if (message === 'snapshot') process.send!(v8.writeHeapSnapshot(`/tmp/reload2/master-${Date.now()}.heapsnapshot`));
  const all = [...threads];
  if (message === 'kill') void all[Math.floor(Math.random() * all.length)]?.terminate();
});
process.channel?.unref();
