import { expect, test } from 'vitest';
import { type Counters, NO_COUNTERS } from '../../engine/lbaas/health.ts';
import { LastingCounters } from '../../engine/lbaas/lasting-counters.ts';

const looks = (total_connections: number, bytes_in: number, active_connections = 0) => {
  const counters: Counters = { ...NO_COUNTERS, total_connections, bytes_in, active_connections };
  return { members: {}, findings: {}, fronts: { f: counters }, pools: { p: counters }, ping: null };
};

test('counters go on over restarts, gauges do not', () => {
  const lasting = new LastingCounters();
  const add = (...look: Parameters<typeof looks>) => {
    const { fronts, pools } = lasting.add(looks(...look));
    expect(pools.p).toEqual(fronts.f);
    return [fronts.f!.total_connections, fronts.f!.bytes_in, fronts.f!.active_connections];
  };
  expect(add(5, 100, 2)).toEqual([5, 100, 2]);
  expect(add(7, 150, 3)).toEqual([7, 150, 3]);
  expect(add(0, 0, 0)).toEqual([7, 150, 0]);
  expect(add(2, 10, 1)).toEqual([9, 160, 1]);
  expect(add(1, 5, 1)).toEqual([10, 165, 1]);
});
