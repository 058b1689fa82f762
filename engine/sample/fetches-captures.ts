/** Fetches of what rules and `capture` lines keep (manual 7.3.6), and of the unique id. */
import { type Captured, uniqueId } from '../proxy/notes.ts';
import type { Stream } from '../proxy/stream.ts';
import { type FetchRow, fetch, plain } from './row.ts';

/** The value in a slot of the frontend's captures. */
function slot(name: string, source: 'request' | 'response', doc: string, of: (stream: Stream) => Captured[]): FetchRow {
  return fetch(name, 'slot:int', 'str', source, doc, args => {
    const index = args.int(0);
    return ({ stream }, out) => {
      const value = stream === null ? null : of(stream)[index];
      return value != null && out.setStr(value, 0, value.length);
    };
  });
}

export const CAPTURE_FETCHES: readonly FetchRow[] = [
  slot('capture.req.hdr', 'request', 'What a slot of the request captures holds.', stream => stream.requestCaptures),
  slot('capture.res.hdr', 'response', 'What a slot of the response captures holds.', stream => stream.responseCaptures),
  plain('unique-id', 'str', 'internal', 'The unique id of the request.', ({ stream }, out) => {
    const id = stream === null ? null : uniqueId(stream);
    return id !== null && out.setStr(id, 0, id.length);
  }),
];
