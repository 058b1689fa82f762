/** Fetches of header fields (manual 7.3.6): `req.hdr`, `res.hdr`, their whole-line kin, counts, names, dumps. */
import { latin1 } from '../http/chars.ts';
import { type Head, REMOVED } from '../http/head.ts';
import type { Args } from './arguments.ts';
import { leadingInt } from './cast.ts';
import type { Fetch, SampleContext } from './context.ts';
import { eitherHead, requestHead, responseHead } from './fetches-request.ts';
import { headerIp } from './header-ip.ts';
import { HeaderValues } from './header-values.ts';
import type { Source } from './points.ts';
import { alias, type Extras, type FetchRow, fetch } from './row.ts';
import { type Sample, type TypeName, view } from './sample.ts';
import { give, ROOM_BYTES, room, SCRATCH } from './scratch.ts';

type HeadOf = (ctx: SampleContext) => Head | null;

const OCCURRENCE: Extras = {
  check: args => (typeof args[1] === 'number' && args[1] < -10 ? 'header occurrence must be >= -10' : null),
};

/** What is made of a value that was found. */
type Refine = (out: Sample) => boolean;

function values(headOf: HeadOf, split: boolean, refine: Refine): (args: Args) => Fetch {
  return args => {
    const list = new HeaderValues(args.text(0), split);
    const occ = args.int(1);
    return (ctx, out) => {
      const head = headOf(ctx);
      if (head === null) return false;
      if (occ !== 0 || !out.iterate) return list.pick(head, occ || -1, out) && refine(out);
      while (list.next(head, out)) {
        if (!refine(out)) continue;
        out.more = true;
        return true;
      }
      out.more = false;
      return false;
    };
  };
}

function counted(headOf: HeadOf, split: boolean): (args: Args) => Fetch {
  return args => {
    const list = new HeaderValues(args.text(0), split);
    return (ctx, out) => {
      const head = headOf(ctx);
      return head !== null && out.setInt(list.count(head, out));
    };
  };
}

/** All names, separated by the first character of the delimiter. */
function names(headOf: HeadOf): (args: Args) => Fetch {
  return args => {
    const delimiter = args.bytes(0)[0] ?? 44;
    return (ctx, out) => {
      const head = headOf(ctx);
      if (head === null) return false;
      const at = room();
      let to = at;
      for (let i = 0; i < head.count; i++) {
        if (head.source[i] === REMOVED) continue;
        const length = head.nameEnd[i]! - head.nameStart[i]!;
        if (to + length + 1 > at + ROOM_BYTES) return false;
        if (to > at) SCRATCH[to++] = delimiter;
        to += view(head.bytesOf(i)).copy(SCRATCH, to, head.nameStart[i], head.nameEnd[i]);
      }
      give(to);
      return out.setStr(SCRATCH, at, to);
    };
  };
}

const SEPARATOR = latin1(': ');
const LINE_END = latin1('\r\n');

/** The header lines and the empty line. */
function dump(headOf: HeadOf): () => Fetch {
  return () => (ctx, out) => {
    const head = headOf(ctx);
    if (head === null) return false;
    const at = room();
    let to = at;
    for (let i = 0; i < head.count; i++) {
      if (head.source[i] === REMOVED) continue;
      const bytes = view(head.bytesOf(i));
      if (to + head.nameEnd[i]! - head.nameStart[i]! + head.valueEnd[i]! - head.valueStart[i]! + 6 > at + ROOM_BYTES)
        return false;
      to += bytes.copy(SCRATCH, to, head.nameStart[i], head.nameEnd[i]);
      SCRATCH.set(SEPARATOR, to);
      to += 2;
      to += bytes.copy(SCRATCH, to, head.valueStart[i], head.valueEnd[i]);
      SCRATCH.set(LINE_END, to);
      to += 2;
    }
    SCRATCH.set(LINE_END, to);
    give(to + 2);
    return out.setStr(SCRATCH, at, to + 2);
  };
}

