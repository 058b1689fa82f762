/**
 * balance source: the client's address, its 32-bit words combined by exclusive or. That is the hash: the function of
 * `hash-type` has no part in it, its avalanche has.
 */
import type { HashType } from '../config/proxy-model.ts';
import type { Subject } from './balancer.ts';
import { avalanche } from './hash.ts';
import { type Key, NO_KEY } from './keyed.ts';

export function sourceKey(type: HashType): Key {
  return (subject: Subject) => {
    const address = subject.source();
    if (address === null) return NO_KEY;
    let word = 0;
    for (let i = 0; i + 4 <= address.length; i += 4) {
      word ^= (address[i]! << 24) | (address[i + 1]! << 16) | (address[i + 2]! << 8) | address[i + 3]!;
    }
    return type.avalanche ? avalanche(word) : word >>> 0;
  };
}
