import { expect, test } from 'vitest';
import { compareVersions, FEATURES, featureList, parseVersion, VERSION } from '../engine/version.ts';

test('stands for 3.4.0', () => {
  expect(parseVersion(VERSION)).toEqual(parseVersion('3.4.0'));
});

test('versions compare as numbers, a -dev one before its release', () => {
  const sorted = ['1', '1.5', '1.10', '2.6-dev5', '2.6-dev12', '2.6', '2.6.12-1+deb12u4', '2.6.100', '3.4-sluice0.1.0'];
  for (const [i, a] of sorted.entries()) {
    for (const [j, b] of sorted.entries()) {
      expect(Math.sign(compareVersions(parseVersion(a)!, parseVersion(b)!))).toBe(Math.sign(i - j));
    }
  }
  expect([parseVersion(''), parseVersion('a'), parseVersion('3.'), parseVersion('3.4.5.6')]).toEqual([
    null,
    null,
    null,
    null,
  ]);
});

test('the feature list has one sign and name each, in order', () => {
  expect(featureList()).toMatch(/^([+-][A-Z0-9_]+ )*[+-][A-Z0-9_]+$/);
  expect(featureList()).toContain('+THREAD ');
  const names = FEATURES.map(([name]) => name);
  expect(names).toEqual([...new Set(names)].sort());
});
