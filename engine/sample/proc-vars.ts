/**
 * The variables of the process (scope `proc`): few, and the same in all threads. Each thread has a copy, and applies what
 * others have set before it reads one (shm/change-log.ts).
 */
import type { Change, ChangeLog, Follower } from '../shm/change-log.ts';
import type { Type } from './sample.ts';
import { type Store, sizeOf, type Value } from './vars.ts';

/** A variable that the global section sets. */
export interface ProcVar extends Value {
  readonly name: string;
}

// Records: the key is the name. `version` is the type, `number` the integer, the value the bytes; with WIDE the decimals of
// an integer that no double holds.
const SET = 16;
const SET_WIDE = 17;
const UNSET = 18;

export class ProcVars implements Store, Follower {
  readonly kinds = [SET, SET_WIDE, UNSET];
  readonly #log: ChangeLog;
  readonly #values: Map<string, Value>;

  constructor(configured: readonly ProcVar[], log: ChangeLog) {
    this.#values = new Map(configured.map(({ name, ...value }) => [name, value]));
    this.#log = log;
    log.follow(this);
  }

  get(name: string): Value | undefined {
    if (this.#log.behind) this.#log.catchUp();
    return this.#values.get(name);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  entries(): Iterable<readonly [string, Value]> {
    if (this.#log.behind) this.#log.catchUp();
    return this.#values.entries();
  }

  /** In force in all threads when it returns. */
  set(name: string, value: Value): void {
    const now = this.get(name);
    if (now !== undefined && isSame(now, value)) return;
    this.#log.change(() => append(this.#log, name, value));
  }

  delete(name: string): void {
    if (this.has(name)) this.#log.change(() => remove(this.#log, name));
  }

  /** What they take together, as `tune.vars.*` count. */
  get size(): number {
    let sum = 0;
    for (const value of this.#values.values()) sum += sizeOf(value);
    return sum;
  }

  apply({ kind, version, number, bytes, start, mid, end }: Change): void {
    const name = Buffer.from(bytes.subarray(start, mid)).toString();
    if (kind === UNSET) {
      this.#values.delete(name);
      return;
    }
    const copy = bytes.slice(mid, end);
    const wide = kind === SET_WIDE ? BigInt(Buffer.from(copy).toString()) : null;
    const value = wide === null ? copy : new Uint8Array(0);
    this.#values.set(name, { type: version as Type, int: number, wide, bytes: value });
  }

  snapshot(log: ChangeLog): void {
    for (const [name, value] of this.#values) append(log, name, value);
  }

  /** Appends what leads from one configuration to the present state, as far as another one says of a variable the same. */
  bequeath(log: ChangeLog, configured: readonly ProcVar[], now: readonly ProcVar[]): void {
    const [before, after] = [configured, now].map(vars => new Map(vars.map(v => [v.name, v] as const)));
    const kept = (name: string) => areSame(before!.get(name), after!.get(name));
    for (const [name, value] of this.#values) {
      if (kept(name) && !areSame(before!.get(name), value)) append(log, name, value);
    }
    for (const { name } of configured) if (kept(name) && !this.#values.has(name)) remove(log, name);
  }
}

function append(log: ChangeLog, name: string, { type, int, wide, bytes }: Value): void {
  const key = Buffer.from(name);
  if (wide === null) log.append(SET, 0, type, int, key, bytes);
  else log.append(SET_WIDE, 0, type, int, key, Buffer.from(String(wide)));
}

function remove(log: ChangeLog, name: string): void {
  log.append(UNSET, 0, 0, 0, Buffer.from(name));
}

function areSame(a: Value | undefined, b: Value | undefined): boolean {
  return a === undefined || b === undefined ? a === b : isSame(a, b);
}

function isSame(a: Value, b: Value): boolean {
  return a.type === b.type && a.int === b.int && a.wide === b.wide && Buffer.compare(a.bytes, b.bytes) === 0;
}
