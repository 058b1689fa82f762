/** Algorithms whose choice changes from one request to the next; the others choose what the request says. */
import type { BalanceAlgorithm } from '../config/proxy-model.ts';

export const CHANGING: ReadonlySet<BalanceAlgorithm> = new Set([
  'roundrobin',
  'static-rr',
  'leastconn',
  'first',
  'random',
]);
