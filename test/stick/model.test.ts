/**
 * Every interleaving of the atomic steps of table.ts for one place: readers that hold what they find, writers that evict and
 * insert, each of which may die between any two steps, and the master that gives back and repairs.
 */
import { expect, test } from 'vitest';

const LIVE = 100;
const DONE = -1;
/** A key that is being written. */
const TORN = 0;

interface Place {
  refs: number;
  key: number;
  /** The slot of the index leads here. */
  slot: boolean;
  /** Thread + 1; 0 = nobody. */
  writer: number;
  /** What each thread holds, as its row tells. */
  holds: boolean[];
  /** Where each thread is; DEAD threads wait for the master. */
  at: number[];
  dead: boolean[];
}

/** One atomic step: gives where the thread goes on; null = it cannot go on now. */
type Step = (p: Place, me: number) => number | null;

function reader(key: number): Step[] {
  return [
    p => (p.slot ? 1 : DONE),
    // The hold and its note in the row: a thread cannot end between them.
    (p, me) => {
      p.refs++;
      if (p.refs - 1 < LIVE) return 2;
      p.holds[me] = true;
      return 3;
    },
    p => {
      p.refs--;
      return DONE;
    },
    p => (p.key === key ? 4 : 6),
    p => {
      expect(p.key).toBe(key);
      return 5;
    },
    p => {
      expect(p.key).toBe(key);
      return 6;
    },
    (p, me) => {
      p.holds[me] = false;
      p.refs--;
      return DONE;
    },
  ];
}

function writer(key: number): Step[] {
  return [
    (p, me) => {
      if (p.writer !== 0) return null;
      p.writer = me + 1;
      return 1;
    },
    // Another writer may have added the key.
    p => (p.slot && p.refs >= LIVE && p.key === key ? 9 : p.slot ? 2 : 4),
    p => {
      if (p.refs !== LIVE) return 9;
      p.refs = 0;
      return 3;
    },
    p => {
      p.slot = false;
      return 4;
    },
    p => {
      p.key = TORN;
      return 5;
    },
    p => {
      p.key = key;
      return 6;
    },
    p => {
      p.slot = true;
      return 7;
    },
    (p, me) => {
      p.refs += LIVE + 1;
      p.holds[me] = true;
      return 8;
    },
    (p, me) => {
      p.holds[me] = false;
      p.refs--;
      return 9;
    },
    p => {
      p.writer = 0;
      return DONE;
    },
  ];
}

/** Between these steps of a reader there is neither a call nor the end of a loop. */
function mayDie(at: number): boolean {
  return at !== 2;
}

/** What the master does about a thread that has ended. */
function reclaim(p: Place, thread: number): void {
  if (p.writer === thread + 1) {
    if (p.refs < LIVE) p.slot = false;
    p.writer = 0;
  }
  if (p.holds[thread]) p.refs--;
  p.holds[thread] = false;
  p.at[thread] = DONE;
}

function explore(programs: readonly Step[][], deaths: number): number {
  const seen = new Set<string>();
  const start: Place = {
    ...{ refs: LIVE, key: 1, slot: true, writer: 0 },
    holds: programs.map(() => false),
    at: programs.map(() => 0),
    dead: programs.map(() => false),
  };
  const stack: (readonly [Place, number])[] = [[start, deaths]];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const [p, left] = next;
    const id = JSON.stringify(next);
    if (seen.has(id)) continue;
    seen.add(id);
    check(p);
    programs.forEach((steps, me) => {
      const at = p.at[me]!;
      if (at === DONE) return;
      if (p.dead[me]) {
        const after = structuredClone(p);
        after.dead[me] = false;
        reclaim(after, me);
        stack.push([after, left]);
        return;
      }
      const after = structuredClone(p);
      const to = steps[at]!(after, me);
      if (to !== null) {
        after.at[me] = to;
        stack.push([after, left]);
      }
      if (left > 0 && at > 0 && mayDie(at)) {
        const killed = structuredClone(p);
        killed.dead[me] = true;
        stack.push([killed, left - 1]);
      }
    });
  }
  return seen.size;
}

function check(p: Place): void {
  const holders = p.holds.filter(held => held).length;
  if (p.refs >= LIVE) {
    expect(p.key).not.toBe(TORN);
    expect(p.slot).toBe(true);
    expect(p.refs - LIVE).toBeGreaterThanOrEqual(holders);
  } else expect(holders).toBe(0);
  if (p.at.some(at => at !== DONE)) return;
  expect(p.writer).toBe(0);
  expect(p.refs === LIVE ? p.slot : p.refs === 0 && !p.slot).toBe(true);
}

test('readers and writers', () => {
  expect(explore([reader(1), reader(2), writer(2), writer(1)], 0)).toBeGreaterThan(1_000);
});

test('some of them die', () => {
  expect(explore([reader(1), writer(2), writer(1)], 2)).toBeGreaterThan(1_000);
  expect(explore([reader(1), reader(2), writer(2)], 2)).toBeGreaterThan(1_000);
});
