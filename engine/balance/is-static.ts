/** Whether a backend's algorithm computes its tables once and for all. */
import type { Proxy } from '../config/proxy-model.ts';
import { CHANGING } from './changing.ts';

/** Then it takes no servers more, and weights are what the configuration says, or 0. */
export function isStatic({ balance, hash }: Pick<Proxy, 'balance' | 'hash'>): boolean {
  return balance.algorithm === 'static-rr' || (!CHANGING.has(balance.algorithm) && hash.method === 'map-based');
}
