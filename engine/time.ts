/**
 * Time. The only file that looks at a clock, and the timer wheel that all time-outs of a worker sit in.
 *
 * The clock is monotonic, in milliseconds, and the same in all threads of the process (a thread's own
 * `performance.now()` starts at zero when the thread does), so that shared memory may hold times.
 */

const OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Monotonic milliseconds, fractional, equal in all threads. */
export function monotonicMs(): number {
  return OFFSET_MS + performance.now();
}

/**
 * Microseconds of CLOCK_MONOTONIC, to compare with another program's. `monotonicMs` may be behind by as much as the thread
 * was held up while it took its offset.
 */
export function clockMonotonicUs(): bigint {
  return process.hrtime.bigint() / 1000n;
}

/** Wall-clock milliseconds since the epoch: logs and dates only, never for durations. */
export function wallMs(): number {
  return Date.now();
}

/** How often a thread's load is measured. Milliseconds. */
const LOAD_EVERY_MS = 500;

/** The load of the calling thread: processor time used since it was last asked, half a second ago or longer. */
export class ThreadLoad {
  #at = -Infinity;
  #micros = 0;
  #percent = 0;

  /** Percent of one processor. `now` as of `monotonicMs`. */
  percent(now: number): number {
    const elapsed = now - this.#at;
    if (elapsed < LOAD_EVERY_MS) return this.#percent;
    const { user, system } = process.threadCpuUsage();
    const used = user + system - this.#micros;
    if (elapsed !== Infinity) this.#percent = used / 10 / elapsed;
    this.#at = now;
    this.#micros += used;
    return this.#percent;
  }
}

/** A cancellable alarm outside the data path (master, control): Node's own timers behind the one door. */
export function after(ms: number, fire: () => void): { cancel(): void } {
  const t = setTimeout(fire, ms);
  return { cancel: () => clearTimeout(t) };
}

export function every(ms: number, fire: () => void): { cancel(): void } {
  const t = setInterval(fire, ms);
  return { cancel: () => clearInterval(t) };
}

/**
 * One time-out of a connection or stream. Allocated once with its owner, armed and disarmed freely.
 *
 *   wheel level 0: 256 slots of 1 ms      level 1: 64 slots of 256 ms
 *   level 2: 64 slots of 16.4 s           level 3: 64 slots of 17.5 min (the rest waits in the last slot)
 *
 * Each slot is a ring of timers. Moving a deadline later, which every read and write does, only changes the
 * number: the timer stays where it is and is filed again when its slot comes round.
 */
export class Timer<T = unknown> {
  next: Timer = this as unknown as Timer;
  prev: Timer = this as unknown as Timer;
  /** When the slot it is filed in comes round, and the level of that slot. */
  filed = Infinity;
  level = 0;
  /** When it fires; Infinity = disarmed. */
  deadline = Infinity;
  readonly owner: T;
  readonly fire: (owner: T) => void;

  constructor(owner: T, fire: (owner: T) => void) {
    this.owner = owner;
    this.fire = fire;
  }

  get armed(): boolean {
    return this.deadline !== Infinity;
  }
}

const L0_BITS = 8;
const LN_BITS = 6;
const LEVELS = 4;
const L0_SLOTS = 1 << L0_BITS;
const LN_SLOTS = 1 << LN_BITS;

/** Milliseconds per slot, slots, and where its slots begin among those of all levels, for each level. */
const UNIT_MS = [1, 2 ** L0_BITS, 2 ** (L0_BITS + LN_BITS), 2 ** (L0_BITS + 2 * LN_BITS)] as const;
const SLOTS = [L0_SLOTS, LN_SLOTS, LN_SLOTS, LN_SLOTS] as const;
const FIRST_SLOT = [0, L0_SLOTS, L0_SLOTS + LN_SLOTS, L0_SLOTS + 2 * LN_SLOTS] as const;

function slotOf(level: number, tick: number): number {
  return FIRST_SLOT[level]! + (Math.floor(tick / UNIT_MS[level]!) & (SLOTS[level]! - 1));
}

