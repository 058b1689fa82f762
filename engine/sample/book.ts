/**
 * The patterns of files as structures, one per file and way of matching for the whole worker, however many rules use it. It
 * is built from the file's shared bytes when a rule that uses it is compiled.
 */
import type { MatchMethod, PatternSet } from './pattern.ts';
import { eachEntry, type PatternFile } from './pattern-file.ts';
import type { Sample } from './sample.ts';

/** A pattern file ready to be looked up in. */
export class Book {
  readonly file: PatternFile;
  readonly #set: PatternSet;
  /** Where the value of entry `i` is in the file: `file.bytes[values[2i], values[2i + 1])`. */
  #values = new Uint32Array(64);
  count = 0;

  constructor(file: PatternFile, method: MatchMethod, fold: boolean, pairs: boolean) {
    this.file = file;
    this.#set = method.make(fold);
    eachEntry(file.bytes, pairs, (start, end, valueStart, valueEnd) => {
      if (this.count * 2 === this.#values.length) this.#grow();
      this.#values[this.count * 2] = valueStart;
      this.#values[this.count * 2 + 1] = valueEnd;
      this.#set.add(file.bytes, start, end, this.count++);
    });
  }

  /** The number of the entry that the sample matches; -1 = none. The sample has the method's type. */
  find(sample: Sample): number {
    return this.#set.find(sample);
  }

  valueStart(entry: number): number {
    return this.#values[entry * 2]!;
  }

  valueEnd(entry: number): number {
    return this.#values[entry * 2 + 1]!;
  }

  #grow(): void {
    const more = new Uint32Array(this.#values.length * 2);
    more.set(this.#values);
    this.#values = more;
  }
}

/** All books of a worker. */
export class PatternBooks {
  readonly #books = new Map<string, Book>();

  /** `pairs`: lines are `key value`. */
  get(file: PatternFile, method: MatchMethod, fold: boolean, pairs: boolean): Book {
    const key = `${file.id} ${method.name} ${fold} ${pairs}`;
    let book = this.#books.get(key);
    if (book === undefined) {
      book = new Book(file, method, fold, pairs);
      this.#books.set(key, book);
    }
    return book;
  }
}
