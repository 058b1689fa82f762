import { describe, expect, test } from 'vitest';
import { evaluateCondition } from '../../engine/config/conditions.ts';
import { Diagnostics } from '../../engine/config/diagnostics.ts';
import { readFileLines } from '../../engine/config/read.ts';

const ENV = { HOME: '/root', EMPTY: '' };

describe('expressions', () => {
  test.each([
    ['', false],
    ['  ', false],
    ['0', false],
    ['1', true],
    ['-1', true],
    ['!!1', true],
    ['! defined(HOME)', false],
    ['defined(EMPTY)', true],
    ['defined( HOME)', false],
    ['defined()', false],
    ['1&&0||1', true],
    ['0 && 0 || 1', true],
    ['1 || 1 && 0', true],
    ['(1 || 1) && 0', false],
    ['!(0||0)&&1', true],
    ['feature(THREAD) && feature(OPENSSL)', true],
    ['feature("THREAD")', true],
    ['feature(FOO)', false],
    ['enabled(POLL)', true],
    ['enabled(SPLICE)', false],
    ['streq(a,a)', true],
    ['streq(a, a)', false],
    ['streq(a,)', false],
    ['streq("a b",a\\ b)', true],
    ['streq(\\"a,)b\\",\'"a,)b"\')', true],
    ['streq("$HOME",/root) && !streq($HOME,/root)', true],
    ['streq(a,   b)  #||1', false],
    ['strneq(a,b)', true],
    ['strstr(abc,b)', true],
    ['strstr(abc,d)', false],
    ['version_atleast(3.4)', true],
    ['version_atleast(3.4-dev5)', true],
    ['version_atleast(3.4.1)', false],
    ['version_atleast(3.5)', false],
    ['version_before(3.10)', true],
    ['version_before(3.4.0)', false],
    ['openssl_version_atleast(1.1.1)', true],
    ['openssl_version_before(1.1.1)', false],
    ['ssllib_name_startswith(OpenSSL)', true],
    ['ssllib_name_startswith(wolfSSL)', false],
    ['awslc_api_atleast(35) || awslc_api_before(35) || fips_mode()', false],
  ])('%j is %j', (text, value) => expect(evaluateCondition(text, ENV)).toEqual({ value }));

  // Messages are those of HAProxy 2.6.
  test.each([
    ['foo', 1, "unparsable conditional expression 'foo'"],
    ['1 foo', 3, "unexpected character 'f' at the end of conditional expression '1 foo'"],
    ['1)', 2, "unexpected character ')' at the end of conditional expression '1)'"],
    ['12abc', 3, "unexpected character 'a' at the end of conditional expression '12abc'"],
    ['(1', 1, "expected ')' after conditional expression '(1'"],
    ['|| 1', 1, "unparsable conditional expression '|| 1'"],
    ['1 &&', 5, "conditional expression '1 &&' ends too early"],
    ['defined(HOME', 13, "expected ')' in argument 1 of predicate 'defined' used in conditional expression"],
    [
      'defined(A,B)',
      10,
      "expected ')' before ',B)' in argument 1 of predicate 'defined' used in conditional expression",
    ],
    [
      'streq(a)',
      7,
      "missing arguments (got 1/2), type 'string' expected in argument 1 of predicate 'streq' used in conditional expression",
    ],
    ['enabled(foo)', 1, "unsupported option 'foo' in predicate 'enabled' used in conditional expression"],
    ['version_atleast(a)', 1, "invalid version 'a' in predicate 'version_atleast' used in conditional expression"],
    ['streq(\\"a,b)', 7, "unmatched quote in argument 1 of predicate 'streq' used in conditional expression"],
    [
      'strneq(',
      8,
      "missing arguments (got 1/2), type 'string' expected in argument 1 of predicate 'strneq' used in conditional expression",
    ],
    ['"1', 1, 'unmatched quote at position 1'],
    ['constructor(x)', 1, "unparsable conditional expression 'constructor(x)'"],
  ])('%j', (text, column, error) => expect(evaluateCondition(text, ENV)).toEqual({ error, column }));

  test('nesting is bounded', () => {
    const nested = (n: number) => evaluateCondition(`${'('.repeat(n)}1${')'.repeat(n)}`, ENV);
    expect(nested(1000)).toEqual({ value: true });
    expect(nested(100_000)).toEqual({ error: 'conditional expression nested too deep, max is 1024', column: 1025 });
    expect(evaluateCondition(`${'!'.repeat(100_000)}1`, ENV)).toHaveProperty('error');
    expect(evaluateCondition(`1${'&&1||0'.repeat(100_000)}`, ENV)).toEqual({ value: true });
  });
});

