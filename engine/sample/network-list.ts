/**
 * Addresses and networks: two radix trees, in which the longest prefix counts, and a list for masks with holes. An address of
 * one family is also looked for among the patterns of the other (manual 7.1.6): an IPv6 address that holds an IPv4 one by
 * that, an IPv4 address as `::ffff:a.b.c.d`.
 */

import { parseIpv4, parseIpv6 } from '../io/ip.ts';
import { cast } from './cast.ts';
import { Numbers } from './numbers.ts';
import type { PatternSet } from './pattern.ts';
import { Radix } from './radix.ts';
import { IPV4, IPV6, Sample, view } from './sample.ts';

export interface Network {
  readonly address: Uint8Array;
  readonly mask: Uint8Array;
  /** The mask's length; -1 when its ones are not all in front. */
  readonly bits: number;
}

/** `10.0.0.0/8`, `192.168/255.255.0.0`, `2001:db8::/32`; octets in the middle of an IPv4 address may be left out. */
export function parseNetwork(pattern: string): Network | null {
  const [host = '', suffix, more] = pattern.split('/');
  const address = host.includes(':') ? parseIpv6(host) : parseShortIpv4(host);
  if (address === null || more !== undefined) return null;
  const bits = suffix !== undefined && /^\d{1,3}$/.test(suffix) ? Number(suffix) : -1;
  if (bits > address.length * 8) return null;
  if (bits >= 0 || suffix === undefined) {
    const ones = suffix === undefined ? address.length * 8 : bits;
    const mask = address.map((_, i) => 256 - 2 ** (8 - Math.min(Math.max(ones - i * 8, 0), 8)));
    return { address, mask, bits: ones };
  }
  const mask = address.length === 4 ? parseIpv4(suffix) : null;
  return mask === null ? null : { address, mask, bits: prefixBits(mask) };
}

function prefixBits(mask: Uint8Array): number {
  const digits = [...mask].map(byte => byte.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(digits) ? digits.indexOf('0') : -1;
}

/** `10.12` is 10.0.0.12 and `10` is 10.0.0.0: what is left out are the zeros before the last number. */
function parseShortIpv4(text: string): Uint8Array | null {
  const parts = text.split('.');
  if (parts.length === 1) return parseIpv4(`${text}.0.0.0`);
  const last = parts.pop()!;
  while (parts.length < 3) parts.push('0');
  return parseIpv4([...parts, last].join('.'));
}

/** An IPv6 address that stands for one of IPv4 becomes it: `::ffff:a.b.c.d`, `::a.b.c.d`, 2002:a.b.c.d:: (RFC 3056). */
function toIpv4(sample: Sample): boolean {
  const { bytes, start } = sample;
  const sixToFour = bytes[start] === 0x20 && bytes[start + 1] === 0x02;
  if (!sixToFour) for (let i = 0; i < 10; i++) if (bytes[start + i] !== 0) return false;
  const mark = (bytes[start + 10]! << 8) | bytes[start + 11]!;
  if (!sixToFour && mark !== 0 && mark !== 0xffff) return false;
  sample.start = start + (sixToFour ? 2 : 12);
  sample.end = sample.start + 4;
  sample.type = IPV4;
  return true;
}

export class NetworkList implements PatternSet {
  readonly #v4 = new Radix(4);
  readonly #v6 = new Radix(16);
  /** The trees give places in here. */
  readonly #numbers = new Numbers();
  #places = 0;
  #masked: (readonly [Network, number])[] = [];
  readonly #other = new Sample();

  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    const network = parseNetwork(view(bytes).toString('latin1', start, end));
    if (network === null) return;
    if (network.bits < 0) this.#masked.push([network, value]);
    else this.#numbers.add(this.#tree(network).add(network.address, network.bits, this.#places++), value);
  }

  remove(bytes: Uint8Array, start: number, end: number, value: number): void {
    const network = parseNetwork(view(bytes).toString('latin1', start, end));
    if (network === null) return;
    const { address, bits } = network;
    if (bits < 0) this.#masked = this.#masked.filter(([, other]) => other !== value);
    else {
      const tree = this.#tree(network);
      const place = tree.get(address, bits);
      if (place < 0) return;
      this.#numbers.remove(place, value);
      if (this.#numbers.first(place) < 0) tree.remove(address, bits);
    }
  }

  find(sample: Sample): number {
    const found = this.#findExactly(sample);
    if (found >= 0) return found;
    const other = this.#other;
    other.assign(sample);
    const same = sample.type === IPV4 ? cast(other, IPV6) : toIpv4(other);
    return same ? this.#findExactly(other) : -1;
  }

  #tree({ address }: Network): Radix {
    return address.length === 4 ? this.#v4 : this.#v6;
  }

  #findExactly({ type, bytes, start, end }: Sample): number {
    const place = (type === IPV4 ? this.#v4 : this.#v6).find(bytes, start);
    if (place >= 0) return this.#numbers.first(place);
    for (const [{ address, mask }, value] of this.#masked) {
      if (address.length === end - start && address.every((b, i) => ((b ^ bytes[start + i]!) & mask[i]!) === 0))
        return value;
    }
    return -1;
  }
}
