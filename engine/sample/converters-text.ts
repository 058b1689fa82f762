/** Converters of text (manual 7.3.1). */
import { LOWER } from './byte-table.ts';
import { type ConverterRow, plainConverter } from './row.ts';
import type { Sample } from './sample.ts';
import { give, ROOM_BYTES, room, SCRATCH } from './scratch.ts';

const UPPER = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 97 && byte <= 122 ? byte - 32 : byte));

function mapped(map: Uint8Array): (sample: Sample) => boolean {
  return sample => {
    const { bytes, start, end } = sample;
    if (end - start > ROOM_BYTES) return false;
    const at = room();
    for (let i = start; i < end; i++) SCRATCH[at + i - start] = map[bytes[i]!]!;
    give(at + end - start);
    return sample.setStr(SCRATCH, at, at + end - start);
  };
}

export const TEXT_CONVERTERS: readonly ConverterRow[] = [
  plainConverter('lower', 'str', 'str', 'A-Z as a-z.', mapped(LOWER)),
  plainConverter('upper', 'str', 'str', 'a-z as A-Z.', mapped(UPPER)),
];
