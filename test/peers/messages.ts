/** What was said on a connection of peers, message by message. */
import { Reader } from '../../engine/peers/bytes.ts';
import { type Message, nextMessage } from '../../engine/peers/messages.ts';

export interface Said extends Message {
  /** What follows the head. */
  readonly payload: Buffer;
}

/** Lines of the handshake, then messages. Throws when it does not end with a whole message. */
export function messagesOf(bytes: Buffer, lines: number): { lines: string[]; messages: Said[] } {
  const head: string[] = [];
  let at = 0;
  for (; head.length < lines; at = bytes.indexOf(10, at) + 1) {
    head.push(bytes.subarray(at, bytes.indexOf(10, at)).toString());
  }
  const messages: Said[] = [];
  while (at < bytes.length) {
    const message: Message = { class: 0, type: 0 };
    const body = new Reader();
    const taken = nextMessage(bytes, at, bytes.length, 16_384, message, body);
    if (taken <= 0) throw new Error(`no message at ${at} of ${bytes.length}`);
    messages.push({ ...message, payload: bytes.subarray(body.at, body.end) });
    at += taken;
  }
  return { lines: head, messages };
}

export function readerOf(bytes: Uint8Array): Reader {
  return new Reader().open(bytes, 0, bytes.length);
}