function read(text: string) {
  const diagnostics = new Diagnostics();
  const lines = [...readFileLines('a.cfg', text, { ...ENV }, diagnostics)];
  const said = diagnostics.list.map(d => `${d.severity} ${d.place?.line}:${d.column}+${d.width} ${d.message}`);
  return { lines: lines.map(line => line.words.map(word => word.text).join(' ')), said, list: diagnostics.list };
}

describe('blocks', () => {
  test('one branch of a block counts', () => {
    const choose = (...values: number[]) =>
      read(`.if ${values[0]}\na\n.elif ${values[1]}\nb\n.elif ${values[2]}\nc\n.else\nd\n.endif\ne\n`).lines.join('');
    expect(choose(1, 1, 1)).toBe('ae');
    expect(choose(0, 1, 1)).toBe('be');
    expect(choose(0, 0, 1)).toBe('ce');
    expect(choose(0, 0, 0)).toBe('de');
  });

  test('nested blocks of a branch left out are left out, their conditions not read', () => {
    expect(read('.if 0\n.if bogus\na\n.elif 1\nb\n.else\nc\n.endif\n.bogus\n.else\nd\n.endif\n')).toMatchObject({
      lines: ['d'],
      said: [],
    });
  });

  test('words are joined with one blank', () => {
    expect(read('.if streq("$HOME",/root)   &&  ! 0 # why\na\n.endif\n').lines).toEqual(['a']);
  });

  test.each([
    ['.else\n', "alert 1:1+5 lone '.else' with no matching '.if'"],
    ['.elif\n', "alert 1:1+5 lone '.elif' with no matching '.if'"],
    ['.endif\n', "alert 1:1+6 lone '.endif' with no matching '.if'"],
    ['.if 1\n.else\n.elif 1\n.endif\n', "alert 3:1+5 '.elif' after '.else' is not permitted"],
    ['.if 1\n.else\n.else\n.endif\n', "alert 3:1+5 '.else' after '.else' is not permitted"],
    ['.if 1\n.endif foo\n', "alert 2:8+3 unexpected argument 'foo' for '.endif'"],
    ['a\n .if 1\n', "alert 2:2+3 non-terminated '.if' block"],
    ['.foo\n', "alert 1:1+4 unknown directive '.foo'"],
    ['.notice a b\n', "alert 1:11+1 unexpected argument 'b' for '.notice'"],
    ['.if 1 && foo\n.endif\n', "alert 1:10+3 unparsable conditional expression 'foo' in '.if'"],
    ['.if 1 && "foo"\n.endif\n', "alert 1:10+5 unparsable conditional expression 'foo' in '.if'"],
    ['.if 1)\n.endif\n', "alert 1:6+1 unexpected character ')' at the end of conditional expression '1)' in '.if'"],
  ])('%j', (text, message) => expect(read(text).said).toEqual([message]));

  test('an unreadable condition leaves its whole block out, and suggests', () => {
    const { lines, list } = read('.if defind(X)\na\n.elif 1\nb\n.else\nc\n.endif\nd\n');
    expect(lines).toEqual(['d']);
    expect(list.map(d => d.hint)).toEqual(["did you mean 'defined' maybe ?"]);
  });

  test('nesting is bounded', () => {
    expect(read(`${'.if 1\n'.repeat(100)}${'.endif\n'.repeat(100)}`).said).toEqual([]);
    const { said } = read(`${'.if 1\n'.repeat(300)}a\n${'.endif\n'.repeat(300)}`);
    expect(said).toEqual(["alert 101:1+3 too many nested '.if', max is 100"]);
  });
});

test('messages', () => {
  expect(read('.notice\n.diag x\n.alert "a b"\n.warning z\n.if 0\n.alert no\n.endif\n').said).toEqual([
    "notice 1:0+0 ''",
    "diag 2:0+0 'x'",
    "alert 3:0+0 'a b'",
    "warning 4:0+0 'z'",
  ]);
});
