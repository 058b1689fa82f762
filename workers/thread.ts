/**
 * What a thread's task has in common with all others: its end of the port, its words to the master, its end.
 */

import { type MessagePort, threadId } from 'node:worker_threads';
import type { Severity } from '../engine/config/diagnostics.ts';
import { type Order, report } from './messages.ts';

export interface Thread {
  /** Everything is loaded and compiled: the task can take its orders. */
  readonly ready: () => void;
  readonly say: (severity: Severity, text: string) => void;
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
    ready: () => report(port, { type: 'ready', threadId }),
    say: (severity, text) => report(port, { type: 'say', severity, text }),
    ended: promise,
    end: () => {
      port.close();
      resolve();
    },
  };
}
