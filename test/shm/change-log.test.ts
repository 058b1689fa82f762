/** The log of changes: followers see all of a change or nothing, it stays short, and no dead thread is in its way. */
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { ChangeLog, createChanges, leave } from '../../engine/shm/change-log.ts';
import { Register } from './register.ts';

function follower(buffers: ReturnType<typeof createChanges>, number: number): { log: ChangeLog; register: Register } {
  const log = new ChangeLog(buffers, number);
  const register = new Register();
  log.follow(register);
  return { log, register };
}

test('who follows is behind until it has caught up', () => {
  const buffers = createChanges(2);
  const [a, b] = [follower(buffers, 0), follower(buffers, 1)];
  expect(a.log.behind).toBe(false);
  expect(a.log.change(() => a.register.put(a.log, 'x', 1))).toBe(true);
  expect(a.register.get('x')).toBe(1);
  expect(b.log.behind).toBe(true);
  b.log.catchUp();
  expect(b.register.get('x')).toBe(1);
  expect(b.log.behind).toBe(false);
});

test('a change that fails in the middle is none', () => {
  const buffers = createChanges(2);
  const [a, b] = [follower(buffers, 0), follower(buffers, 1)];
  expect(() =>
    a.log.change(() => {
      a.register.put(a.log, 'x', 1);
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(b.log.behind).toBe(false);
  expect(b.log.change(() => b.register.put(b.log, 'y', 2))).toBe(true);
  a.log.catchUp();
  expect([a.register.get('x'), a.register.get('y')]).toEqual([undefined, 2]);
});

test('what does not fit is refused whole', () => {
  const { log, register } = follower(createChanges(1), 0);
  const large = new Uint8Array(100 * 1024 * 1024);
  const fill = () => {
    for (let i = 0; i < 3; i++) log.append(1, 0, 0, i, large);
  };
  expect(log.change(fill)).toBe(false);
  expect(log.behind).toBe(false);
  expect(log.change(() => register.put(log, 'x', 1))).toBe(true);
  expect(register.size).toBe(1);
});

test('a long log begins again; who lags reads the old one to its end first, who comes new the snapshot', () => {
  const buffers = createChanges(4);
  const [control, slow] = [follower(buffers, 0), follower(buffers, 1)];
  let rung = 0;
  const bell = control.log.listenLong(() => rung++);
  onTestFinished(() => bell.stop());
  let value = 0;
  const fill = () => {
    for (let i = 0; i < 30_000; i++) {
      control.log.change(() => control.register.put(control.log, `key-${i % 10}`, ++value));
    }
  };
  fill();
  expect(control.log.compact()).toBe(true);
  // Twice would overwrite what `slow` has not read.
  fill();
  expect(control.log.compact()).toBe(false);
  slow.log.catchUp();
  expect(slow.register.all()).toEqual(control.register.all());
  expect(control.log.compact()).toBe(true);
  const late = follower(buffers, 2);
  late.log.catchUp();
  expect(late.register.all()).toEqual(control.register.all());
  expect(late.register.applied).toBeLessThan(100);
  // One that has gone holds up nobody.
  leave(buffers, 1);
  fill();
  late.log.catchUp();
  expect(control.log.compact()).toBe(true);
});

interface Told {
  readonly writes: number;
  readonly sum: number;
}

/** A real thread that changes the register as fast as it can (writer.ts). */
function writer(buffers: ReturnType<typeof createChanges>, number: number, writes: number): Worker {
  return new Worker(new URL('./change-log-worker.ts', import.meta.url), { workerData: { buffers, number, writes } });
}

test('threads that write at the same time lose nothing', async () => {
  const buffers = createChanges(4);
  const here = follower(buffers, 3);
  const keepShort = here.log.listenLong(() => void here.log.compact());
  onTestFinished(() => keepShort.stop());
  const told = await Promise.all(
    [0, 1, 2].map(number => new Promise<Told>(resolve => writer(buffers, number, 20_000).once('message', resolve))),
  );
  here.log.catchUp();
  // Each adds one to a number that all of them read and write, and counts its own.
  expect(here.register.get('all')).toBe(60_000);
  for (const { writes } of told) expect(writes).toBe(20_000);
  expect([0, 1, 2].map(number => here.register.get(`own-${number}`))).toEqual([20_000, 20_000, 20_000]);
});

test('a thread that is killed while it writes is in nobody’s way', { timeout: 30_000 }, async () => {
  const buffers = createChanges(3);
  const here = follower(buffers, 2);
  for (let round = 0; round < 12; round++) {
    const victim = writer(buffers, 0, Infinity);
    while (!here.log.behind) await new Promise(resolve => setTimeout(resolve, 1));
    await new Promise(resolve => setTimeout(resolve, round));
    await victim.terminate();
    leave(buffers, 0);
    expect(here.log.change(() => here.register.put(here.log, 'mine', round))).toBe(true);
    // Its changes are whole: both numbers were always written together.
    expect(here.register.get('all')).toBe(here.register.get('own-0'));
  }
  expect(here.register.get('all')).toBeGreaterThan(0);
});
