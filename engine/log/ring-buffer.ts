/**
 * The lines of a ring: the newest ones, as many as fit. Readers that must see each line hold back what they have not read;
 * then a line for which there is no room is dropped, not an older one.
 */

/** Where a reader stands: the number of the next line it reads. The first line of all has number 0. */
export interface Place {
  next: number;
}

export class RingBuffer {
  readonly #sizeBytes: number;
  /** Lines from number `#first` on. */
  #lines: Uint8Array[] = [];
  #first = 0;
  #bytes = 0;
  readonly #holders = new Set<Place>();
  /** Lines for which there was no room. */
  dropped = 0;

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
  }

  /** The number that the next line gets. */
  get end(): number {
    return this.#first + this.#lines.length;
  }

  /** False when it was dropped. */
  append(line: Uint8Array): boolean {
    const needed = this.#bytes + line.length - this.#sizeBytes;
    const gone = this.#leading(needed);
    if (gone < 0 || [...this.#holders].some(({ next }) => next < this.#first + gone)) {
      this.dropped++;
      return false;
    }
    for (let i = 0; i < gone; i++) this.#bytes -= this.#lines[i]!.length;
    if (gone > 0) this.#lines.splice(0, gone);
    this.#first += gone;
    this.#lines.push(line);
    this.#bytes += line.length;
    return true;
  }

  /** How many of the oldest lines have `bytes` together; -1 = all of them have fewer. */
  #leading(bytes: number): number {
    let sum = 0;
    let count = 0;
    while (sum < bytes) {
      const line = this.#lines[count++];
      if (line === undefined) return -1;
      sum += line.length;
    }
    return count;
  }

  /** A reader that sees all that is there, or only what comes; `holds`: and loses none of it. */
  open(holds: boolean, newOnly = false): Place {
    const place = { next: newOnly ? this.end : this.#first };
    if (holds) this.#holders.add(place);
    return place;
  }

  /** The next line of a reader; null = none yet. What it was too late for is skipped. */
  read(place: Place): Uint8Array | null {
    place.next = Math.max(place.next, this.#first);
    const line = this.#lines[place.next - this.#first];
    if (line === undefined) return null;
    place.next++;
    return line;
  }
}
