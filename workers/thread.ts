/**
 * What a thread's task has in common with all others: its end of the port, its words to the master, its end.
 */

import type { MessagePort } from 'node:worker_threads';
import { type Order, type Report, report } from './messages.ts';

export interface Thread {
  readonly tell: (message: Report) => void;
  /** Resolves when `end` is called. */
  readonly ended: Promise<void>;
  /** The task is done: the port is closed, the thread may go. */
  readonly end: () => void;
}

/** Takes the master's orders, one method each, from now until the task ends. */
export function joinMaster(
  port: MessagePort,
  orders: { readonly [K in Order['type']]: (order: Extract<Order, { type: K }>) => void },
): Thread {
  const { promise, resolve } = Promise.withResolvers<void>();
  port.on('message', (order: Order) => {
    (orders[order.type] as (order: Order) => void)(order);
  });
  return {
    tell: message => report(port, message),
    ended: promise,
    end: () => {
      port.close();
      resolve();
    },
  };
}
