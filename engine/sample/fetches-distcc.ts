/**
 * Fetches of distcc messages (manual 7.3.5). A message is packets one after the other: a token of four letters, a number as
 * eight hexadecimal digits, and as many bytes as the number tells, unless the token is one of those without a body.
 */
import { HEX_VALUE, isExactly, latin1 } from '../http/chars.ts';
import type { Args } from './arguments.ts';
import type { Fetch } from './context.ts';
import { anyPayload, wait } from './fetches-payload.ts';
import { type Extras, type FetchRow, fetch } from './row.ts';
import type { Sample } from './sample.ts';

const TOKEN = 4;
const HEADER = 12;
const WITHOUT_BODY = ['ARGC', 'DIST', 'DONE', 'STAT'].map(latin1);

function hasBody(bytes: Uint8Array, at: number): boolean {
  for (const token of WITHOUT_BODY) if (isExactly(bytes, at, at + TOKEN, token)) return false;
  return true;
}

/** The number of the packet at `at`; -1 when its digits are none. */
function parameter(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at + TOKEN; i < at + HEADER; i++) {
    const digit = HEX_VALUE[bytes[i]!]!;
    if (digit > 15) return -1;
    value = value * 16 + digit;
  }
  return value;
}

type Take = (out: Sample, bytes: Uint8Array, start: number, end: number, value: number) => boolean;

/** Finds the packet; `take` gets where its body starts, where the bytes end, and its number. */
function packet(take: Take): (args: Args) => Fetch {
  return args => {
    const token = latin1(args.text(0));
    const wanted = args.int(1);
    return (ctx, out) => {
      const held = anyPayload(ctx);
      if (held === null) return wait(out);
      const { bytes, end } = held;
      let found = 0;
      for (let at = held.start; at + HEADER <= end; ) {
        const value = parameter(bytes, at);
        if (value < 0) return false;
        const body = at + HEADER;
        const size = hasBody(bytes, at) ? value : 0;
        if (isExactly(bytes, at, at + TOKEN, token) && (++found === wanted || wanted === 0)) {
          return take(out, bytes, body, end, value);
        }
        at = body + size;
      }
      return wait(out);
    };
  };
}

const takeNumber: Take = (out, _bytes, _start, _end, value) => out.setInt(value);

/** A packet without a body has an empty one; one that is not whole may be soon. */
const takeBody: Take = (out, bytes, start, end, value) => {
  const stop = start + (hasBody(bytes, start - HEADER) ? value : 0);
  return stop > end ? wait(out) : out.setBin(bytes, start, stop);
};

function extras(name: string): Extras {
  const problem = 'token name must be exactly 4 characters';
  return {
    check: args => (typeof args[0] === 'string' && args[0].length === TOKEN ? null : problem),
    good: [`${name}(DOTI)`, `${name}(ARGV,2)`],
    bad: [[`${name}(DOT)`, `invalid args in fetch method '${name}' : ${problem}`]],
  };
}

export const DISTCC_FETCHES: readonly FetchRow[] = [
  fetch(
    'distcc_body',
    'token:str [occ:int]',
    'bin',
    'eitherBuffer',
    'The body of a token of a distcc message.',
    packet(takeBody),
    extras('distcc_body'),
  ),
  fetch(
    'distcc_param',
    'token:str [occ:int]',
    'sint',
    'eitherBuffer',
    'The number of a token of a distcc message.',
    packet(takeNumber),
    extras('distcc_param'),
  ),
];
