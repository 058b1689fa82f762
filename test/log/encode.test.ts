/** What an encoder writes, read by others: the engine's JSON and a small reader of RFC 8949. */
import { describe, expect, test } from 'vitest';
import { type Encoder, encoderOf } from '../../engine/log/encode.ts';
import { Line } from '../../engine/log/line.ts';
import fc from '../properties.ts';
import { GET, listen, start } from './world.ts';

/** With the text of numbers, which may be too large for `number` (ECMAScript's JSON.parse source text access). */
const parse = JSON.parse as (
  text: string,
  reviver: (key: string, value: unknown, context: { readonly source: string }) => unknown,
) => unknown;

type Value = null | boolean | bigint | string | Uint8Array | readonly string[];

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');

function writeValue(encoder: Encoder, line: Line, value: Value): void {
  if (value === null) encoder.nothing(line);
  else if (typeof value === 'boolean') encoder.bool(line, value);
  else if (typeof value === 'bigint') encoder.integer(line, value);
  else if (typeof value === 'string') encoder.text(line, bytes(value), 0, bytes(value).length);
  else if (value instanceof Uint8Array) encoder.binary(line, value, 0, value.length);
  else {
    encoder.openList(line, value.length);
    for (const [i, text] of value.entries()) {
      if (i > 0) encoder.next(line);
      writeValue(encoder, line, text);
    }
    encoder.closeList(line);
  }
}

function write(encoder: Encoder, fields: readonly (readonly [string, Value])[]): Buffer {
  const line = new Line(65536);
  encoder.open(line);
  for (const [i, [key, value]] of fields.entries()) {
    encoder.key(line, bytes(key), i === 0);
    writeValue(encoder, line, value);
  }
  encoder.close(line);
  return Buffer.from(line.bytes.subarray(0, line.length));
}

/** Reads one item of CBOR; a map is a list of its pairs. */
class Cbor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  read(): unknown {
    const first = this.#bytes[this.#at++]!;
    const [major, short] = [first >> 5, first & 31];
    if (major === 5) return this.#map(short);
    if (major === 7) return new Map<number, unknown>([[20, false], [21, true], [22, null]]).get(short); // biome-ignore format: a table
    const value = this.#argument(short);
    if (major === 0) return value;
    if (major === 1) return -1n - value;
    if (major === 4) return Array.from({ length: Number(value) }, () => this.read());
    const slice = this.#bytes.subarray(this.#at, this.#at + Number(value));
    this.#at += slice.length;
    expect(slice).toHaveLength(Number(value));
    return major === 3 ? new TextDecoder('utf-8', { fatal: true }).decode(slice) : new Uint8Array(slice);
  }

  /** RFC 8949 3: the shortest form is the only one that is expected. */
  #argument(short: number): bigint {
    if (short < 24) return BigInt(short);
    const size = 1 << (short - 24);
    expect(short).toBeLessThan(28);
    let value = 0n;
    for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(this.#bytes[this.#at++]!);
    expect(value).toBeGreaterThanOrEqual(size === 1 ? 24n : 1n << BigInt(size * 4));
    return value;
  }

  #map(short: number): [unknown, unknown][] {
    expect(short).toBe(31);
    const pairs: [unknown, unknown][] = [];
    while (this.#bytes[this.#at] !== 0xff) pairs.push([this.read(), this.read()]);
    this.#at++;
    return pairs;
  }
}

const text = fc.string({ unit: 'binary', maxLength: 300 });
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -300n, max: 70_000n }),
  text,
  fc.array(text, { maxLength: 30 }),
);
const fields = fc.array(fc.tuple(text, value), { maxLength: 8 });

