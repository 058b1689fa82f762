/**
 * Casts: a sample of one type made into another, as a converter or a pattern wants it. HAProxy's matrix:
 *
 *     from \ to  bool   sint   addr   ipv4    ipv6    str    bin    meth
 *     bool       -      0/1                          digits 8 bytes
 *     sint       !=0    -             4 bytes mapped  digits 8 bytes
 *     ipv4       !=0    number -      -      mapped   text   bytes
 *     ipv6                     -      mapped -        text   bytes
 *     str        number number parsed parsed parsed   -      -      -
 *     bin                                             -      -      -
 *     meth                                            name   name   -
 *
 * A cast that stands in the matrix may still fail on the value: then the whole expression finds nothing.
 */

import { isDigit } from '../http/chars.ts';
import { METHOD_NAMES } from '../http/names.ts';
import { parseIpv6 } from '../io/ip.ts';
import { writeIp } from './ip-text.ts';
import { ADDR, ANY, BIN, BOOL, bytesOf, IPV4, IPV6, METH, type Sample, SINT, STR, type Type } from './sample.ts';
import { give, room, SCRATCH } from './scratch.ts';

/** Changes the sample in place; false when its value does not allow it. */
type Cast = (sample: Sample) => boolean;

const same: Cast = () => true;

function retype(type: Type): Cast {
  return sample => {
    sample.type = type;
    return true;
  };
}

function intToStr(sample: Sample): boolean {
  const at = room();
  const end = at + SCRATCH.write(String(sample.wide ?? sample.int), at, 'latin1');
  give(end);
  return sample.setStr(SCRATCH, at, end);
}

function intToBin(sample: Sample): boolean {
  const at = room();
  SCRATCH.writeBigInt64BE(sample.big(), at);
  give(at + 8);
  return sample.setBin(SCRATCH, at, at + 8);
}

function intToIp(sample: Sample): boolean {
  const at = room();
  SCRATCH.writeUInt32BE(Number(BigInt.asUintN(32, sample.big())), at);
  give(at + 4);
  sample.type = IPV4;
  return within(sample, at, at + 4);
}

function ipToInt(sample: Sample): boolean {
  const { bytes, start } = sample;
  return sample.setInt(
    ((bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!) >>> 0,
  );
}

const MAPPED = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255);

function ipToIpv6(sample: Sample): boolean {
  const at = room();
  SCRATCH.set(MAPPED, at);
  for (let i = 0; i < 4; i++) SCRATCH[at + 12 + i] = sample.bytes[sample.start + i]!;
  give(at + 16);
  sample.type = IPV6;
  return within(sample, at, at + 16);
}

/** Only `::ffff:a.b.c.d` is an IPv4 address. */
function ipv6ToIp(sample: Sample): boolean {
  const { bytes, start } = sample;
  for (let i = 0; i < 12; i++) if (bytes[start + i] !== MAPPED[i]) return false;
  sample.start = start + 12;
  sample.end = start + 16;
  sample.type = IPV4;
  return true;
}

function ipToStr(sample: Sample): boolean {
  const at = room();
  const end = writeIp(sample.bytes, sample.start, sample.end, SCRATCH, at);
  give(end);
  return sample.setStr(SCRATCH, at, end);
}

/** As HAProxy reads integers: the digits at the start, after an optional sign; 0 when there are none. */
export function leadingInt(sample: Sample): true {
  const { bytes, start, end } = sample;
  const negative = bytes[start] === 45;
  let at = negative || bytes[start] === 43 ? start + 1 : start;
  let value = 0;
  for (; at < end && isDigit(bytes[at]!); at++) value = value * 10 + bytes[at]! - 48;
  if (value <= Number.MAX_SAFE_INTEGER) return sample.setInt(negative && value !== 0 ? -value : value);
  const exact = BigInt(/^[+-]?\d*/.exec(sample.text())![0].replace('+', ''));
  return sample.setWide(exact > INT64_MAX ? INT64_MAX : exact < INT64_MIN ? INT64_MIN : exact);
}

/** An empty text is no integer. */
function strToInt(sample: Sample): boolean {
  return sample.length > 0 && leadingInt(sample);
}

export const INT64_MAX = 2n ** 63n - 1n;
export const INT64_MIN = -(2n ** 63n);

function strToBool(sample: Sample): boolean {
  return strToInt(sample) && sample.setBool(sample.int !== 0);
}

