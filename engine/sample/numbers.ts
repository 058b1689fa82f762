/**
 * Which patterns stand in the same place of a structure: the same key given twice, the same network. The first that was
 * given counts; when it goes the next does. Places are small integers, numbers of patterns come in ascending order.
 */
export class Numbers {
  readonly #first: number[] = [];
  /** The others, where there are any. */
  readonly #more = new Map<number, number[]>();

  add(place: number, number: number): void {
    if (this.first(place) < 0) this.#first[place] = number;
    else if (this.#more.has(place)) this.#more.get(place)!.push(number);
    else this.#more.set(place, [number]);
  }

  remove(place: number, number: number): void {
    const more = this.#more.get(place);
    if (this.#first[place] === number) this.#first[place] = more?.shift() ?? -1;
    else if (more?.includes(number)) more.splice(more.indexOf(number), 1);
    if (more?.length === 0) this.#more.delete(place);
  }

  /** The number that counts; -1 = none is left. */
  first(place: number): number {
    return this.#first[place] ?? -1;
  }

  all(place: number): readonly number[] {
    const first = this.first(place);
    return first < 0 ? [] : [first, ...(this.#more.get(place) ?? [])];
  }
}
