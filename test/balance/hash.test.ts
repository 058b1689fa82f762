import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { avalanche, hashFor } from '../../engine/balance/hash.ts';
import fc from '../properties.ts';

const plain = (fn: 'sdbm' | 'djb2' | 'wt6' | 'crc32' | 'none') => hashFor({ fn, avalanche: false });

function hash(fn: Parameters<typeof plain>[0], text: string): number {
  const bytes = Buffer.from(`..${text}.`);
  return plain(fn)(bytes, 2, bytes.length - 1);
}

test('published values', () => {
  expect(hash('djb2', '')).toBe(5381);
  expect(hash('djb2', 'a')).toBe(177_670);
  expect(hash('sdbm', '')).toBe(0);
  expect(hash('sdbm', 'ab')).toBe((97 * 65_599 + 98) >>> 0);
  expect(hash('crc32', '123456789')).toBe(0xcbf43926);
});

test('crc32 is that of zlib', () => {
  fc.assert(
    fc.property(fc.uint8Array(), bytes => {
      expect(plain('crc32')(bytes, 0, bytes.length)).toBe(crc32(bytes));
    }),
  );
});

test('none: the key is the number', () => {
  expect(hash('none', '1234x')).toBe(1234);
  expect(hash('none', '-1')).toBe(0xffffffff);
  expect(hash('none', '+7')).toBe(7);
  expect(hash('none', 'x')).toBe(0);
  expect(hash('none', '')).toBe(0);
  fc.assert(fc.property(fc.bigInt(0n, 10n ** 15n), n => hash('none', `${n}`) === Number(n % 2n ** 32n)));
});

test('all results are unsigned 32-bit numbers, and avalanche is applied to them', () => {
  fc.assert(
    fc.property(fc.constantFrom('sdbm', 'djb2', 'wt6', 'crc32', 'none'), fc.uint8Array(), (fn, bytes) => {
      const result = plain(fn)(bytes, 0, bytes.length);
      expect(result).toBe(result >>> 0);
      const mixed = hashFor({ fn, avalanche: true });
      expect(mixed(bytes, 0, bytes.length)).toBe(avalanche(result));
    }),
  );
});
