/**
 * FIX messages (FIX Session Protocol): fields `tag=value` SOH, the first three and the last in their places.
 *
 *     8=FIX.4.4|9=17|35=A|49=ME|...|10=128|
 *               ^    |-- 9= counts --|
 */
import { type Sample, view } from './sample.ts';

const SOH = 1;
const EQUALS = 61;
const VERSION = /^8=(?:FIX\.4\.[0-4]|FIXT\.1\.1)$/;
/** Of the shortest message: one digit of a length, one letter of a type. */
const SHORTEST_BYTES = 26;

/** What it says of bytes that are not all there yet. */
export const INCOMPLETE = -1;

/** Walks over the fields of a message: the one in hand is `[at, end)`, its value `[value, end)`. */
class Fields {
  readonly #sample: Sample;
  at: number;
  value = 0;
  end: number;

  constructor(sample: Sample) {
    this.#sample = sample;
    this.at = sample.start;
    this.end = sample.start - 1;
  }

  /** The next field: its tag, 0 when that is no number, INCOMPLETE when the field does not end. */
  next(): number {
    const { bytes, end } = this.#sample;
    this.at = this.end + 1;
    const equals = bytes.indexOf(EQUALS, this.at);
    const stop = equals < 0 ? -1 : bytes.indexOf(SOH, equals);
    if (stop < 0 || stop >= end) return INCOMPLETE;
    this.value = equals + 1;
    this.end = stop;
    const tag = view(bytes).toString('latin1', this.at, equals);
    return /^\d+$/.test(tag) ? Number(tag) : 0;
  }

  text(): string {
    return view(this.#sample.bytes).toString('latin1', this.at, this.end);
  }

  get empty(): boolean {
    return this.value === this.end;
  }
}

/** 1 = the bytes begin with a message, 0 = they do not, INCOMPLETE. */
export function fixState(sample: Sample): number {
  if (sample.length < SHORTEST_BYTES) return INCOMPLETE;
  const fields = new Fields(sample);
  let tag = fields.next();
  if (tag !== INCOMPLETE && !VERSION.test(fields.text())) return 0;
  tag = tag === INCOMPLETE ? tag : fields.next();
  if (tag === INCOMPLETE) return tag;
  const length = /^9=(\d+)$/.exec(fields.text())?.[1];
  const body = fields.end + 1;
  if (length === undefined) return 0;
  for (let third = true; ; third = false) {
    tag = fields.next();
    if (tag === INCOMPLETE) return tag;
    if (tag === 0 || fields.empty || (third && tag !== 35)) return 0;
    if (tag === 10) break;
  }
  let sum = 0;
  for (let at = sample.start; at < fields.at; at++) sum += sample.bytes[at]!;
  const right = fields.text() === `10=${String(sum % 256).padStart(3, '0')}`;
  return Number(length) === fields.at - body && right ? 1 : 0;
}

/** Makes the sample the value of the first field with that tag; false, and `mayChange` while there may be one to come. */
export function fixValue(sample: Sample, wanted: number): boolean {
  const fields = new Fields(sample);
  for (;;) {
    const tag = fields.next();
    sample.mayChange = tag === INCOMPLETE;
    if (tag <= 0) return false;
    if (tag === wanted) return !fields.empty && sample.setBin(sample.bytes, fields.value, fields.end);
  }
}
