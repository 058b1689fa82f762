/** The encoders: whatever is put in, in whatever pieces, comes out of a decoder as it was; and what is made is freed. */
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Brotli } from '../../engine/io/brotli.ts';
import { Deflate } from '../../engine/io/deflate.ts';
import {
  alive,
  CONTINUE,
  type Encoder,
  FINISH,
  FLUSH,
  type Operation,
  OUTPUT,
  OUTPUT_START,
  SLICE_BYTES,
} from '../../engine/io/encoder.ts';
import { Zstd } from '../../engine/io/zstd.ts';
import fc from '../properties.ts';

interface Format {
  readonly name: string;
  readonly make: () => Encoder;
  readonly decode: (bytes: Uint8Array) => Buffer;
  /** Decodes what there is of a body that has not ended. */
  readonly decodePart: (bytes: Uint8Array) => Buffer;
}

const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH, ZSTD_e_flush } = zlib.constants;
const part = { finishFlush: Z_SYNC_FLUSH };

const FORMATS: readonly Format[] = [
  {
    name: 'gzip',
    make: () => new Deflate('gzip', 1, 15, 8),
    decode: bytes => zlib.gunzipSync(bytes),
    decodePart: bytes => zlib.gunzipSync(bytes, part),
  },
  {
    name: 'gzip of the smallest window and memory',
    make: () => new Deflate('gzip', 6, 8, 1),
    decode: bytes => zlib.gunzipSync(bytes),
    decodePart: bytes => zlib.gunzipSync(bytes, part),
  },
  {
    name: 'deflate',
    make: () => new Deflate('deflate', 1, 15, 8),
    decode: bytes => zlib.inflateSync(bytes),
    decodePart: bytes => zlib.inflateSync(bytes, part),
  },
  {
    name: 'raw-deflate',
    make: () => new Deflate('raw-deflate', 9, 15, 8),
    decode: bytes => zlib.inflateRawSync(bytes),
    decodePart: bytes => zlib.inflateRawSync(bytes, part),
  },
  {
    name: 'br',
    make: () => new Brotli(),
    decode: bytes => zlib.brotliDecompressSync(bytes),
    decodePart: bytes => zlib.brotliDecompressSync(bytes, { finishFlush: BROTLI_OPERATION_FLUSH }),
  },
  {
    name: 'zstd',
    make: () => new Zstd(),
    decode: bytes => zlib.zstdDecompressSync(bytes),
    decodePart: bytes => zlib.zstdDecompressSync(bytes, { finishFlush: ZSTD_e_flush }),
  },
];

function run(encoder: Encoder, operation: Operation, out: Uint8Array[]): void {
  do {
    const length = encoder.run(operation);
    out.push(OUTPUT.slice(OUTPUT_START, OUTPUT_START + length));
  } while (encoder.more);
}

function put(encoder: Encoder, bytes: Uint8Array, out: Uint8Array[]): void {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    encoder.load(bytes, at, Math.min(at + SLICE_BYTES, bytes.length));
    run(encoder, CONTINUE, out);
  }
}

/** Text that repeats itself, and noise; long ones too. */
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 2_000 }),
  fc.tuple(fc.string({ minLength: 1, maxLength: 30 }), fc.nat(5_000)).map(([text, n]) => Buffer.from(text.repeat(n))),
);

describe.each(FORMATS)('$name', ({ make, decode, decodePart }) => {
  test('any bytes in any pieces, flushed anywhere, at changing levels, again and again', () => {
    const encoder = make();
    const bodies = fc.array(fc.record({ piece, flush: fc.boolean(), level: fc.nat(9) }), { maxLength: 8 });
    fc.assert(
      fc.property(bodies, fc.integer({ min: 1, max: 9 }), (steps, level) => {
        const out: Uint8Array[] = [];
        encoder.begin(level);
        for (const step of steps) {
          put(encoder, step.piece, out);
          if (!step.flush) continue;
          run(encoder, FLUSH, out);
          if (encoder.adapts) encoder.setLevel(step.level);
        }
        run(encoder, FINISH, out);
        const whole = Buffer.concat(steps.map(step => step.piece));
        expect(decode(Buffer.concat(out)).equals(whole)).toBe(true);
      }),
      { numRuns: 60 },
    );
    encoder.free();
  });

  test('what was flushed can be read before the end', () => {
    const encoder = make();
    const out: Uint8Array[] = [];
    encoder.begin(1);
    put(encoder, Buffer.from('first'), out);
    run(encoder, FLUSH, out);
    expect(decodePart(Buffer.concat(out)).toString()).toBe('first');
    put(encoder, Buffer.from(', second'), out);
    run(encoder, FLUSH, out);
    expect(decodePart(Buffer.concat(out)).toString()).toBe('first, second');
    encoder.free();
  });

  test('a body that was given up leaves nothing behind', () => {
    const encoder = make();
    const out: Uint8Array[] = [];
    encoder.begin(1);
    put(encoder, Buffer.alloc(50_000, 'never seen again '), []);
    encoder.begin(1);
    put(encoder, Buffer.from('the next'), out);
    run(encoder, FINISH, out);
    expect(decode(Buffer.concat(out)).toString()).toBe('the next');
    encoder.free();
    encoder.free();
    expect(alive.encoders).toBe(0);
  });
});
