/** Converters of text (manual 7.3.1). Most only move the ends of the slice. */
import { hostEnd, portOf } from '../http/uri.ts';
import type { Args } from './arguments.ts';
import { LOWER } from './byte-table.ts';
import type { Convert } from './context.ts';
import { compileRegex, regexProblem } from './regex.ts';
import { type ConverterRow, converter, plainConverter } from './row.ts';
import { type Sample, STR, view } from './sample.ts';
import { give, ROOM_BYTES, room, SCRATCH } from './scratch.ts';
import { putText } from './text-out.ts';

const UPPER = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 97 && byte <= 122 ? byte - 32 : byte));

/** Byte by byte through a table of 256. */
function mapped(map: Uint8Array): Convert {
  return sample => {
    const { bytes, start, end } = sample;
    if (end - start > ROOM_BYTES) return false;
    const at = room();
    for (let i = start; i < end; i++) SCRATCH[at + i - start] = map[bytes[i]!]!;
    give(at + end - start);
    return sample.setStr(SCRATCH, at, at + end - start);
  };
}

/** 1 for each byte of the argument. */
function setOf(args: Args, i: number): Uint8Array {
  const set = new Uint8Array(256);
  for (const byte of args.bytes(i)) set[byte] = 1;
  return set;
}

function ltrim(args: Args): Convert {
  const set = setOf(args, 0);
  return sample => {
    while (sample.start < sample.end && set[sample.bytes[sample.start]!] === 1) sample.start++;
    return true;
  };
}

function rtrim(args: Args): Convert {
  const set = setOf(args, 0);
  return sample => {
    while (sample.end > sample.start && set[sample.bytes[sample.end - 1]!] === 1) sample.end--;
    return true;
  };
}

/**
 * Parts between delimiters, `count` of them from number `index` on (negative: from the end backwards). With `skip`
 * empty parts do not count, and where there is no such part an empty text is found.
 */
function parts(skip: boolean): (args: Args) => Convert {
  return args => {
    const index = args.int(0);
    const set = setOf(args, 1);
    const count = args.int(2, 1);
    return sample =>
      index > 0 ? fromStart(sample, index, set, count, skip) : fromEnd(sample, -index, set, count, skip);
  };
}

function fromStart(sample: Sample, index: number, set: Uint8Array, count: number, skip: boolean): boolean {
  const { bytes, start, end } = sample;
  let found = 0;
  let first = -1;
  for (let at = start; at <= end; ) {
    let stop = at;
    while (stop < end && set[bytes[stop]!] !== 1) stop++;
    if (!(skip && stop === at)) {
      found++;
      if (found === index) first = at;
      if (first >= 0 && count > 0 && found === index + count - 1) return cut(sample, first, stop);
    }
    at = stop + 1;
  }
  if (first >= 0) return cut(sample, first, end);
  return skip && cut(sample, end, end);
}

function fromEnd(sample: Sample, index: number, set: Uint8Array, count: number, skip: boolean): boolean {
  const { bytes, start, end } = sample;
  let found = 0;
  let last = -1;
  for (let stop = end; stop >= start; ) {
    let at = stop;
    while (at > start && set[bytes[at - 1]!] !== 1) at--;
    if (!(skip && stop === at)) {
      found++;
      if (found === index) last = stop;
      if (last >= 0 && count > 0 && found === index + count - 1) return cut(sample, at, last);
    }
    stop = at - 1;
  }
  if (last < 0) return skip && cut(sample, start, start);
  let from = start;
  while (skip && from < last && set[bytes[from]!] === 1) from++;
  return cut(sample, from, last);
}

function cut(sample: Sample, start: number, end: number): true {
  sample.start = start;
  sample.end = end;
  sample.type = STR;
  return true;
}

const INDEX = (name: string, bad: string): NonNullable<Parameters<typeof converter>[6]> => ({
  check: ([index, delimiters]) =>
    index === 0 ? 'Unexpected value 0 for index' : delimiters === '' ? 'Empty separators list' : null,
  good: [`${name}(1,x)`, `${name}(-1,"/,",0)`, `${name}(2,_,3)`],
  bad: [
    [`${name}(0,b)`, `invalid args in converter '${name}' : Unexpected value 0 for index`],
    [`${name}(1,)`, `invalid args in converter '${name}' : Empty separators list`],
    [`${name}(1)`, `invalid arg 2 in converter '${name}' : ${bad}`],
  ],
});
const MISSING = "missing arguments (got 1/2), type 'string' expected";

function iif(args: Args): Convert {
  const yes = args.bytes(0);
  const no = args.bytes(1);
  return sample => {
    const text = sample.int === 0 ? no : yes;
    return sample.setStr(text, 0, text.length);
  };
}

function cutCrlf(sample: Sample): boolean {
  for (let at = sample.start; at < sample.end; at++) {
    if (sample.bytes[at] === 13 || sample.bytes[at] === 10) sample.end = at;
  }
  return true;
}

