import { describe, expect, test } from 'vitest';
import { Line } from '../../engine/log/line.ts';
import fc from '../properties.ts';

function written(write: (line: Line) => void, maxBytes = 1000): string {
  const line = new Line(maxBytes);
  write(line);
  return Buffer.from(line.bytes.subarray(0, line.length)).toString('latin1');
}

describe('numbers', () => {
  test('every whole number is written as JavaScript writes it', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), n => {
        expect(written(line => line.number(n))).toBe(`${n}`);
      }),
    );
  });

  test('hexadecimal, in capitals, with leading zeros', () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), fc.integer({ min: 1, max: 8 }), (n, width) => {
        expect(written(line => line.hex(n, width))).toBe(n.toString(16).toUpperCase().padStart(width, '0'));
      }),
    );
  });

  test('a width is filled with zeros', () => {
    expect(written(line => line.number(7, 3))).toBe('007');
    expect(written(line => line.number(1234, 3))).toBe('1234');
  });
});

describe('what a client sent', () => {
  test('only harmless bytes are left, and nothing is lost', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        const text = written(line => line.encoded(bytes, 0, bytes.length, false));
        expect(text).toMatch(/^[ !$-~#]*$/);
        const back = text.replace(/#([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
        expect(Buffer.from(back, 'latin1')).toEqual(Buffer.from(bytes));
      }),
    );
  });

  test('+E puts backslashes', () => {
    const bytes = Buffer.from('a"b\\c]d#');
    expect(written(line => line.encoded(bytes, 0, bytes.length, true))).toBe('a#22b\\\\c\\]d#23');
    expect(written(line => line.escaped(bytes, 0, bytes.length))).toBe('a\\"b\\\\c\\]d#');
  });
});

test('what does not fit is cut off', () => {
  expect(written(line => line.raw(Buffer.from('abcdef')), 4)).toBe('abcd');
  expect(written(line => line.number(123456), 4)).toBe('1234');
  expect(written(line => line.encoded(Buffer.from('####'), 0, 4, false), 5)).toBe('#23#2');
});