function unlink(timer: Timer): void {
  timer.prev.next = timer.next;
  timer.next.prev = timer.prev;
  timer.next = timer;
  timer.prev = timer;
}

export class TimerWheel {
  /** The last tick (whole ms) that was expired. */
  #tick: number;
  readonly #slots: Timer[] = [];
  /** Timers filed in each level, to skip the empty ones. */
  readonly #filed = [0, 0, 0, 0];

  constructor(now: number) {
    this.#tick = Math.floor(now);
    const none = () => {};
    for (let i = 0; i < FIRST_SLOT[LEVELS - 1]! + LN_SLOTS; i++) this.#slots.push(new Timer<unknown>(null, none));
  }

  /**
   * Fires `timer` in the first turn at or after `deadline` (ms, rounded up to a whole one; at the earliest one tick
   * from now). Infinity disarms. Cheap when the deadline moves later.
   */
  arm<T>(timer: Timer<T>, deadline: number): void {
    const t = timer as unknown as Timer;
    t.deadline = deadline;
    if (deadline >= t.filed) return;
    if (t.filed !== Infinity) this.#remove(t);
    if (deadline !== Infinity) this.#file(t);
  }

  /** The timer will not fire. It may stay filed until its slot comes round; `forget` takes it out at once. */
  disarm<T>(timer: Timer<T>): void {
    timer.deadline = Infinity;
  }

  /** Takes the timer out of the wheel: its owner is going away. */
  forget<T>(timer: Timer<T>): void {
    const t = timer as unknown as Timer;
    t.deadline = Infinity;
    if (t.filed !== Infinity) this.#remove(t);
  }

  /** Fires everything due at `now`. Returns the next moment (ms) at which there may be something to do. */
  advance(now: number): number {
    const target = Math.floor(now);
    for (;;) {
      const next = this.#nextTick();
      if (next > target) {
        if (this.#tick < target) this.#tick = target;
        return next;
      }
      this.#tick = next;
      for (let level = LEVELS - 1; level >= 0; level--) {
        if (next % UNIT_MS[level]! === 0) this.#expire(slotOf(level, next));
      }
    }
  }

  #remove(t: Timer): void {
    unlink(t);
    t.filed = Infinity;
    this.#filed[t.level]!--;
  }

  #file(t: Timer): void {
    const at = Math.max(Math.ceil(t.deadline), this.#tick + 1);
    const delta = at - this.#tick;
    let level = 0;
    let span = L0_SLOTS;
    while (level < LEVELS - 1 && delta >= span) {
      level++;
      span *= LN_SLOTS;
    }
    const tick = Math.min(at, this.#tick + span - 1);
    const unit = UNIT_MS[level]!;
    t.level = level;
    t.filed = Math.floor(tick / unit) * unit;
    const head = this.#slots[slotOf(level, tick)]!;
    t.prev = head.prev;
    t.next = head;
    head.prev.next = t;
    head.prev = t;
    this.#filed[level]!++;
  }

  /** Empties one slot: due timers fire, the others move to the slot that fits them now. */
  #expire(slot: number): void {
    const head = this.#slots[slot]!;
    // Firing may arm, disarm or forget any timer: take one at a time from the front. What is filed again
    // meanwhile goes to a later slot, so this ends.
    while (head.next !== head) {
      const t = head.next;
      this.#remove(t);
      if (t.deadline <= this.#tick) {
        t.deadline = Infinity;
        t.fire(t.owner);
      } else if (t.deadline !== Infinity) {
        this.#file(t);
      }
    }
  }

  /** When the next slot comes round that holds a timer; Infinity when the wheel is empty. */
  #nextTick(): number {
    let next = Infinity;
    for (let level = 0; level < LEVELS; level++) {
      if (this.#filed[level] === 0) continue;
      const unit = UNIT_MS[level]!;
      const round = Math.floor(this.#tick / unit);
      for (let i = 1; i <= SLOTS[level]! && (round + i) * unit < next; i++) {
        const tick = (round + i) * unit;
        const head = this.#slots[slotOf(level, tick)]!;
        if (head.next !== head) next = tick;
      }
    }
    return next;
  }
}