function reverse(sample: Sample): boolean {
  const { bytes, start, end } = sample;
  if (end - start > ROOM_BYTES) return false;
  const at = room();
  for (let i = start; i < end; i++) SCRATCH[at + end - 1 - i] = bytes[i]!;
  give(at + end - start);
  return sample.setStr(SCRATCH, at, at + end - start);
}

function reverseDomain(sample: Sample): boolean {
  const labels = sample.text().replace(/\.$/, '').split('.');
  return !labels.includes('') && putText(sample, labels.reverse().join('.'));
}

const lowered = mapped(LOWER);

function hostOnly(sample: Sample, ctx: Parameters<Convert>[1]): boolean {
  const end = hostEnd(sample.bytes, sample.start, sample.end);
  if (end >= 0) sample.end = end;
  return lowered(sample, ctx);
}

/** 0 when there is no port. */
function portOnly(sample: Sample): boolean {
  const end = hostEnd(sample.bytes, sample.start, sample.end);
  return sample.setInt(end < 0 ? 0 : Math.max(portOf(sample.bytes, end + 1, sample.end), 0));
}

function param(args: Args): Convert {
  const name = args.bytes(0);
  const given = args.text(1, '&');
  const delimiter = /^0x/i.test(given) ? Number(given) : given.charCodeAt(0);
  return sample => {
    const { bytes, start, end } = sample;
    for (let at = start; at < end; ) {
      let stop = at;
      while (stop < end && bytes[stop] !== delimiter) stop++;
      let equals = at;
      while (equals < stop && bytes[equals] !== 61) equals++;
      if (equals - at === name.length && name.every((byte, i) => bytes[at + i] === byte)) {
        return cut(sample, Math.min(equals + 1, stop), stop);
      }
      at = stop + 1;
    }
    return false;
  };
}

/** `\1` to `\9` and `\0` in the replacement, as sed's. */
function replacement(text: string): (...found: (string | undefined)[]) => string {
  return (...found) =>
    text.replace(/\\(?:x([0-9A-Fa-f]{2})|(\d)|([\s\S]))/g, (_, hex, group, other) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      return group === undefined ? other : (found[Number(group)] ?? '');
    });
}

function regsub(args: Args): Convert {
  const flags = args.text(2);
  const regex = compileRegex(args.text(0), flags);
  const replace = replacement(Buffer.from(args.text(1), 'utf8').toString('latin1'));
  return sample =>
    putText(
      sample,
      sample
        .text()
        .replace(regex, (...found) =>
          replace(...found.filter(part => typeof part !== 'number' && typeof part !== 'object')),
        ),
    );
}

/** A mask of control characters: bit n is byte n, bit 32 is DEL. */
const MASKS: Readonly<Record<string, bigint>> = { '': 0x1fffffdffn, any: 0x1ffffffffn, http: 0x2401n };

function hasControl(args: Args): Convert {
  const text = args.text(0);
  const mask = MASKS[text] ?? BigInt(text);
  const set = new Uint8Array(256);
  for (let byte = 0; byte < 32; byte++) set[byte] = Number((mask >> BigInt(byte)) & 1n);
  set[127] = Number((mask >> 32n) & 1n);
  return sample => {
    for (let at = sample.start; at < sample.end; at++) if (set[sample.bytes[at]!] === 1) return sample.setBool(true);
    return sample.setBool(false);
  };
}

/** The first of the languages, separated by `;` and as they are written, with the highest weight in Accept-Language; or the default. */
function language(args: Args): Convert {
  const known = args.text(0).split(';');
  return sample => {
    let best: string | null = null;
    let weight = 0;
    for (const item of sample.text().split(',')) {
      const [tag = '', parameter = ''] = item.split(';').map(part => part.trim());
      const q = /^q=/i.test(parameter) ? Number(parameter.slice(2)) : 1;
      const [primary] = tag.split('-');
      const found = known.find(name => name === tag || name === primary);
      if (found === undefined || !(q > weight)) continue;
      best = found;
      weight = q;
    }
    const text = best ?? args.text(1);
    return text !== '' && putText(sample, text);
  };
}

const HEX = '0123456789ABCDEF';
/** 1 for what needs no escape in a query (RFC 3986 2.3). */
const UNRESERVED = Uint8Array.from({ length: 256 }, (_, b) =>
  b < 128 && /[A-Za-z0-9\-._~]/.test(String.fromCharCode(b)) ? 1 : 0,
);

function urlEncode(sample: Sample): boolean {
  const { bytes, start, end } = sample;
  if ((end - start) * 3 > ROOM_BYTES) return false;
  const at = room();
  let to = at;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (UNRESERVED[byte] === 1) SCRATCH[to++] = byte;
    else {
      SCRATCH[to++] = 37;
      SCRATCH[to++] = HEX.charCodeAt(byte >> 4);
      SCRATCH[to++] = HEX.charCodeAt(byte & 15);
    }
  }
  give(to);
  return sample.setStr(SCRATCH, at, to);
}

