/**
 * Arithmetic (manual 7.3.1) on HAProxy's 64-bit integers. Doubles are used as long as operands and result are safe integers;
 * beyond that BigInt, and what overflows stays at the largest or smallest value.
 */
import { X509_ERROR_NAMES } from '../config/x509-errors.ts';
import type { Args } from './arguments.ts';
import { cast, INT64_MAX, INT64_MIN } from './cast.ts';
import type { Convert } from './context.ts';
import { type ConverterRow, converter, plainConverter } from './row.ts';
import { bytesOf, Sample, SINT } from './sample.ts';
import { getVar } from './vars.ts';

type Doubles = (a: number, b: number) => number;
type Bigs = (a: bigint, b: bigint) => bigint;

function saturate(value: bigint): bigint {
  return value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : value;
}

/** A binary operation; `doubles` gives NaN where only BigInt will do. */
function arithmetic(doubles: Doubles, bigs: Bigs): (args: Args) => Convert {
  return args => {
    const operand = new Sample();
    const variable = args.variable(0);
    const constant = args.list[0];
    if (typeof constant === 'bigint') operand.setWide(constant);
    else operand.setInt(args.int(0));
    return (sample, ctx) => {
      if (variable !== null && !(getVar(variable, ctx, operand) && cast(operand, SINT))) return false;
      if (sample.wide === null && operand.wide === null) {
        const result = doubles(sample.int, operand.int);
        if (Number.isSafeInteger(result)) return sample.setInt(result === 0 ? 0 : result);
      }
      return sample.setWide(saturate(bigs(sample.big(), operand.big())));
    };
  };
}

/** Bits of numbers that fit in 31 are V8's own; the others are BigInt's. */
function bitwise(doubles: Doubles, bigs: Bigs): (args: Args) => Convert {
  const small = (n: number): boolean => n >= 0 && n <= 0x7fff_ffff;
  return arithmetic((a, b) => (small(a) && small(b) ? doubles(a, b) : Number.NaN), bigs);
}

const OPERATIONS: readonly (readonly [string, string, (args: Args) => Convert])[] = [
  [
    'add',
    'Adds.',
    arithmetic(
      (a, b) => a + b,
      (a, b) => a + b,
    ),
  ],
  [
    'sub',
    'Subtracts.',
    arithmetic(
      (a, b) => a - b,
      (a, b) => a - b,
    ),
  ],
  [
    'mul',
    'Multiplies.',
    arithmetic(
      (a, b) => a * b,
      (a, b) => a * b,
    ),
  ],
  [
    'div',
    'Divides; by zero gives the largest integer.',
    arithmetic(
      (a, b) => (b === 0 ? Number.NaN : Math.trunc(a / b)),
      (a, b) => (b === 0n ? INT64_MAX : a / b),
    ),
  ],
  [
    'mod',
    'The remainder; by zero gives 0.',
    arithmetic(
      (a, b) => (b === 0 ? 0 : a % b),
      (a, b) => (b === 0n ? 0n : a % b),
    ),
  ],
  [
    'and',
    'Bitwise AND.',
    bitwise(
      (a, b) => a & b,
      (a, b) => a & b,
    ),
  ],
  [
    'or',
    'Bitwise OR.',
    bitwise(
      (a, b) => a | b,
      (a, b) => a | b,
    ),
  ],
  [
    'xor',
    'Bitwise exclusive OR.',
    bitwise(
      (a, b) => a ^ b,
      (a, b) => a ^ b,
    ),
  ],
];

const BAD_VALUE = 'expects an integer or a variable name';

/** The lowest bit, of either representation. */
function isOdd(sample: Sample): boolean {
  return sample.wide === null ? sample.int % 2 !== 0 : (sample.wide & 1n) === 1n;
}

function hexToInt(sample: Sample): boolean {
  const text = sample.text();
  return sample.setWide(/^[0-9A-Fa-f]+$/.test(text) ? BigInt(`0x${text.slice(-16)}`) : 0n);
}

export const NUMBER_CONVERTERS: readonly ConverterRow[] = [
  ...OPERATIONS.map(([name, doc, make]) =>
    converter(name, 'value:value', 'sint', 'sint', doc, make, {
      good: [`${name}(3)`, `${name}(-9223372036854775808)`, `${name}(txn.x)`],
      bad: [[`${name}(x)`, `invalid args in converter '${name}' : ${BAD_VALUE}`]],
    }),
  ),
  plainConverter('neg', 'sint', 'sint', 'The negative.', sample => {
    return sample.wide === null
      ? sample.setInt(sample.int === 0 ? 0 : -sample.int)
      : sample.setWide(saturate(-sample.wide));
  }),
  plainConverter('cpl', 'sint', 'sint', 'All bits flipped.', sample => {
    return sample.wide === null ? sample.setInt(-sample.int - 1) : sample.setWide(~sample.wide);
  }),
  plainConverter('not', 'sint', 'bool', 'True for zero.', sample => sample.setBool(sample.int === 0)),
  plainConverter('bool', 'sint', 'bool', 'False for zero.', sample => sample.setBool(sample.int !== 0)),
  plainConverter('odd', 'sint', 'bool', 'True for odd integers.', sample => sample.setBool(isOdd(sample))),
  plainConverter('even', 'sint', 'bool', 'True for even integers.', sample => sample.setBool(!isOdd(sample))),
  plainConverter('hex2i', 'str', 'sint', 'Hexadecimal digits as an integer; 0 where they are none.', hexToInt),
  plainConverter(
    'x509_v_err_str',
    'sint',
    'str',
    "OpenSSL's name of a certificate's error; else the number.",
    sample => {
      const name = bytesOf(X509_ERROR_NAMES[sample.int] ?? String(sample.big()));
      return sample.setStr(name, 0, name.length);
    },
  ),
];
