/**
 * `backing-file` of a ring (manual 12.5): its lines in a file, for those who come when the process is gone. Any tool reads it,
 * `tr '\0' '\n'` for one: the newest lines are those before the zero byte, the oldest begin behind it.
 *
 *     | 8th line LF | 9th line LF | 0 | rest of the 3rd LF | 4th LF ...  7th LF |      zeros where nothing was written yet
 *                                   ▲ the 10th goes here
 *
 * What is written is in the system's memory at once, so it survives the process, but not the machine.
 */
import fs from 'node:fs';

const LF = 10;
/** For the owner only. */
const MODE = 0o600;

export class RingFile {
  readonly #fd: number;
  readonly #sizeBytes: number;
  #at = 0;
  /** A line, its line feed and the zero behind it. */
  #scratch = new Uint8Array(1024);

  /** What stands at `path` is kept as `<path>.bak`, as far as that may be renamed. Throws what node:fs throws. */
  constructor(path: string, sizeBytes: number) {
    keep(path);
    this.#sizeBytes = sizeBytes;
    this.#fd = fs.openSync(path, 'w', MODE);
    fs.ftruncateSync(this.#fd, sizeBytes);
  }

  /** Throws what node:fs throws. */
  append(line: Uint8Array): void {
    const length = line.length + 2;
    if (length > this.#sizeBytes) return;
    if (length > this.#scratch.length) this.#scratch = new Uint8Array(2 * length);
    const bytes = this.#scratch;
    bytes.set(line);
    bytes[line.length] = LF;
    bytes[line.length + 1] = 0;
    const first = Math.min(length, this.#sizeBytes - this.#at);
    fs.writeSync(this.#fd, bytes, 0, first, this.#at);
    if (first < length) fs.writeSync(this.#fd, bytes, first, length - first, 0);
    this.#at = (this.#at + length - 1) % this.#sizeBytes;
  }

  close(): void {
    fs.closeSync(this.#fd);
  }
}

function keep(path: string): void {
  try {
    if (fs.statSync(path).size > 0) fs.renameSync(path, `${path}.bak`);
  } catch {
    // There is none, or it stays what it is: it is written over.
  }
}
