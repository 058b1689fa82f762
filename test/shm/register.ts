/** Names and numbers that threads share by the log of changes. */
import type { Change, ChangeLog, Follower } from '../../engine/shm/change-log.ts';

export class Register implements Follower {
  readonly kinds = [1];
  applied = 0;
  readonly #values = new Map<string, number>();

  get size(): number {
    return this.#values.size;
  }

  get(name: string): number | undefined {
    return this.#values.get(name);
  }

  all(): [string, number][] {
    return [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  put(log: ChangeLog, name: string, value: number): void {
    log.append(1, 0, 0, value, Buffer.from(name));
  }

  apply({ number, bytes, start, mid }: Change): void {
    this.applied++;
    this.#values.set(Buffer.from(bytes.subarray(start, mid)).toString(), number);
  }

  snapshot(log: ChangeLog): void {
    for (const [name, value] of this.#values) this.put(log, name, value);
  }
}
