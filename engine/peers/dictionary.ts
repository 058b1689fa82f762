/**
 * Texts that travel again and again, such as the names of servers, are sent once and then named by a number. Each side has
 * a cache of as many as the other may name.
 *
 *   [ length of the rest ] [ number ]                       said before
 *   [ length of the rest ] [ number ] [ length ] [ text ]   from now on that is what the number means
 *   [ 0 ]                                                   no text
 */
import { type Reader, varintBytes, type Writer } from './bytes.ts';

/** As HAProxy's: numbers are 1 to this. */
export const DICTIONARY_MAX = 128;

const utf8 = new TextEncoder();

/** What we have said, least recently used first. */
export class SentTexts {
  readonly #numbers = new Map<string, number>();

  write(out: Writer, text: string): void {
    if (text === '') {
      out.varint(0);
      return;
    }
    const known = this.#numbers.get(text);
    if (known !== undefined) {
      this.#use(text, known);
      out.varint(varintBytes(known));
      out.varint(known);
      return;
    }
    const number = this.#number();
    this.#use(text, number);
    const bytes = utf8.encode(text);
    out.varint(varintBytes(number) + varintBytes(bytes.length) + bytes.length);
    out.varint(number);
    out.varint(bytes.length);
    out.raw(bytes);
  }

  /** By number. */
  *entries(): Generator<[number, string]> {
    for (const [text, number] of this.#numbers) yield [number, text];
  }

  /** A new number, or that of the text that was not used for the longest time. */
  #number(): number {
    if (this.#numbers.size < DICTIONARY_MAX) return this.#numbers.size + 1;
    const [[text, number]] = this.#numbers as Iterable<[string, number]>;
    this.#numbers.delete(text);
    return number;
  }

  #use(text: string, number: number): void {
    this.#numbers.delete(text);
    this.#numbers.set(text, number);
  }
}

/** What the other side has said. */
export class HeardTexts {
  readonly #texts: (string | undefined)[] = [];

  /** The text that comes next, '' = none. Null when it makes no sense. */
  read(body: Reader): string | null {
    const length = body.varint();
    if (body.bad || length > body.left) return null;
    if (length === 0) return '';
    const end = body.at + length;
    const number = body.varint();
    if (body.bad || body.at > end || number < 1 || number > DICTIONARY_MAX) return null;
    if (body.at < end) {
      const bytes = body.take(body.varint());
      if (body.bad || body.at > end) return null;
      this.#texts[number] = Buffer.from(bytes).toString();
      body.at = end;
    }
    return this.#texts[number] ?? null;
  }

  get(number: number): string | undefined {
    return this.#texts[number];
  }
}