/** The same as lengths (variable integers of the SPOE document) and bytes, ended by an empty name and value. */
function binaryDump(headOf: HeadOf): () => Fetch {
  return () => (ctx, out) => {
    const head = headOf(ctx);
    if (head === null) return false;
    const at = room();
    let to = at;
    const put = (bytes: Uint8Array, start: number, end: number): boolean => {
      if (to + end - start + 12 > at + ROOM_BYTES) return false;
      to = writeVarint(end - start, to);
      to += view(bytes).copy(SCRATCH, to, start, end);
      return true;
    };
    for (let i = 0; i < head.count; i++) {
      if (head.source[i] === REMOVED) continue;
      const bytes = head.bytesOf(i);
      if (!put(bytes, head.nameStart[i]!, head.nameEnd[i]!) || !put(bytes, head.valueStart[i]!, head.valueEnd[i]!))
        return false;
    }
    SCRATCH[to++] = 0;
    SCRATCH[to++] = 0;
    give(to);
    return out.setBin(SCRATCH, at, to);
  };
}

/** Below 240 one byte; else four bits in it and seven in each that follows. */
function writeVarint(value: number, at: number): number {
  let to = at;
  if (value < 240) {
    SCRATCH[to++] = value;
    return to;
  }
  SCRATCH[to++] = value | 240;
  let rest = (value - 240) >> 4;
  while (rest >= 128) {
    SCRATCH[to++] = rest | 128;
    rest = (rest - 128) >> 7;
  }
  SCRATCH[to++] = rest;
  return to;
}

const anything: Refine = () => true;
const asInt: Refine = out => leadingInt(out);

/** [suffix of the name, arguments, type, what it is, how it is made]. */
type Kind = readonly [string, string, TypeName, string, (headOf: HeadOf) => (args: Args) => Fetch, Extras?];

const KINDS: readonly Kind[] = [
  [
    'hdr',
    '[name:str] [occ:int]',
    'str',
    'A value of a header; the last one.',
    h => values(h, true, anything),
    OCCURRENCE,
  ],
  [
    'fhdr',
    '[name:str] [occ:int]',
    'str',
    'A whole header line; the last one.',
    h => values(h, false, anything),
    OCCURRENCE,
  ],
  [
    'hdr_ip',
    '[name:str] [occ:int]',
    'addr',
    'A value of a header as an address.',
    h => values(h, true, headerIp),
    OCCURRENCE,
  ],
  [
    'hdr_val',
    '[name:str] [occ:int]',
    'sint',
    'A value of a header as an integer.',
    h => values(h, true, asInt),
    OCCURRENCE,
  ],
  ['hdr_cnt', '[name:str]', 'sint', 'How many values a header has.', h => counted(h, true)],
  ['fhdr_cnt', '[name:str]', 'sint', 'How many lines a header has.', h => counted(h, false)],
  ['hdr_names', '[delim:str]', 'str', 'The names of all headers.', names],
  ['hdrs', '', 'str', 'All header lines.', dump],
  ['hdrs_bin', '', 'bin', 'All headers as lengths and bytes.', binaryDump],
];

const SHORT = ['hdr', 'hdr_ip', 'hdr_val', 'hdr_cnt'];

/** The rows of one direction; `short` is what stands before the names that have an older form. */
function rows(prefix: string, short: string, from: Source, headOf: HeadOf): FetchRow[] {
  return KINDS.flatMap(([suffix, args, out, doc, make, extras]) => {
    const row = fetch(`${prefix}${suffix}`, args, out, from, doc, make(headOf), extras);
    // `hdr` alone looks where its rule stands.
    if (suffix === 'hdr' && short === '')
      return [row, fetch(suffix, args, out, 'eitherHeaders', doc, make(eitherHead), extras)];
    return SHORT.includes(suffix) ? [row, alias(`${short}${suffix}`, row)] : [row];
  });
}

export const HEADER_FETCHES: readonly FetchRow[] = [
  ...rows('req.', '', 'requestHeaders', requestHead),
  ...rows('res.', 's', 'responseHeaders', responseHead),
];