describe('what comes back is what was written', () => {
  test('JSON', () => {
    fc.assert(
      fc.property(fields, list => {
        const written = write(encoderOf('json', false), list);
        const read = parse(written.toString('utf8'), (_, v, { source }) =>
          typeof v === 'number' ? BigInt(source) : v,
        );
        expect(read).toEqual(Object.fromEntries(list));
      }),
    );
  });

  test('CBOR, as bytes and in digits', () => {
    const withBytes = fc.array(fc.tuple(text, fc.oneof(value, fc.uint8Array({ maxLength: 300 }))), { maxLength: 8 });
    fc.assert(
      fc.property(withBytes, list => {
        const written = write(encoderOf('cbor', true), list);
        const cbor = new Cbor(written);
        expect(cbor.read()).toEqual(list);
        expect(cbor.ended).toBe(true);
        expect(write(encoderOf('cbor', false), list).toString('latin1')).toBe(written.toString('hex').toUpperCase());
      }),
    );
  });

  test('any bytes make JSON that can be read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), list => {
        const line = new Line(65536);
        encoderOf('json', false).text(line, list, 0, list.length);
        const json = new TextDecoder('utf-8', { fatal: true }).decode(line.bytes.subarray(0, line.length));
        expect(Buffer.from(json).every(byte => byte >= 32 && byte !== 127)).toBe(true);
        expect(typeof JSON.parse(json)).toBe('string');
      }),
    );
  });
});

describe('in log lines', () => {
  const CAPTURES =
    'capture request header host len 9\n capture request header x-none len 9\n capture cookie a= len 9\n capture response header content-length len 3\n';
  const lineOf = async (lines: string): Promise<string> => {
    const world = await start(listen(CAPTURES + lines));
    await world.send('l', GET('/x?y'));
    return world.next();
  };

  test.each([
    ['%(a)hr %(b)hrl %(c)hs %(d)hsl %(e:str)hrl', { a: '{a|}', b: ['a', ''], c: '{5}', d: ['5'], e: 'a -' }],
    [
      '%(a)rc %(b:bool)rc %(c:str)ST %(d:sint)[str(12)] %(e:bool)[int(3)]',
      { a: 0, b: false, c: '200', d: 12, e: true },
    ],
    [
      '%(a){+E,+Q}HU %(b){+X}pid %(c)CC %(d)ID %(e)[var(txn.no)] %[int(1)]',
      { a: '/x?y', b: '002A', c: null, d: null, e: null },
    ],
    [
      '%(a)[int(-9223372036854775808),mul(1)] %(b)[ipv4(192.0.2.1)] %(c)[str()] x %(d)[method]',
      { a: -(2 ** 63), b: '192.0.2.1', c: '', d: 'GET' },
    ],
    ['%(a)ci %(b)ts %(c)si %(d)s', { a: '127.0.0.1', b: '--', c: '127.0.0.1', d: 's' }],
    ['nothing has a label %ci', {}],
  ])('JSON: %s', async (format, expected) => {
    expect(JSON.parse(await lineOf(`log-format "%{+json}o ${format}"`))).toEqual(expected);
  });

  test('JSON: a size that still grows is a number', async () => {
    const line = JSON.parse(await lineOf('option logasap\n log-format "%{+json}o %(b)B %(t)Tt %(r)Ta"'));
    expect(line).toEqual({ b: expect.any(Number), t: expect.any(Number), r: expect.any(Number) });
  });

  test('CBOR: lists, absent values and bytes', async () => {
    const line = await lineOf('log-format "%{+cbor}o %(a)hrl %(b)CC %(c)[bin(00ff)] %(d)ST %(e:str)ST"');
    expect(new Cbor(Buffer.from(line, 'hex')).read()).toEqual([
      ['a', ['a', '']],
      ['b', null],
      ['c', Uint8Array.of(0, 255)],
      ['d', 200n],
      ['e', '200'],
    ]);
  });

  test('a format without captures has no list', async () => {
    const world = await start(listen('log-format "%{+json}o %(a)hrl %(b)hr"'));
    await world.send('l', GET('/'));
    expect(await world.next()).toBe('{"a": null, "b": null}');
  });

  test('one value of a line', async () => {
    expect(await lineOf(`log-format "a=%{+json}HU b=%(:str){+json}ST c=%{+cbor}[int(500)] d=%{+json}hrl"`)).toBe(
      'a="/x?y" b="200" c=1901F4 d=["a", ""]',
    );
  });
});
