import { expect, test } from 'vitest';
import { resolveHost } from '../../engine/io/resolve.ts';

test('names resolve as everywhere on the machine, numbers as they stand', () => {
  expect(resolveHost('127.0.0.1')).toEqual({ family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: 0 });
  expect(resolveHost('::1')).toEqual({ family: 6, bytes: new Uint8Array(16).with(15, 1), port: 0 });
  expect([
    { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: 0 },
    { family: 6, bytes: new Uint8Array(16).with(15, 1), port: 0 },
  ]).toContainEqual(resolveHost('localhost'));
});

test('what has no address is null', () => {
  expect(resolveHost('nothing.invalid')).toBeNull();
  expect(resolveHost('')).toBeNull();
});
