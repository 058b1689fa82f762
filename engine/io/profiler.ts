/**
 * What a thread spends its time and memory on, as V8 samples it (`set profiling`). Each thread has one profiler, which
 * costs nothing while it is off.
 */
import { type HeapProfiler, type Profiler, Session } from 'node:inspector';
import { Timer, type TimerWheel } from '../time.ts';

/** Between two samples of the time: so often V8 looks where the thread is. Microseconds. */
const SAMPLE_US = 1_000;
/** Between two samples of allocations, on average. Bytes. */
const SAMPLE_BYTES = 32_768;
/** V8 keeps every sample until they are read: so often they are, and added up. Milliseconds. */
const FOLD_MS = 5_000;

/** Which profile: of the time, or of what is allocated and not freed. */
export type ProfileKind = 'tasks' | 'memory';
export type ProfileWish = 'on' | 'off' | 'read';

/** One function. */
export interface ProfileRow {
  readonly name: string;
  /** Its file and line, '' = it is the runtime's own. */
  readonly place: string;
  /** Samples that found it (tasks), or 0. */
  readonly samples: number;
  /** Microseconds (tasks), or bytes that it allocated and that are still there, an estimate (memory). */
  readonly amount: number;
}

type Sum = { -readonly [K in keyof ProfileRow]: ProfileRow[K] };

class ThreadProfiler {
  #session: Session | null = null;
  #tasks = false;
  #memory = false;
  readonly #sums = new Map<string, Sum>();
  #wheel: TimerWheel | null = null;
  #now: () => number = () => 0;
  readonly #timer = new Timer<ThreadProfiler>(this, profiler => profiler.#again());

  /** Turns a profile on or off, or reads it; the rows as of now, unless it was turned on just now. */
  profile(kind: ProfileKind, wish: ProfileWish, wheel: TimerWheel, now: () => number): readonly ProfileRow[] {
    this.#wheel = wheel;
    this.#now = now;
    return kind === 'tasks' ? this.#time(wish) : this.#allocations(wish);
  }

  #time(wish: ProfileWish): readonly ProfileRow[] {
    if (wish === 'on') {
      this.#sums.clear();
      if (!this.#tasks) {
        this.#post('Profiler.enable');
        this.#post('Profiler.setSamplingInterval', { interval: SAMPLE_US });
        this.#post('Profiler.start');
        this.#wheel!.arm(this.#timer, this.#now() + FOLD_MS);
      }
      this.#tasks = true;
    } else if (this.#tasks) {
      this.#fold();
      this.#tasks = wish === 'read';
      if (this.#tasks) this.#post('Profiler.start');
      else {
        this.#wheel!.forget(this.#timer);
        this.#post('Profiler.disable');
      }
    }
    return [...this.#sums.values()].map(sum => ({ ...sum }));
  }

  #again(): void {
    this.#fold();
    this.#post('Profiler.start');
    this.#wheel!.arm(this.#timer, this.#now() + FOLD_MS);
  }

  /** Ends a recording, and adds what it has to the sums. */
  #fold(): void {
    const { profile } = this.#post('Profiler.stop') as Profiler.StopReturnType;
    const frames = new Map(profile.nodes.map(node => [node.id, node.callFrame]));
    const { samples = [], timeDeltas = [] } = profile;
    samples.forEach((id, i) => {
      const sum = this.#sumOf(frames.get(id)!);
      sum.samples++;
      // What a sample found lasts until the next one.
      sum.amount += timeDeltas[i + 1] ?? 0;
    });
  }

  #sumOf({ functionName, url, lineNumber }: Profiler.Profile['nodes'][number]['callFrame']): Sum {
    const key = `${functionName} ${url}:${lineNumber}`;
    let sum = this.#sums.get(key);
    if (sum === undefined) {
      sum = { name: functionName, place: placeOf(url, lineNumber), samples: 0, amount: 0 };
      this.#sums.set(key, sum);
    }
    return sum;
  }

  #allocations(wish: ProfileWish): readonly ProfileRow[] {
    if (wish === 'on' && !this.#memory) {
      this.#post('HeapProfiler.startSampling', { samplingInterval: SAMPLE_BYTES });
      this.#memory = true;
    } else if (wish === 'off' && this.#memory) {
      this.#post('HeapProfiler.stopSampling');
      this.#memory = false;
    }
    if (!this.#memory) return [];
    const rows: ProfileRow[] = [];
    const { profile } = this.#post('HeapProfiler.getSamplingProfile') as HeapProfiler.GetSamplingProfileReturnType;
    const nodes = [profile.head];
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      const { functionName: name, url, lineNumber } = node.callFrame;
      if (node.selfSize > 0) rows.push({ name, place: placeOf(url, lineNumber), samples: 0, amount: node.selfSize });
      nodes.push(...node.children);
    }
    return rows;
  }

  /** The inspector of one's own thread answers before it returns. */
  #post(method: string, params: object = {}): unknown {
    if (this.#session === null) {
      this.#session = new Session();
      this.#session.connect();
    }
    let answer: unknown = null;
    this.#session.post(method, params, (error, result) => {
      if (error) throw error;
      answer = result;
    });
    return answer;
  }
}

/** `stream.ts:606`; lines count from 0 there. */
function placeOf(url: string, line: number): string {
  return url === '' ? '' : `${url.slice(url.lastIndexOf('/') + 1)}:${line + 1}`;
}

export const threadProfiler = new ThreadProfiler();
