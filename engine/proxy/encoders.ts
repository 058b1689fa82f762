/**
 * The encoders of a worker: lent to streams, kept for the next ones, bounded. What bounds the work is asked here too: `maxcomprate`
 * over all workers, `maxcompcpuusage` of this one, and this worker's share of `maxzlibmem`.
 */
import type { CompressionFormat } from '../config/filter-spec.ts';
import type { Model } from '../config/model.ts';
import { Brotli } from '../io/brotli.ts';
import { Deflate } from '../io/deflate.ts';
import type { Encoder } from '../io/encoder.ts';
import { Zstd } from '../io/zstd.ts';
import { COMPRESSION_BYTES_MAX, SPARE_ENCODERS_MAX } from '../limits.ts';
import { COMP_IN_RATE, COMP_OUT_RATE, CUR_COMP_BYTES } from '../shm/counters.ts';
import type { Memory } from '../shm/memory.ts';
import { rateAdd, rateRead } from '../shm/rate.ts';
import { PROCESS } from '../shm/words.ts';
import { ThreadLoad } from '../time.ts';

type Bounds = Model['global']['compression'];

const MAKE: Readonly<Record<string, (bounds: Bounds) => Encoder>> = {
  gzip: bounds => deflate('gzip', bounds),
  deflate: bounds => deflate('deflate', bounds),
  'raw-deflate': bounds => deflate('raw-deflate', bounds),
  br: () => new Brotli(),
  zstd: () => new Zstd(),
};

function deflate(format: 'gzip' | 'deflate' | 'raw-deflate', { maxLevel, windowBits, memLevel }: Bounds): Encoder {
  return new Deflate(format, maxLevel, windowBits, memLevel);
}

/** Something with output that leaves at the end of the loop's turn. */
interface Flushed {
  flush(): void;
}

/** The memory of all workers together when `maxzlibmem` does not say otherwise. Bytes. */
function compressionMemory({ memoryBytes }: Bounds): number {
  return memoryBytes || COMPRESSION_BYTES_MAX;
}

export class Encoders {
  readonly #bounds: Bounds;
  readonly #counters: Float64Array;
  readonly #words: Int32Array;
  /** Where the limit of the rate stands. */
  readonly #rateAt: number;
  readonly #row: number;
  readonly #inRate: Int32Array;
  readonly #outRate: Int32Array;
  readonly #worker: number;
  readonly #maxBytes: number;
  readonly #spare = new Map<string, Encoder[]>();
  readonly #load = new ThreadLoad();
  #unflushed: Flushed[] = [];

  constructor(model: Model, memory: Memory, worker: number) {
    this.#bounds = model.global.compression;
    this.#counters = memory.counters;
    this.#words = memory.words;
    this.#rateAt = memory.process + PROCESS.at.maxcomprate;
    this.#row = memory.row(worker, 'process', 0);
    this.#inRate = memory.rows('process', 0, COMP_IN_RATE);
    this.#outRate = memory.rows('process', 0, COMP_OUT_RATE);
    this.#worker = worker;
    this.#maxBytes = compressionMemory(this.#bounds) / memory.shape.workers;
  }

  get maxLevel(): number {
    return this.#bounds.maxLevel;
  }

  /** True when a limit is reached: nothing new is compressed, and what is under way less. */
  tooMuch(now: number): boolean {
    const { cpuPercent } = this.#bounds;
    const rateBytes = Atomics.load(this.#words, this.#rateAt);
    if (rateBytes > 0 && rateRead(this.#counters, this.#inRate, now) > rateBytes) return true;
    return cpuPercent < 100 && this.#load.percent(now) > cpuPercent;
  }

  /** An encoder, ready for a body; null when there is no memory for one. */
  take(format: CompressionFormat): Encoder | null {
    const encoder = this.#spare.get(format)?.pop() ?? this.#make(format);
    if (encoder === null) return null;
    encoder.begin(this.maxLevel);
    return encoder;
  }

  #make(format: CompressionFormat): Encoder | null {
    if (this.#used >= this.#maxBytes) this.#freeSpare();
    if (this.#used >= this.#maxBytes) return null;
    try {
      const encoder = MAKE[format]!(this.#bounds);
      this.#counters[this.#row + CUR_COMP_BYTES]! += encoder.bytes;
      return encoder;
    } catch {
      // No memory, or a Node without this library: bodies stay as they are.
      return null;
    }
  }

  /** The body is over, complete or not. */
  give(encoder: Encoder): void {
    const spare = this.#spare.get(encoder.format) ?? [];
    this.#spare.set(encoder.format, spare);
    if (spare.length < SPARE_ENCODERS_MAX) spare.push(encoder);
    else this.#free(encoder);
  }

  /** Counts payload of one turn. */
  count(input: number, output: number, now: number): void {
    rateAdd(this.#counters, this.#inRate, this.#inRate[this.#worker]!, now, input);
    rateAdd(this.#counters, this.#outRate, this.#outRate[this.#worker]!, now, output);
  }

  /** `what.flush` is called at the end of this turn. */
  flushLater(what: Flushed): void {
    this.#unflushed.push(what);
  }

  /** The end of a turn. */
  flush(): void {
    if (this.#unflushed.length === 0) return;
    const unflushed = this.#unflushed;
    this.#unflushed = [];
    for (const each of unflushed) each.flush();
  }

  /** The worker ends. */
  close(): void {
    this.#freeSpare();
  }

  get #used(): number {
    return this.#counters[this.#row + CUR_COMP_BYTES]!;
  }

  #freeSpare(): void {
    for (const spare of this.#spare.values()) for (const encoder of spare.splice(0)) this.#free(encoder);
  }

  #free(encoder: Encoder): void {
    encoder.free();
    this.#counters[this.#row + CUR_COMP_BYTES]! -= encoder.bytes;
  }
}
