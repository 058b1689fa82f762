/** Text escaped for a JSON string, in ASCII (manual 7.3.1, `json`). */

/** How the input is decoded: `s` leaves errors out, `p` takes overlong forms; without them an error fails. */
export const JSON_CODES = ['ascii', 'utf8', 'utf8s', 'utf8p', 'utf8ps'] as const;
export type JsonCode = (typeof JSON_CODES)[number];

const SHORT: Readonly<Record<number, string>> = {
  8: '\\b',
  9: '\\t',
  10: '\\n',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  47: '\\/',
  92: '\\\\',
};

/** null = the input is not what `code` says. */
export function escapeJson(bytes: Uint8Array, start: number, end: number, code: JsonCode): string | null {
  const silent = code.endsWith('s');
  let text = '';
  for (let at = start; at < end; ) {
    let point = bytes[at]!;
    let length = 1;
    if (code !== 'ascii' && point >= 0x80) {
      length = lengthOf(point);
      const bad = length === 0 ? -1 : decodePoint(bytes, at, Math.min(at + length, end), length);
      point = bad;
      if (point < 0 || point > 0xffff || !isAllowed(point, length, code.includes('p'))) {
        if (!silent) return null;
        at += Math.max(point < 0 ? 1 : length, 1);
        continue;
      }
    }
    at += length;
    text +=
      SHORT[point] ??
      (point >= 32 && point < 127 ? String.fromCharCode(point) : `\\u${point.toString(16).padStart(4, '0')}`);
  }
  return text;
}

/** Bytes of a sequence by its first; 0 = it begins none. */
function lengthOf(first: number): number {
  if (first >= 0xc0 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf8 ? 4 : 0;
}

function decodePoint(bytes: Uint8Array, start: number, end: number, length: number): number {
  if (end - start < length) return -1;
  let point = bytes[start]! & (0x7f >> length);
  for (let i = start + 1; i < end; i++) {
    if ((bytes[i]! & 0xc0) !== 0x80) return -1;
    point = (point << 6) | (bytes[i]! & 0x3f);
  }
  return point;
}

/** Neither a surrogate, nor one of the last two of a plane, nor (unless `overlong`) written longer than needed. */
function isAllowed(point: number, length: number, overlong: boolean): boolean {
  if (point >= 0xd800 && point <= 0xdfff) return false;
  if ((point & 0xfffe) === 0xfffe) return false;
  const least = [0, 0, 0x80, 0x800, 0x10000][length]!;
  return overlong || point >= least;
}
