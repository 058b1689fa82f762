/** Every row of the tables: documented, and its own lines parse or fail as it says. */
import { describe, expect, test } from 'vitest';
import { CONVERTERS } from '../../engine/sample/converters.ts';
import { FETCHES } from '../../engine/sample/fetches.ts';
import { isSeen } from '../../engine/sample/points.ts';
import { BIN, BOOL, METH, SINT, STR, TYPE_NAMES } from '../../engine/sample/sample.ts';
import { load } from '../config/load-text.ts';
import { problemOf, World } from './world.ts';

/** A fetch of each type, to put before a converter that takes it. */
const FETCH_OF: Readonly<Record<string, string>> = {
  any: 'str(x)',
  bool: 'always_true',
  sint: 'int(1)',
  addr: 'src',
  ipv4: 'ipv4(1.2.3.4)',
  ipv6: 'ipv6(::1)',
  str: 'str(x)',
  bin: 'bin(00)',
  meth: 'meth(GET)',
};

const fetches = [...FETCHES.values()];
const converters = [...CONVERTERS.values()];

describe('fetches', () => {
  test.each(fetches)('$name', row => {
    expect(row.doc).toMatch(/[.?]$/);
    for (const good of row.good) expect(problemOf(good), good).toBe(null);
    for (const [bad, message] of row.bad) expect(problemOf(bad)?.message, bad).toBe(message);
  });

  test('what is supported compiles, and finds a value of its type or nothing', () => {
    const world = new World({ body: Uint8Array.of(1, 2, 3) });
    for (const row of fetches.filter(r => r.status === 'supported')) {
      const found = world.sample(row.good[0]!);
      if (found === null) continue;
      const kind = [BOOL, SINT, STR, BIN, METH].find(type => type === row.out);
      if (kind !== undefined) expect(TYPE_NAMES[found.type], row.name).toBe(TYPE_NAMES[kind]);
    }
  });
});

describe('converters', () => {
  test.each(converters)('$name', row => {
    expect(row.doc).toMatch(/[.?]$/);
    const before = FETCH_OF[TYPE_NAMES[row.in]]!;
    for (const good of row.good) expect(problemOf(`${before},${good}`), good).toBe(null);
    for (const [bad, message] of row.bad) expect(problemOf(`${before},${bad}`)?.message, bad).toBe(message);
  });

  test('what is supported compiles, and takes a value of its type without harm', () => {
    const world = new World();
    for (const row of converters.filter(r => r.status === 'supported')) {
      const before = FETCH_OF[TYPE_NAMES[row.in]]!;
      for (const good of row.good) world.text(`${before},${good}`);
    }
  });
});

describe('while the configuration is read', () => {
  const alerts = (expression: string): string[] =>
    load(`global\n  set-var proc.x '${expression.replaceAll("'", "'\\''")}'\n`).diagnostics.list.map(d => d.message);

  test('what is not there yet is refused', () => {
    for (const row of fetches.filter(r => r.status === 'supported')) {
      const refused = alerts(row.good[0]!).some(message => message.includes('none of which is available here'));
      expect(refused, row.name).toBe(!isSeen(row.from, 'config'));
    }
  });

  test('converters do no harm', () => {
    for (const row of converters.filter(r => r.status === 'supported')) {
      const before = FETCH_OF[TYPE_NAMES[row.in]]!.replace('src', 'ipv4(1.2.3.4)');
      for (const good of row.good) {
        expect(alerts(`${before},${good}`).join(), good).not.toContain('none of which is available here');
      }
    }
  });
});

test('a mistake marks its own characters, and the hint says what was meant', () => {
  expect(problemOf('req.hdr(a,b)')).toEqual({
    message: "fetch method 'req.hdr' : failed to parse 'b' as type 'integer' at position 2",
    marked: 'b',
  });
  expect(problemOf('str(a),lowr')?.marked).toBe('lowr');
  expect(problemOf('str(a)lower')).toEqual({ message: "missing comma after fetch keyword 'str'", marked: 'l' });
  expect(problemOf('str(a')?.message).toBe("fetch method 'str' : expected ')'");
  expect(problemOf('bin(00),add(1)')?.message).toBe("converter 'add' cannot be applied");
  expect(problemOf('')?.message).toBe('missing fetch method');
});