/** `+` is a space in a form, and behind a question mark. An escape that is none makes the converter fail. */
function urlDecode(args: Args): Convert {
  const form = args.int(0) !== 0;
  return sample => {
    const { bytes, start, end } = sample;
    if (end - start > ROOM_BYTES) return false;
    const at = room();
    let to = at;
    let query = form;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (byte === 37) {
        const value = i + 2 < end ? Number.parseInt(view(bytes).toString('latin1', i + 1, i + 3), 16) : Number.NaN;
        if (Number.isNaN(value) || !/[0-9A-Fa-f]/.test(String.fromCharCode(bytes[i + 2]!))) return false;
        SCRATCH[to++] = value;
        i += 2;
      } else SCRATCH[to++] = byte === 43 && query ? 32 : byte;
      if (byte === 63) query = true;
    }
    give(to);
    return sample.setStr(SCRATCH, at, to);
  };
}

export const TEXT_CONVERTERS: readonly ConverterRow[] = [
  plainConverter('lower', 'str', 'str', 'A-Z as a-z.', lowered),
  plainConverter('upper', 'str', 'str', 'a-z as A-Z.', mapped(UPPER)),
  plainConverter('length', 'str', 'sint', 'The length in bytes.', sample => sample.setInt(sample.length)),
  converter('ltrim', 'chars:str', 'str', 'str', 'Without those characters in front.', ltrim),
  converter('rtrim', 'chars:str', 'str', 'str', 'Without those characters at the end.', rtrim),
  converter(
    'field',
    'index:int delimiters:str [count:int]',
    'str',
    'str',
    'A part between delimiters.',
    parts(false),
    INDEX('field', MISSING),
  ),
  converter(
    'word',
    'index:int delimiters:str [count:int]',
    'str',
    'str',
    'A part between runs of delimiters.',
    parts(true),
    INDEX('word', MISSING),
  ),
  converter('iif', 'true:str false:str', 'bool', 'str', 'One of two texts.', iif),
  plainConverter('cut_crlf', 'str', 'str', 'Up to the end of the line.', cutCrlf),
  plainConverter('reverse', 'str', 'str', 'The bytes in reverse order.', reverse),
  plainConverter('reverse_dom', 'str', 'str', 'The labels of a domain in reverse order.', reverseDomain),
  plainConverter('host_only', 'str', 'str', 'A Host value without its port, in lower case.', hostOnly),
  plainConverter('port_only', 'str', 'sint', 'The port of a Host value, 0 when it has none.', portOnly),
  converter('param', 'name:str [delim:str]', 'str', 'str', 'A parameter of a form.', param, {
    check: args =>
      args[1] == null || /^(?:.|0x[0-9A-Fa-f]{2})$/s.test(String(args[1]))
        ? null
        : 'Delimiter must be a single character.',
    good: ['param(a)', 'param(a,;)', 'param(a,0x3B)'],
    bad: [['param(a,bb)', "invalid args in converter 'param' : Delimiter must be a single character."]],
  }),
  converter(
    'regsub',
    'regex:str subst:str [flags:str]',
    'str',
    'str',
    'Replaces what a regular expression matches.',
    regsub,
    {
      check: args => {
        if (/[^gi]/.test(String(args[2] ?? '')))
          return `invalid regex flag '${args[2]}', only 'i' and 'g' are supported`;
        return args[0] === '' ? 'missing regex' : regexProblem(String(args[0]));
      },
      good: ["regsub('/+','/',g)", 'regsub(a,b)', 'regsub(a,b,gi)'],
      bad: [
        [
          'regsub(a,b,x)',
          "invalid args in converter 'regsub' : invalid regex flag 'x', only 'i' and 'g' are supported",
        ],
        ['regsub(,b)', "invalid args in converter 'regsub' : missing regex"],
      ],
    },
  ),
  converter('has_ctl', '[mask:str]', 'bin', 'bool', 'There are control characters.', hasControl, {
    check: args => {
      const text = String(args[0] ?? '');
      return Object.hasOwn(MASKS, text) || /^(?:0x[0-9A-Fa-f]+|\d+)$/.test(text) ? null : `invalid mask '${text}'`;
    },
    good: ['has_ctl', 'has_ctl(any)', 'has_ctl(http)', 'has_ctl(0x100002401)'],
    bad: [['has_ctl(x)', "invalid args in converter 'has_ctl' : invalid mask 'x'"]],
  }),
  converter('language', 'value:str [default:str]', 'str', 'str', 'The best of some languages.', language),
  converter('url_dec', '[in_form:int]', 'str', 'str', 'Percent escapes resolved.', urlDecode),
  converter('url_enc', '[type:str]', 'str', 'str', 'Percent escapes for a query.', () => urlEncode, {
    check: args => (args[0] == null || args[0] === 'query' ? null : "Unexpected encode type. Allowed value is 'query'"),
    good: ['url_enc', 'url_enc(query)'],
    bad: [['url_enc(a)', "invalid args in converter 'url_enc' : Unexpected encode type. Allowed value is 'query'"]],
  }),
];
