import { expect, test } from 'vitest';
import { freqAdd, freqRead, freqSet, freqState } from '../../engine/stick/freq.ts';

const words = (): Int32Array => new Int32Array(new SharedArrayBuffer(12));

test('the first period counts exactly, from the first event on', () => {
  const w = words();
  for (let i = 0; i < 20; i++) freqAdd(w, 0, 995 + i, 1000, 1);
  expect(freqRead(w, 0, 1500, 1000)).toBe(20);
  expect(freqRead(w, 0, 1995, 1000)).toBe(20);
});

test('the past period fades', () => {
  const w = words();
  freqAdd(w, 0, 100, 1000, 100);
  expect(freqRead(w, 0, 1600, 1000)).toBe(50);
  expect(freqRead(w, 0, 2100, 1000)).toBe(0);
  freqAdd(w, 0, 1350, 1000, 10);
  expect(freqRead(w, 0, 1350, 1000)).toBe(85);
  freqAdd(w, 0, 5000, 1000, 7);
  expect(freqRead(w, 0, 5000, 1000)).toBe(7);
});

test('a clock that wraps around', () => {
  const w = words();
  const start = 2 ** 31 - 300;
  freqAdd(w, 0, start, 1000, 10);
  freqAdd(w, 0, start + 600, 1000, 10);
  expect(freqRead(w, 0, start + 600, 1000)).toBe(20);
  freqAdd(w, 0, start + 1500, 1000, 1);
  expect(freqRead(w, 0, start + 1500, 1000)).toBe(11);
});

test('a turn that its thread did not finish', () => {
  const w = words();
  freqAdd(w, 0, 100, 1000, 10);
  w[0]! |= 0x8000_0000;
  freqAdd(w, 0, 1200, 1000, 5);
  expect(freqRead(w, 0, 1200, 1000)).toBe(13);
  freqAdd(w, 0, 9000, 1000, 5);
  expect(freqRead(w, 0, 9000, 1000)).toBe(5);
});

test('what a peer says', () => {
  const w = words();
  freqSet(w, 0, 5000, 250, 10, 40);
  expect(freqState(w, 0, 5000)).toEqual([250, 10, 40]);
  expect(freqRead(w, 0, 5000, 1000)).toBe(40);
});
