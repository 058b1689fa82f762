/**
 * static-rr: turns in the order of the static table. Weights are the configured ones: a change at run time matters only
 * to and from 0 (manual 4.2, balance).
 */
import type { Farm } from './farm.ts';
import { weightMap } from './weight-map.ts';

/** The static table of the farm's members: what static-rr and map-based hashing look into. */
export function staticSchedule(farm: Farm): Int32Array {
  const weights = farm.members.map(server => Math.max(1, farm.proxy.servers[server]!.weight));
  return weightMap(farm.members, weights);
}
