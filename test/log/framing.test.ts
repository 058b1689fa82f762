/** Messages out of a stream (RFC 6587). */

import { describe, expect, test } from 'vitest';
import { Framing } from '../../engine/log/framing.ts';
import fc from '../properties.ts';

/** What comes out of pieces of a stream; the last entry says whether all of it was understood. */
function messages(pieces: readonly string[], endsWithLf = false, maxBytes = 100): (string | boolean)[] {
  const got: (string | boolean)[] = [];
  const framing = new Framing(maxBytes, endsWithLf, (bytes, start, end) => {
    got.push(Buffer.from(bytes.subarray(start, end)).toString('latin1'));
  });
  const fed = pieces.every(piece => {
    const bytes = Buffer.from(`?${piece}\n?`, 'latin1');
    return framing.feed(bytes, 1, bytes.length - 2);
  });
  return [...got, fed];
}

describe('a stream', () => {
  test.each([
    ['<1>a\n<2>b\n', ['<1>a', '<2>b', true]],
    ['4 <1>a5 <2>b\n', ['<1>a', '<2>b\n', true]],
    ['5 a\nb\nc<4>z\n3 abc', ['a\nb\nc', '<4>z', 'abc', true]],
    ['<1>a', [true]],
    ['10 short', [true]],
    ['12', [true]],
    ['plain\n', [false]],
    ['\n<1>a\n', [false]],
    ['05 hello', [false]],
    ['5x', [false]],
    ['<1>a\nplain\n', ['<1>a', false]],
    [`<1>${'a'.repeat(97)}\n`, [`<1>${'a'.repeat(97)}`, true]],
    [`<1>${'a'.repeat(98)}\n`, [false]],
    [`<1>${'a'.repeat(98)}`, [false]],
    ['101 a', [false]],
    ['99999999999999999999999', [false]],
  ])('%j', (stream, expected) => {
    expect(messages([stream])).toEqual(expected);
  });

  test('of lines only, whatever they begin with', () => {
    expect(messages(['plain\n5 x\n\n<1>b\nrest'], true)).toEqual(['plain', '5 x', '<1>b', true]);
  });

  test('gives the same however it is cut', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '<', '1', ' ', '\n'), minLength: 1, maxLength: 20 });
    const framed = text.map(message => `${message.length} ${message}`);
    const ended = text.map(message => `<1>${message.replaceAll('\n', '')}\n`);
    const stream = fc.array(fc.oneof(framed, ended)).map(parts => parts.join(''));
    fc.assert(
      fc.property(stream, fc.array(fc.nat(200)), (whole, cuts) => {
        const places = [0, ...cuts.filter(at => at <= whole.length).sort((a, b) => a - b), whole.length];
        const pieces = places.slice(1).map((end, i) => whole.slice(places[i], end));
        const expected = messages([whole]);
        expect(expected.at(-1)).toBe(true);
        expect(messages(pieces)).toEqual(expected);
      }),
    );
  });
});
