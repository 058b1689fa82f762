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

/** Wall-clock milliseconds since the epoch: logs and dates only, never for durations. */
export function wallMs(): number {
  return Date.now();
}

/** Microseconds of processor time used by this process, for `Idle_pct` and the benchmarks. */
export function cpuMicros(): number {
  const u = process.cpuUsage();
  return u.user + u.system;
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
  /** When the slot it is filed in comes round. */
  filed = Infinity;
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

/** Slots of all levels behind one another: level 0's 256, then 64 for each of the others. */
function slotOf(level: number, tick: number): number {
  if (level === 0) return tick & (L0_SLOTS - 1);
  const shift = L0_BITS + LN_BITS * (level - 1);
  return L0_SLOTS + LN_SLOTS * (level - 1) + (Math.floor(tick / 2 ** shift) & (LN_SLOTS - 1));
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
  #filed = 0;

  constructor(now: number) {
    this.#tick = Math.floor(now);
    const none = () => {};
    for (let i = 0; i < L0_SLOTS + LN_SLOTS * (LEVELS - 1); i++) this.#slots.push(new Timer<unknown>(null, none));
  }

  /** Fires `timer` in the first turn at or after `deadline` (ms). Infinity disarms. Cheap when the deadline moves later. */
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
    while (this.#tick < target) {
      if (this.#filed === 0) {
        this.#tick = target;
        break;
      }
      this.#tick++;
      for (let level = LEVELS - 1; level > 0; level--) {
        const shift = L0_BITS + LN_BITS * (level - 1);
        if (this.#tick % 2 ** shift === 0) this.#expire(slotOf(level, this.#tick));
      }
      this.#expire(slotOf(0, this.#tick));
    }
    return this.#nextTick();
  }

  #remove(t: Timer): void {
    unlink(t);
    t.filed = Infinity;
    this.#filed--;
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
    const unit = level === 0 ? 1 : 2 ** (L0_BITS + LN_BITS * (level - 1));
    t.filed = Math.floor(tick / unit) * unit;
    const head = this.#slots[slotOf(level, tick)]!;
    t.prev = head.prev;
    t.next = head;
    head.prev.next = t;
    head.prev = t;
    this.#filed++;
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

  /** The next tick with a filled level-0 slot, at most one level-0 round away; Infinity when the wheel is empty. */
  #nextTick(): number {
    if (this.#filed === 0) return Infinity;
    for (let i = 1; i < L0_SLOTS; i++) {
      const tick = this.#tick + i;
      const head = this.#slots[slotOf(0, tick)]!;
      if (head.next !== head || (tick & (L0_SLOTS - 1)) === 0) return tick;
    }
    return this.#tick + L0_SLOTS;
  }
}
