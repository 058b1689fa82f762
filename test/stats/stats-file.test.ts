import { expect, test } from 'vitest';
import { initialise } from '../../engine/health/initialise.ts';
import { COUNTERS } from '../../engine/shm/counters.ts';
import { Memory, shapeOf } from '../../engine/shm/memory.ts';
import { identity, Past } from '../../engine/shm/past.ts';
import { PROXY, SERVER } from '../../engine/shm/words.ts';
import { dumpStatsFile, readStatsFile } from '../../engine/stats/stats-file.ts';
import { parseModel } from '../proxy/rig.ts';

const CONFIG = `
defaults
  mode http
  timeout client 1s
  timeout server 1s
  timeout connect 1s
frontend f
  guid front
  bind 127.0.0.1:1,127.0.0.1:2 guid-prefix li
  default_backend b
listen both
  guid both
  bind 127.0.0.1:3
  server x 127.0.0.1:9
backend b
  server s1 127.0.0.1:9 guid one
  server s2 127.0.0.1:9
  server s3 127.0.0.1:9 guid three
`;

const model = parseModel(CONFIG);

function memoryOf(): Memory {
  const memory = Memory.create(shapeOf(model, 2));
  initialise(memory, model, 1000);
  return memory;
}

/** Different counts everywhere. */
function busy(): Memory {
  const memory = memoryOf();
  let n = 0;
  const { proxies, listeners, servers } = memory.shape;
  for (const [kind, count] of [
    ['frontend', proxies],
    ['backend', proxies],
    ['listener', listeners],
    ['server', servers],
  ] as const) {
    for (let i = 0; i < count; i++) {
      for (let worker = 0; worker < 2; worker++) {
        for (const at of Object.values(COUNTERS.at)) memory.counters[memory.row(worker, kind, i) + at] = ++n;
      }
    }
  }
  for (let i = 0; i < servers; i++) {
    for (const field of ['check_fails', 'down_trans', 'down_time'] as const) {
      memory.words[memory.server(i) + SERVER.at[field]] = ++n;
    }
  }
  for (let i = 0; i < proxies; i++) memory.words[memory.proxy(i) + PROXY.at.down_time] = ++n;
  return memory;
}

function text(memory: Memory): string {
  let all = '';
  const dump = dumpStatsFile(model, memory);
  for (let piece = dump.next(); piece !== null; piece = dump.next()) all += Buffer.from(piece).toString();
  return all;
}

function loaded(file: string): { memory: Memory; problems: string[] } {
  const memory = memoryOf();
  const { past, problems } = readStatsFile(file, model, memory);
  memory.past = [new Past(past, identity(memory))];
  return { memory, problems };
}

test('what has a guid, by type', () => {
  const lines = text(busy()).trimEnd().split('\n');
  expect(lines.filter(line => !line.startsWith('#')).map(line => line.split(',')[0])).toEqual(
    'front both both li-1 li-2 one three'.split(' '),
  );
  expect(lines.filter(line => /^#\w+$/.test(line))).toEqual(['#fe', '#be', '#li', '#srv']);
  expect(lines[1]).toMatch(/^#guid,stot,bin,bout,/);
});

test('all of it comes back', () => {
  const file = text(busy());
  const { memory, problems } = loaded(file);
  expect(problems).toEqual([]);
  expect(text(memory)).toBe(file);
  // What has none begins at 0.
  expect(memory.sum('server', 1, COUNTERS.at.cum_sess)).toBe(0);
});

test('columns in any order, other things and other columns are passed over', () => {
  const { memory, problems } = loaded(
    '#srv\n#guid,new,bout,stot\none,1,2,3\nnobody,1,2,3\n\n#be\n#guid,stot\nfront,9\n',
  );
  expect(problems).toEqual([]);
  expect(memory.sum('server', 1, COUNTERS.at.cum_sess)).toBe(0);
  expect(text(memory)).toMatch(/\none,3,0,2,/);
  expect(text(memory)).toMatch(/\nfront,0,0,/);
});

test('what is no stats file is told', () => {
  const { problems } = loaded('one,2\n#what\n#srv\none,1\n#guid,stot\none,x\none,1,2\n');
  expect(problems).toEqual([
    'line 1: values before the names of their columns',
    "line 2: '#what' is no header that is known here",
    'line 4: values before the names of their columns',
    "line 6: 'x' is no count",
    'line 7: 1 values were expected, not 2',
  ]);
  expect(loaded('x\n'.repeat(1000)).problems).toHaveLength(10);
});
