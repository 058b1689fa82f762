/** balance hash: the value of a sample expression, as bytes. */
import type { Subject } from './balancer.ts';
import type { Hash } from './hash.ts';
import { type Key, NO_KEY } from './keyed.ts';

export function expressionKey(hash: Hash): Key {
  return (subject: Subject) => {
    const value = subject.hashed();
    return value === null ? NO_KEY : hash(value.bytes, value.start, value.end);
  };
}
