import { expect, test } from 'vitest';
import { parseInteger, parseSize, parseTime, type TimeUnit } from '../../engine/config/units.ts';
import fc from '../properties.ts';

const UNITS = ' (units are us, ms, s, m, h and d)';
const OVERFLOW = 'timer overflow (maximum value is 2147483647 ms or ~24.8 days)';

test.each([
  ['10', 'ms', { value: 10 }],
  ['10', 's', { value: 10_000 }],
  ['0', 's', { value: 0 }],
  ['10s', 'ms', { value: 10_000 }],
  ['2m', 'ms', { value: 120_000 }],
  ['3h', 'ms', { value: 10_800_000 }],
  ['24d', 'ms', { value: 2_073_600_000 }],
  ['7ms', 's', { value: 7 }],
  ['1us', 'ms', { value: 1 }],
  ['3000000000us', 'ms', { value: 3_000_000 }],
  ['2147483647', 'ms', { value: 2_147_483_647 }],
  ['2147483648', 'ms', { error: OVERFLOW }],
  ['25d', 'ms', { error: OVERFLOW }],
  [`9${'0'.repeat(400)}d`, 'ms', { error: OVERFLOW }],
  ['10x', 'ms', { error: `unexpected character 'x'${UNITS}` }],
  ['10sx', 'ms', { error: `unexpected character 'x'${UNITS}` }],
  ['10S', 'ms', { error: `unexpected character 'S'${UNITS}` }],
  ['1.5s', 'ms', { error: `unexpected character '.'${UNITS}` }],
  ['10u', 'ms', { error: `unexpected character 'u'${UNITS}` }],
  ['s', 'ms', { error: "unexpected character 's'" }],
  ['-1', 'ms', { error: "unexpected character '-'" }],
  ['', 'ms', { error: 'empty value' }],
] satisfies [string, TimeUnit, object][])('time %j in %s', (text, unit, expected) => {
  expect(parseTime(text, unit)).toEqual(expected);
});

test.each([
  ['10', { value: 10 }],
  ['10k', { value: 10_240 }],
  ['10K', { value: 10_240 }],
  ['5m', { value: 5_242_880 }],
  ['16G', { value: 17_179_869_184 }],
  ['10kb', { error: "unexpected character 'b' (units are k, m and g)" }],
  ['10x', { error: "unexpected character 'x' (units are k, m and g)" }],
  ['-1', { error: "unexpected character '-'" }],
  ['9999999999g', { error: 'size overflow' }],
])('size %j', (text, expected) => expect(parseSize(text)).toEqual(expected));

test.each([
  ['10', {}, { value: 10 }],
  ['-1', { min: -5 }, { value: -1 }],
  ['-1', {}, { error: 'value must be between 0 and 2147483647' }],
  ['65', { min: 1, max: 64 }, { error: 'value must be between 1 and 64' }],
  ['1.5', {}, { error: 'not an integer' }],
  ['0x10', {}, { error: 'not an integer' }],
  ['', {}, { error: 'not an integer' }],
])('integer %j in %j', (text, range, expected) => expect(parseInteger(text, range)).toEqual(expected));

test('what is written in a unit reads back', () => {
  const ms = { s: 1000, m: 60_000, h: 3_600_000 } as const;
  fc.assert(
    fc.property(fc.nat(500), fc.constantFrom('s', 'm', 'h'), (n, unit) => {
      expect(parseTime(`${n}${unit}`, 'ms')).toEqual({ value: n * ms[unit] });
      expect(parseTime(`${n}`, unit)).toEqual({ value: n * ms[unit] });
      expect(parseSize(`${n}m`)).toEqual(parseSize(`${n * 1024}k`));
    }),
  );
});
