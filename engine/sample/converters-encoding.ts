/** Converters between bytes and text (manual 7.3.1): base64, hexadecimal, decimal, JSON. */
import type { Arg, Args } from './arguments.ts';
import type { Convert } from './context.ts';
import { escapeJson, JSON_CODES, type JsonCode } from './json-escape.ts';
import { parsePath, queryJson } from './json-path.ts';
import { type ConverterRow, converter, type Extras, plainConverter } from './row.ts';
import { type Sample, view } from './sample.ts';
import { give, ROOM_BYTES, room, SCRATCH } from './scratch.ts';
import { putBytes, putText } from './text-out.ts';

function encode(to: 'base64' | 'base64url' | 'hex'): Convert {
  return sample => {
    const text = view(sample.bytes).toString(to, sample.start, sample.end);
    return putText(sample, to === 'hex' ? text.toUpperCase() : text);
  };
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const BASE64URL = /^[A-Za-z0-9_-]*={0,2}$/;

function decode(syntax: RegExp, from: 'base64' | 'base64url', padded: boolean): Convert {
  return sample => {
    const text = sample.text();
    // One letter has but six bits: no byte.
    if (!syntax.test(text) || (padded ? text.length % 4 !== 0 : text.length % 4 === 1)) return false;
    return putBytes(sample, Buffer.from(text, from));
  };
}

const decodeUrl = decode(BASE64URL, 'base64url', false);

type Chunk = (bytes: Buffer, start: number, end: number) => string;

const hexOf: Chunk = (bytes, start, end) => bytes.toString('hex', start, end).toUpperCase();
const bigEndian: Chunk = (bytes, start, end) => BigInt(`0x${bytes.toString('hex', start, end)}`).toString();
const littleEndian: Chunk = (bytes, start, end) =>
  BigInt(`0x${Buffer.from(bytes.subarray(start, end)).reverse().toString('hex')}`).toString();

/** Chunks of some bytes each as text, with a separator between; `truncate`: an incomplete last chunk is left out. */
function chunked(chunk: Chunk, otherwise: number): (args: Args) => Convert {
  return args => {
    const separator = Buffer.from(args.text(0), 'utf8').toString('latin1');
    const size = args.int(1, otherwise);
    const truncate = args.int(2) !== 0;
    return sample => {
      const { start, end } = sample;
      const bytes = view(sample.bytes);
      let text = '';
      for (let at = start; at < end && text.length < ROOM_BYTES; at += size) {
        if (truncate && at + size > end) break;
        if (at > start) text += separator;
        text += chunk(bytes, at, Math.min(at + size, end));
      }
      return putText(sample, text);
    };
  };
}

function chunkExtras(name: string): Extras {
  const problem = (size: string): string => `chunk_size out of [1..8] range (${size})`;
  return {
    check: args =>
      typeof args[1] === 'number' && args[1] >= 1 && args[1] <= 8 ? truncateProblem(args) : problem(String(args[1])),
    good: [`${name}(:,2)`, `${name}(,2,1)`],
    bad: [
      [`${name}(a,9)`, `invalid args in converter '${name}' : ${problem('9')}`],
      [`${name}(a,1,2)`, `invalid args in converter '${name}' : Unsupported truncate value (2)`],
    ],
  };
}

function truncateProblem(args: readonly Arg[]): string | null {
  const truncate = args[2] ?? 0;
  return truncate === 0 || truncate === 1 ? null : `Unsupported truncate value (${truncate})`;
}

const BE2HEX: Extras = {
  check: args => {
    const size = Number(args[1] ?? 0);
    const whole = (args[0] ?? '') === '' && (args[2] ?? 0) === 0;
    return size < 0 || (size === 0 && !whole) ? `chunk_size needs to be positive (${size})` : truncateProblem(args);
  },
  good: ['be2hex', 'be2hex()', 'be2hex(--,2,1)', 'be2hex(,3,1)'],
  bad: [
    ['be2hex(a,0,2)', "invalid args in converter 'be2hex' : chunk_size needs to be positive (0)"],
    ['be2hex(:)', "invalid args in converter 'be2hex' : chunk_size needs to be positive (0)"],
    ['be2hex(a,1,2)', "invalid args in converter 'be2hex' : Unsupported truncate value (2)"],
  ],
};

/** Eight binary digits for each byte. */
function base2(sample: Sample): boolean {
  const { bytes, start, end } = sample;
  if ((end - start) * 8 > ROOM_BYTES) return false;
  const at = room();
  let to = at;
  for (let i = start; i < end; i++) for (let bit = 7; bit >= 0; bit--) SCRATCH[to++] = 48 + ((bytes[i]! >> bit) & 1);
  give(to);
  return sample.setStr(SCRATCH, at, to);
}

function htonl(sample: Sample): boolean {
  const at = room();
  SCRATCH.writeUInt32BE(Number(BigInt.asUintN(32, sample.big())), at);
  give(at + 4);
  return sample.setBin(SCRATCH, at, at + 4);
}

function json(args: Args): Convert {
  const code = (args.text(0) || 'ascii') as JsonCode;
  return sample => {
    const text = escapeJson(view(sample.bytes), sample.start, sample.end, code);
    return text !== null && putText(sample, text);
  };
}

/** Numbers become sint when asked, else text; strings stay; true and false are booleans; arrays are their JSON; objects are nothing. */
function jsonQuery(args: Args): Convert {
  const path = parsePath(args.text(0))!;
  const asInt = args.text(1) === 'int';
  return sample => {
    const value = queryJson(view(sample.bytes).toString('utf8', sample.start, sample.end), path);
    if (value === undefined || value === null) return false;
    if (typeof value === 'object' && !Array.isArray(value)) return false;
    if (typeof value === 'boolean') return sample.setBool(value);
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const bytes = Buffer.from(text, 'utf8');
    if (!putBytes(sample, bytes)) return false;
    sample.setStr(sample.bytes, sample.start, sample.end);
    return asInt && typeof value === 'number' ? sample.setInt(Math.trunc(value)) : true;
  };
}

const JSON_PROBLEM = "Unexpected input code type. Allowed value are 'ascii', 'utf8', 'utf8s', 'utf8p' and 'utf8ps'";
const QUERY_PROBLEM = 'output_type only supports "int" as argument';

export const ENCODING_CONVERTERS: readonly ConverterRow[] = [
  plainConverter('base64', 'bin', 'str', 'Bytes in base64.', encode('base64')),
  plainConverter('b64dec', 'str', 'bin', 'Base64 as bytes.', decode(BASE64, 'base64', true)),
  plainConverter('ub64enc', 'bin', 'str', 'Bytes in base64url, without padding.', encode('base64url')),
  plainConverter('ub64dec', 'str', 'str', 'Base64url as bytes.', (sample, ctx) => {
    return decodeUrl(sample, ctx) && sample.setStr(sample.bytes, sample.start, sample.end);
  }),
  plainConverter('hex', 'bin', 'str', 'Bytes in hexadecimal.', encode('hex')),
  converter(
    'be2hex',
    '[separator:str] [chunk_size:int] [truncate:int]',
    'bin',
    'str',
    'Bytes in hexadecimal, by chunks.',
    chunked(hexOf, 16_384),
    BE2HEX,
  ),
  converter(
    'be2dec',
    'separator:str chunk_size:int [truncate:int]',
    'bin',
    'str',
    'Big-endian numbers.',
    chunked(bigEndian, 1),
    chunkExtras('be2dec'),
  ),
  converter(
    'le2dec',
    'separator:str chunk_size:int [truncate:int]',
    'bin',
    'str',
    'Little-endian numbers.',
    chunked(littleEndian, 1),
    chunkExtras('le2dec'),
  ),
  plainConverter('base2', 'bin', 'str', 'Bytes in binary digits.', base2),
  plainConverter('htonl', 'sint', 'bin', 'Four bytes in network order.', htonl),
  converter('json', '[code:str]', 'str', 'str', 'Escaped for a JSON string.', json, {
    check: args =>
      args[0] == null || (JSON_CODES as readonly string[]).includes(String(args[0])) ? null : JSON_PROBLEM,
    good: ['json', ...JSON_CODES.map(code => `json(${code})`)],
    bad: [['json(foo)', `invalid args in converter 'json' : ${JSON_PROBLEM}`]],
  }),
  converter('json_query', 'path:str [type:str]', 'str', 'any', 'A value inside JSON.', jsonQuery, {
    check: args => {
      if ((args[1] || 'int') !== 'int') return QUERY_PROBLEM;
      return parsePath(String(args[0])) === null ? `'${args[0]}' is not a valid JSON path` : null;
    },
    good: ["json_query('$.a')", "json_query('$.a.b[0]',int)"],
    bad: [["json_query('$.a',x)", `invalid args in converter 'json_query' : ${QUERY_PROBLEM}`]],
  }),
];