/** Four decimal numbers, none with a zero in front. */
function strToIp(sample: Sample): boolean {
  const { bytes, end } = sample;
  const to = room();
  let at = sample.start;
  for (let part = 0; part < 4; part++) {
    const first = at;
    let value = 0;
    while (at < end && at < first + 3 && isDigit(bytes[at]!)) value = value * 10 + bytes[at++]! - 48;
    if (at === first || value > 255 || (bytes[first] === 48 && at > first + 1)) return false;
    if (part < 3 ? bytes[at] !== 46 || at >= end : at !== end) return false;
    SCRATCH[to + part] = value;
    at++;
  }
  give(to + 4);
  sample.type = IPV4;
  return within(sample, to, to + 4);
}

function strToIpv6(sample: Sample): boolean {
  const text = sample.text();
  const bytes = text.length <= 45 && text.includes(':') ? parseIpv6(text) : null;
  return bytes !== null && sample.setIp(bytes);
}

function strToAddr(sample: Sample): boolean {
  return strToIp(sample) || strToIpv6(sample);
}

/** Text ends at the first NUL. */
function binToStr(sample: Sample): true {
  const nul = sample.bytes.indexOf(0, sample.start);
  if (nul >= 0 && nul < sample.end) sample.end = nul;
  sample.type = STR;
  return true;
}

/** A method's name as text. */
function methToStr(sample: Sample): boolean {
  const name = METHOD_BYTES[sample.int]!;
  return sample.int === 0 ? sample.setStr(sample.bytes, sample.start, sample.end) : sample.setStr(name, 0, name.length);
}

const METHOD_BYTES = METHOD_NAMES.map(bytesOf);

/** Text as a method: those known by number become it. */
function strToMeth(sample: Sample): boolean {
  const text = sample.text();
  const id = METHOD_NAMES.indexOf(text);
  return sample.setMethod(Math.max(id, 0), sample.bytes, sample.start, sample.end);
}

function within(sample: Sample, start: number, end: number): true {
  sample.bytes = SCRATCH;
  sample.start = start;
  sample.end = end;
  return true;
}

const boolOfInt: Cast = sample => sample.setBool(sample.int !== 0);

/** `from: { to: cast }`; what is missing cannot be. */
const CASTS: Readonly<Record<number, Readonly<Record<number, Cast>>>> = {
  [BOOL]: { [SINT]: retype(SINT), [STR]: intToStr, [BIN]: intToBin },
  [SINT]: {
    [BOOL]: boolOfInt,
    [ADDR]: intToIp,
    [IPV4]: intToIp,
    [IPV6]: sample => intToIp(sample) && ipToIpv6(sample),
    [STR]: intToStr,
    [BIN]: intToBin,
  },
  [IPV4]: {
    [BOOL]: sample => ipToInt(sample) && boolOfInt(sample),
    [SINT]: ipToInt,
    [ADDR]: same,
    [IPV6]: ipToIpv6,
    [STR]: ipToStr,
    [BIN]: retype(BIN),
  },
  [IPV6]: { [ADDR]: same, [IPV4]: ipv6ToIp, [STR]: ipToStr, [BIN]: retype(BIN) },
  [STR]: {
    [BOOL]: strToBool,
    [SINT]: strToInt,
    [ADDR]: strToAddr,
    [IPV4]: strToIp,
    [IPV6]: strToIpv6,
    [BIN]: retype(BIN),
    [METH]: strToMeth,
  },
  [BIN]: { [STR]: binToStr, [METH]: strToMeth },
  [METH]: {
    [STR]: methToStr,
    [BIN]: sample => methToStr(sample) && sample.setBin(sample.bytes, sample.start, sample.end),
  },
};

const TYPES = 9;
/** By `from * TYPES + to`. */
const MATRIX: readonly (Cast | null)[] = Array.from({ length: TYPES * TYPES }, (_, i) => {
  const from = Math.floor(i / TYPES);
  const to = i % TYPES;
  return from === to || to === ANY ? same : (CASTS[from]?.[to] ?? null);
});

/** Makes `sample` a `to`. False when its type or its value does not allow it. */
export function cast(sample: Sample, to: Type): boolean {
  if (sample.type === to || to === ANY) return true;
  const how = MATRIX[sample.type * TYPES + to];
  return how !== null && how!(sample);
}

/** Whether a value of type `from` can ever become a `to`: asked when a configuration is read. */
export function castable(from: Type, to: Type): boolean {
  if (from === ANY || to === ANY) return true;
  if (from === ADDR) return castable(IPV4, to) || castable(IPV6, to) || to === ADDR;
  return MATRIX[from * TYPES + to] !== null;
}
