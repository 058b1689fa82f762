/** Places in a queue: the order of the heap, and what rules make of it. */

import { expect, test } from 'vitest';
import type { Stream } from '../../engine/proxy/stream.ts';
import { placeAt, WaitingLine } from '../../engine/proxy/waiting-line.ts';
import fc from '../properties.ts';
import { CLOSE, listen, origin } from './listen.ts';
import { connect, ok, type Wire } from './wire.ts';

interface Waiter {
  id: number;
  priorityClass: number;
  priorityOffsetMs: number;
  place: number;
}

const waiters = fc.array(
  fc.record({
    priorityClass: fc.integer({ min: -2047, max: 2047 }),
    priorityOffsetMs: fc.integer({ min: -524_287, max: 524_287 }),
    now: fc.double({ min: 0, max: 1e11, noNaN: true }),
    stays: fc.boolean(),
  }),
);

test('class, then time with its offset, then arrival; whoever leaves in between', () => {
  fc.assert(
    fc.property(waiters, list => {
      const line = new WaitingLine();
      const all = list.map(({ now, ...rest }, id) => {
        const waiter = { id, ...rest, place: 0, line: null, lineAt: 0 };
        const stream = waiter as unknown as Stream;
        stream.place = placeAt(now, stream);
        expect(stream.place).toBeGreaterThan(0);
        line.push(stream);
        return { stream, stays: rest.stays, time: Math.floor((now + rest.priorityOffsetMs) * 16), waiter };
      });
      for (const { stream, stays } of all) if (!stays) line.remove(stream);
      const order = all
        .filter(({ stays }) => stays)
        .toSorted(
          (a, b) =>
            a.waiter.priorityClass - b.waiter.priorityClass ||
            Math.max(0, a.time) - Math.max(0, b.time) ||
            a.waiter.id - b.waiter.id,
        )
        .map(({ waiter }: { waiter: Waiter }) => waiter.id);
      expect(line.inOrder().map(stream => stream.id)).toEqual(order);
      const taken: number[] = [];
      for (let first = line.first; first !== null; first = line.first) {
        taken.push(first.id);
        line.remove(first);
      }
      expect(taken).toEqual(order);
    }),
  );
});

test('set-priority-class and set-priority-offset', async () => {
  const server = await origin();
  const served: string[] = [];
  const conns: Wire[] = [];
  server.onConn = wire => {
    conns.push(wire);
    void wire.has('\r\n\r\n').then(() => served.push(/GET \/(\w+)/.exec(wire.received)![1]!));
  };
  const rig = await listen([
    'http-request set-priority-class int(10) if { path /low }',
    'http-request set-priority-class int(-99999) if { path /first }',
    'http-request set-priority-offset int(-100000) if { path /sooner }',
    'http-request set-header X-Class %[prio_class]:%[prio_offset]',
    `server s 127.0.0.1:${server.port} maxconn 1`,
  ]);
  const clients: Wire[] = [];
  for (const path of ['busy', 'low', 'plain', 'sooner', 'first']) {
    const wire = await connect(rig.port('web'));
    wire.send(CLOSE.replace('/', `/${path}`));
    clients.push(wire);
    if (path === 'busy') await clients[0]!.until(() => served.length === 1);
    else await wire.until(() => rig.counter('backend', 'web', 'cur_queued') === clients.length - 1);
  }
  for (let n = 1; n <= 5; n++) {
    await clients[0]!.until(() => served.length === n);
    conns[n - 1]!.send(ok());
  }
  await Promise.all(clients.map(wire => wire.end()));
  expect(served).toEqual(['busy', 'first', 'sooner', 'plain', 'low']);
  expect(conns[1]!.received).toContain('x-class: -2047:0\r\n');
  expect(conns[2]!.received).toContain('x-class: 0:-100000\r\n');
});
