/** An address in a header: an IPv4 address with or without a port, an IPv6 address with or without brackets (and port). */
import { parseIpv4, parseIpv6 } from '../io/ip.ts';
import type { Sample } from './sample.ts';

/** Makes the text of the sample an address; false when it is none. */
export function headerIp(out: Sample): boolean {
  if (out.length > 80) return false;
  const text = out.text();
  const [, bracketed, v6port] = /^\[([0-9A-Fa-f:.]+)\](?::(\d{1,5}))?$/.exec(text) ?? [];
  if (bracketed !== undefined) {
    const bytes = Number(v6port ?? 0) > 65_535 ? null : parseIpv6(bracketed);
    return bytes !== null && out.setIp(bytes);
  }
  const [, v4, port] = /^([\d.]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const bytes = v4 === undefined ? parseIpv6(text) : Number(port ?? 0) > 65_535 ? null : parseIpv4(v4);
  return bytes !== null && out.setIp(bytes);
}
