/**
 * IP addresses in numbers, from text and back: IPv4 as four decimal numbers, IPv6 as RFC 4291 section 2.2 reads it. No zones, no
 * names, no ports.
 */

/** 4 bytes, or null. A zero before a number is refused: some read it as octal. */
export function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every(part => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return null;
  return Uint8Array.from(parts, Number);
}

/** 16 bytes, or null. */
export function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split('::').map(groupsToBytes);
  if (halves.length > 2) return null;
  const [head, tail = []] = halves;
  if (head === null || head === undefined || tail === null) return null;
  const length = head.length + tail.length;
  if (halves.length === 1 ? length !== 16 : length > 14) return null;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** `2001:db8` or `0:0:192.0.2.1`; the last group may be an IPv4 address. */
function groupsToBytes(text: string): number[] | null {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    const v4 = i === groups.length - 1 ? parseIpv4(group) : null;
    if (v4 !== null) bytes.push(...v4);
    else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    } else return null;
  }
  return bytes;
}

/** 4 or 16 bytes as text, IPv6 as RFC 5952 writes it. */
export function ipText(b: Uint8Array): string {
  if (b.length === 4) return `${b[0]}.${b[1]}.${b[2]}.${b[3]}`;
  const words: number[] = [];
  for (let i = 0; i < 16; i += 2) words.push((b[i]! << 8) | b[i + 1]!);
  if (words.slice(0, 5).every(w => w === 0)) {
    if (words[5] === 0xffff) return `::ffff:${b.subarray(12).join('.')}`;
    // As inet_ntop(3) writes what was once an IPv4 address (RFC 4291 2.5.5.1).
    if (words[5] === 0 && words[6] !== 0) return `::${b.subarray(12).join('.')}`;
  }
  // RFC 5952 section 4.2: the longest run of two or more zero words becomes `::`, the first one of equals.
  let at = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && words[i + n] === 0) n++;
    if (n > length) {
      at = i;
      length = n;
    }
  }
  const hex = (part: number[]) => part.map(w => w.toString(16)).join(':');
  return at < 0 ? hex(words) : `${hex(words.slice(0, at))}::${hex(words.slice(at + length))}`;
}
