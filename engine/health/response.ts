/**
 * What a server sent since the last step that sent something; as the response to an HTTP check, if it is one: a small parser, for a message that we asked for, read once and thrown away. It is lenient
 * where HAProxy's checks are (bare LF, HTTP/2.0 in the status line) and bounded by `tune.bufsize`; traffic never goes
 * through it.
 *
 *   head ── status line and header lines up to the empty one ──► body ── length, chunks or close ──► complete
 */

/** What is known of the end of the body. */
type Framing = 'length' | 'chunked' | 'close';

const STATUS_LINE = /^HTTP\/\d\.\d (\d{3})(?: ([^\r\n]*))?\r?\n/;
const HEAD_END = /\r?\n\r?\n/;

export class CheckResponse {
  readonly #limitBytes: number;
  /** Everything received, one character per byte. */
  #text = '';
  #bodyStart = -1;
  #framing: Framing = 'close';
  #length = 0;
  /** The status code; -1 until the head is complete. */
  code = -1;
  reason = '';
  /** Not HTTP, or more than the limit. */
  invalid = false;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  feed(bytes: Uint8Array, start: number, end: number): void {
    const room = this.#limitBytes - this.#text.length;
    this.#text += Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(room, end - start)).toString('latin1');
    if (this.#bodyStart < 0) this.#head();
  }

  get headComplete(): boolean {
    return this.#bodyStart >= 0;
  }

  /** All of it, one character per byte. */
  get text(): string {
    return this.#text;
  }

  /** No byte can be added that would change the judgement. */
  get full(): boolean {
    return this.#text.length >= this.#limitBytes;
  }

  /** The body so far, one character per byte, chunk framing taken out. */
  body(): string {
    const raw = this.#text.slice(this.#bodyStart);
    if (this.#framing === 'length') return raw.slice(0, this.#length);
    return this.#framing === 'chunked' ? dechunk(raw).body : raw;
  }

  /** Header lines in order; names in lower case. */
  headers(): [name: string, value: string][] {
    const lines = this.#text.slice(0, this.#bodyStart).split(/\r?\n/).slice(1);
    return lines.flatMap(line => {
      const colon = line.indexOf(':');
      return colon <= 0 ? [] : [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as [string, string]];
    });
  }

  /** The whole body is here. `ended`: the server has closed. */
  complete(ended: boolean): boolean {
    if (this.#bodyStart < 0) return false;
    if (ended || this.full) return true;
    const raw = this.#text.slice(this.#bodyStart);
    if (this.#framing === 'length') return raw.length >= this.#length;
    return this.#framing === 'chunked' && dechunk(raw).complete;
  }

  #head(): void {
    const end = HEAD_END.exec(this.#text);
    if (!end) {
      // What cannot become a status line need not be waited for.
      const lf = this.#text.indexOf('\n');
      this.invalid = this.full || (lf >= 0 && !STATUS_LINE.test(this.#text));
      return;
    }
    const line = STATUS_LINE.exec(this.#text);
    if (!line) {
      this.invalid = true;
      return;
    }
    this.code = Number(line[1]);
    this.reason = line[2] ?? '';
    this.#bodyStart = end.index + end[0].length;
    this.#frame(this.#text.slice(line[0].length, end.index));
  }

  /** RFC 9112 section 6.3, without the request method: HEAD is judged by its status alone. */
  #frame(headers: string): void {
    const length = /^content-length:[ \t]*(\d{1,15})[ \t]*\r?$/im.exec(headers);
    if (/^transfer-encoding:.*\bchunked[ \t]*\r?$/im.test(headers)) this.#framing = 'chunked';
    else if (length || this.code < 200 || this.code === 204 || this.code === 304) {
      this.#framing = 'length';
      this.#length = length ? Number(length[1]) : 0;
    }
  }
}

/** Joins the chunks that are there (RFC 9112 section 7.1); trailers are not waited for. */
function dechunk(raw: string): { body: string; complete: boolean } {
  let body = '';
  let at = 0;
  for (;;) {
    const lf = raw.indexOf('\n', at);
    if (lf < 0) return { body, complete: false };
    const size = Number.parseInt(raw.slice(at, lf), 16);
    // A size that is none ends the body: what came so far is judged.
    if (!(size > 0)) return { body, complete: true };
    body += raw.slice(lf + 1, lf + 1 + size);
    at = raw.indexOf('\n', lf + 1 + size) + 1;
    if (at === 0) return { body, complete: false };
  }
}
