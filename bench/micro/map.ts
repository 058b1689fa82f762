/**
 * Maps of 100,000 entries: how long it takes to build one from its file, and to look a key up. The aims: below a second,
 * below a microsecond. `node bench/micro/map.ts`
 */
import { PatternBooks } from '../../engine/sample/book.ts';
import { matchMethod } from '../../engine/sample/pattern.ts';
import { type PatternRef, readPatternFile } from '../../engine/sample/pattern-ref.ts';
import { IPV4, Sample } from '../../engine/sample/sample.ts';
import { ChangeLog, createChanges } from '../../engine/shm/change-log.ts';
import { monotonicMs } from '../../engine/time.ts';

const ENTRIES = 100_000;
const LOOKUPS = 1_000_000;

interface Case {
  readonly match: string;
  readonly key: (i: number) => string;
  /** What is looked for, and where it is in the sample. */
  readonly probe: (i: number) => Uint8Array;
}

const text = (s: string): Uint8Array => Buffer.from(s);
const host = (i: number): string => `host-${i}.example-${i % 977}.org`;
const net = (i: number): number[] => [10 + (i >> 16), (i >> 8) & 255, i & 255];

const CASES: readonly Case[] = [
  { match: 'str', key: host, probe: i => text(host(i)) },
  { match: 'beg', key: i => `/path/${i}/`, probe: i => text(`/path/${i}/index.html?a=b`) },
  { match: 'end', key: host, probe: i => text(`www.${host(i)}`) },
  { match: 'dom', key: host, probe: i => text(`www.${host(i)}:80`) },
  { match: 'ip', key: i => `${net(i).join('.')}.0/24`, probe: i => Uint8Array.from([...net(i), 7]) },
];

for (const { match, key, probe } of CASES) {
  const bytes = text(Array.from({ length: ENTRIES }, (_, i) => `${key(i)} value-${i}\n`).join(''));
  const log = new ChangeLog(createChanges(1), 0);
  const ref = readPatternFile(
    { env: {}, resolve: () => null, readFolder: () => null, readFile: () => bytes },
    match,
    true,
  ) as PatternRef;
  const begin = monotonicMs();
  const book = new PatternBooks([ref], log).get(ref, matchMethod(match)!, false);
  const built = monotonicMs();
  const probes = Array.from({ length: 1_000 }, (_, i) => probe((i * 7919) % ENTRIES));
  const sample = new Sample();
  let hits = 0;
  const started = monotonicMs();
  for (let i = 0; i < LOOKUPS; i++) {
    const wanted = probes[i % probes.length]!;
    sample.setStr(wanted, 0, wanted.length);
    if (match === 'ip') sample.type = IPV4;
    if (book.find(sample) >= 0) hits++;
  }
  const each = ((monotonicMs() - started) / LOOKUPS) * 1_000;
  console.log(
    `${match.padEnd(4)} built in ${(built - begin).toFixed(0)} ms, ${each.toFixed(3)} us per look-up, ${hits} found`,
  );
}
