import { beforeEach, expect, test } from 'vitest';
import { Asker } from '../../engine/cli/asker.ts';
import { ASK_TIMEOUT_MS } from '../../engine/limits.ts';
import { Memory } from '../../engine/shm/memory.ts';
import { WORKER } from '../../engine/shm/words.ts';
import { TimerWheel } from '../../engine/time.ts';

let now: number;
let wheel: TimerWheel;
let memory: Memory;
let asker: Asker;
let asked: { worker: number; id: number }[];
let heard: unknown[];

beforeEach(() => {
  now = 1000;
  wheel = new TimerWheel(now);
  memory = Memory.create({ workers: 4, proxies: 0, listeners: 0, servers: 0, rings: 0, nameservers: 0, ports: 0 });
  for (const worker of [0, 1, 3]) Atomics.store(memory.words, memory.worker(worker) + WORKER.at.alive, 1);
  asked = [];
  heard = [];
  const post = {
    ask: (worker: number, id: number) => void asked.push({ worker, id }),
    place: (id: number) => void asked.push({ worker: -1, id }),
    expose: () => {},
    forget: () => {},
    sockets: (id: number) => void asked.push({ worker: -1, id }),
  };
  asker = new Asker(post, memory, wheel, () => now);
});

const tell = (answer: unknown) => void heard.push(answer);
const id = (worker: number) => asked.find(a => a.worker === worker)!.id;

test('every living worker is asked; the answers come together, in the order of the workers', () => {
  asker.ask({ type: 'kill', id: 7 }, tell);
  expect(asked.map(a => a.worker)).toEqual([0, 1, 3]);
  asker.answered(id(3), true);
  asker.answered(id(0), false);
  expect(heard).toEqual([]);
  asker.answered(id(1), false);
  expect(heard).toEqual([
    [
      { worker: 0, answer: false },
      { worker: 1, answer: false },
      { worker: 3, answer: true },
    ],
  ]);
  now += 2 * ASK_TIMEOUT_MS;
  wheel.advance(now);
  expect(heard).toHaveLength(1);
});

test('who says nothing in time is silent, who died is not there, and a late answer changes nothing', () => {
  asker.ask({ type: 'look' }, tell);
  asker.answered(id(1), 'gone');
  now += ASK_TIMEOUT_MS - 1;
  asker.answered(id(0), null);
  wheel.advance(now);
  expect(heard).toEqual([]);
  now += 2;
  wheel.advance(now);
  const answers = [
    { worker: 0, answer: null },
    { worker: 3, answer: 'silent' },
  ];
  expect(heard).toEqual([answers]);
  asker.answered(id(3), null);
  expect(heard).toEqual([answers]);
});

test('one worker alone; none when it is not there', () => {
  asker.ask({ type: 'look' }, tell, 1);
  expect(asked.map(a => a.worker)).toEqual([1]);
  asker.ask({ type: 'look' }, tell, 2);
  expect(heard).toEqual([[]]);
});

test('the master and the sockets of a frontend', () => {
  asker.sockets(0, 'pause', tell);
  asker.answered(id(-1), null);
  asker.sockets(0, 'open', tell);
  now += 2 * ASK_TIMEOUT_MS;
  wheel.advance(now);
  expect(heard).toEqual([true, false]);
});
