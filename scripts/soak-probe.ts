/**
 * Loaded before Sluice by soak.ts and by a test: tells its parent what the process holds, or ends a random thread, when the
 * parent asks for that.
 */
import fs from 'node:fs';
import v8 from 'node:v8';
import vm from 'node:vm';
import { isMainThread, type Worker } from 'node:worker_threads';

/** What a process holds. Sizes in bytes. */
export interface Holdings {
  readonly threads: number;
  readonly rss: number;
  /** The heaps of all threads. */
  readonly heap: number;
  /** What the objects on those heaps have outside of them. */
  readonly external: number;
  /** Shared memory that the master has made and still knows. */
  readonly shared: number;
  readonly sharedBuffers: number;
  readonly ports: number;
  readonly descriptors: number;
  /** The descriptors by kind: `socket`, `pipe`, `anon_inode:[io_uring]`, a path. */
  readonly kinds: Readonly<Record<string, number>>;
}

export type Wish = 'measure' | 'kill';

const threads = new Set<Worker>();
let [shared, sharedBuffers] = [0, 0];

/** From now on all shared memory that the master makes is counted, until nobody knows it any more. */
function countShared(): void {
  const gone = new FinalizationRegistry<number>(bytes => {
    shared -= bytes;
    sharedBuffers--;
  });
  globalThis.SharedArrayBuffer = new Proxy(SharedArrayBuffer, {
    construct(made, args, target) {
      const buffer = Reflect.construct(made, args, target) as SharedArrayBuffer;
      shared += buffer.byteLength;
      sharedBuffers++;
      gone.register(buffer, buffer.byteLength);
      return buffer;
    },
  });
}

/** Registries hear of what is gone in turns of their own. Milliseconds. */
const HEAR_MS = 50;

async function measure(collect: () => void): Promise<Holdings> {
  collect();
  await new Promise<void>(resolve => setTimeout(resolve, HEAR_MS));
  const others = await Promise.allSettled([...threads].map(thread => thread.getHeapStatistics()));
  const heaps = [v8.getHeapStatistics(), ...others.flatMap(o => (o.status === 'fulfilled' ? [o.value] : []))];
  const kinds = openKinds();
  return {
    threads: fs.readdirSync('/proc/self/task').length,
    rss: process.memoryUsage.rss(),
    heap: heaps.reduce((sum, heap) => sum + heap.total_heap_size, 0),
    external: heaps.reduce((sum, heap) => sum + heap.external_memory, 0),
    shared,
    sharedBuffers,
    ports: process.getActiveResourcesInfo().filter(name => name === 'MessagePort').length,
    descriptors: kinds.length,
    kinds: Object.fromEntries([...Map.groupBy(kinds, kind => kind)].map(([kind, all]) => [kind, all.length]).sort()),
  };
}

/** What each descriptor is, without the number that no other has. */
function openKinds(): string[] {
  return fs.readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).replace(/:\[\d+\]$/, '');
    } catch {
      // That of the folder that was read.
      return [];
    }
  });
}

function start(): void {
  process.on('worker', thread => {
    threads.add(thread);
    thread.once('exit', () => threads.delete(thread));
  });
  countShared();
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  process.on('message', async (wish: Wish) => {
    const all = [...threads];
    if (wish === 'measure') process.send!(await measure(collect));
    else void all[Math.floor(Math.random() * all.length)]?.terminate();
  });
  process.channel?.unref();
}

if (isMainThread) start();
