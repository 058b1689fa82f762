/**
 * The description of the last check in shared words: one writer (the control worker), any number of readers, no lock.
 * `check_seq` is odd while the bytes are being written; a reader that saw it odd, or saw it change, reads again.
 */
import type { Memory } from '../shm/memory.ts';
import { CHECK_TEXT_BYTES, SERVER } from '../shm/words.ts';

const AT = SERVER.at;

/** HAProxy keeps a zero byte behind the text: one byte less than there is room for. */
const TEXT_MAX_BYTES = CHECK_TEXT_BYTES - 1;

/** A text of the configuration as descriptions have it: one character per byte. */
export function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** A description as it is kept and logged. */
export function cutCheckText(text: string): string {
  return text.slice(0, TEXT_MAX_BYTES);
}

/** Writes the text of a check or agent check, one character per byte. `server`: its number over the whole configuration. */
export function writeCheckText(memory: Memory, server: number, kind: 'check' | 'agent', text: string): void {
  const { words } = memory;
  const at = memory.server(server);
  const bytes = new Uint8Array(CHECK_TEXT_BYTES);
  const written = Buffer.from(bytes.buffer).write(text, 'latin1');
  const packed = new Int32Array(bytes.buffer);
  Atomics.add(words, at + AT[`${kind}_seq`], 1);
  for (let i = 0; i * 4 < written; i++) Atomics.store(words, at + AT[`${kind}_text`] + i, packed[i]!);
  Atomics.store(words, at + AT[`${kind}_text_len`], written);
  Atomics.add(words, at + AT[`${kind}_seq`], 1);
}
