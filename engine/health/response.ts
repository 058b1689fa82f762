/**
 * What a server sent since the last step that sent something; as the response to an HTTP check, if it is one: a small parser, for a message that we asked for, read once and thrown away. It is lenient
 * where HAProxy's checks are (bare LF, blanks, any version and status) and bounded by `tune.bufsize`; traffic never goes
 * through it.
 *
 *   head ── status line and header lines up to the empty one ──► body ── length, chunks or close ──► complete
 */

/** What is known of the end of the body. */
type Framing = 'length' | 'chunked' | 'close';

const STATUS_LINE = /^(?:\r?\n)*(?:HTTP|RTSP)\/\d\.\d[ \t]+(\d{1,9})(?:[ \t]+([^\r\n]*))?\r?\n/;
const EMPTY_LINE = /(?<![^\n])\r?\n/;
/** The lines after the status line; one that begins with a blank goes on with the one before. */
const FIELDS = /^(?:[!#$%&'*+.^_`|~0-9a-z-]+:[^\r\n\0]*\r?\n(?:[ \t][^\r\n\0]*\r?\n)*)*$/i;
const LENGTHS = /^(\d{1,15})(?:[ \t]*,[ \t]*\1)*$/;

export class CheckResponse {
  readonly #limitBytes: number;
  /** Everything received, one character per byte. */
  #text = '';
  #bodyStart = -1;
  #headers: (readonly [name: string, value: string])[] = [];
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

  /** Headers in order, those of several lines joined; names in lower case. */
  headers(): readonly (readonly [name: string, value: string])[] {
    return this.#headers;
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
    const line = STATUS_LINE.exec(this.#text);
    if (line === null) {
      // What cannot become a status line need not be waited for.
      this.invalid = this.full || /[^\r\n][^\n]*\n/.test(this.#text);
      return;
    }
    const rest = this.#text.slice(line[0].length);
    const end = EMPTY_LINE.exec(rest);
    if (end === null) {
      this.invalid = this.full;
      return;
    }
    this.code = Number(line[1]);
    this.reason = line[2] ?? '';
    this.invalid = !this.#read(rest.slice(0, end.index));
    if (!this.invalid) this.#bodyStart = line[0].length + end.index + end[0].length;
  }

  /** The headers; false = they are none, or leave it open how long the body is. */
  #read(fields: string): boolean {
    if (!FIELDS.test(fields)) return false;
    const lines = fields
      .replace(/\r?\n(?=[ \t])/g, end => ' '.repeat(end.length))
      .split(/\r?\n/)
      .slice(0, -1);
    this.#headers = lines.map(line => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    });
    return this.#frame();
  }

  #values(name: string): string {
    return this.#headers
      .filter(header => header[0] === name)
      .map(header => header[1])
      .join(',');
  }

  /** RFC 9112 section 6.3, without the request method: HEAD is judged by its status alone. False = it breaks the rules. */
  #frame(): boolean {
    const has = (name: string): boolean => this.#headers.some(header => header[0] === name);
    const length = LENGTHS.exec(this.#values('content-length'));
    if (length === null && has('content-length')) return false;
    if (has('transfer-encoding')) {
      this.#framing = 'chunked';
      return this.#values('transfer-encoding').toLowerCase() === 'chunked';
    }
    if (length !== null || this.code < 200 || this.code === 204 || this.code === 304) {
      this.#framing = 'length';
      this.#length = length === null ? 0 : Number(length[1]);
    }
    return true;
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
