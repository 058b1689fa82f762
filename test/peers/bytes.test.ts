import { describe, expect, test } from 'vitest';
import { Reader, varintBytes, Writer } from '../../engine/peers/bytes.ts';
import fc from '../properties.ts';

function encode(value: number): string {
  const out = new Writer();
  out.varint(value);
  return Buffer.from(out.bytes.subarray(0, out.length)).toString('hex');
}

function decode(hex: string): { value: number; left: number; bad: boolean } {
  const bytes = Buffer.from(hex, 'hex');
  const reader = new Reader().open(bytes, 0, bytes.length);
  return { value: reader.varint(), left: reader.left, bad: reader.bad };
}

describe('integers', () => {
  test('the example of the protocol, and the ends of each length', () => {
    expect(encode(0x1234)).toBe('f49401');
    expect([239, 240, 2287, 2288, 264431, 264432].map(encode)).toEqual([
      'ef',
      'f000',
      'ff7f',
      'f08000',
      'ffff7f',
      'f0808000',
    ]);
  });

  test('come back as they went', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), value => {
        const hex = encode(value);
        expect(decode(`${hex}07`)).toEqual({ value, left: 1, bad: false });
        expect(hex.length / 2).toBe(varintBytes(value));
      }),
    );
  });

  test('that end too early, or never, are bad', () => {
    for (const hex of ['', 'f0', 'f080', 'ff'.repeat(11)]) expect(decode(hex)).toMatchObject({ value: 0, bad: true });
    // 2^64 - 1 as HAProxy writes it.
    const large = decode('fff0ffffffffffff0f');
    expect(large.bad).toBe(false);
  });
});
