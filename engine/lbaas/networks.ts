/** The networks that load balancers have addresses in: what a Neutron would know, from the command line. */
import { createHash } from 'node:crypto';
import { parseIp } from '../io/address.ts';
import { ipText } from '../io/ip.ts';

export interface Subnet {
  readonly id: string;
  readonly name: string;
  readonly cidr: string;
  readonly networkId: string;
  /** First address and length of the prefix, in bits. */
  readonly base: Uint8Array;
  readonly prefix: number;
}

/** Addresses below this one are for routers and the like. */
const FIRST_HOST = 10;

/** The same name gives the same id: clients keep ids. A version 5 UUID in form. */
export function stableId(name: string): string {
  const hex = createHash('sha1').update(`sluice ${name}`).digest('hex');
  const variant = ((Number.parseInt(hex[16]!, 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-');
}

/** `NAME=CIDR`; null when it is none. */
export function parseSubnet(text: string): Subnet | null {
  const [, name, cidr] = /^([\w.-]{1,64})=(.+)$/.exec(text) ?? [];
  const range = parseCidr(cidr ?? '');
  if (name === undefined || range === null) return null;
  return { id: stableId(`subnet ${name}`), name, cidr: cidr!, networkId: stableId(`network ${name}`), ...range };
}

/** `10.0.0.0/8`, `fd00::/64`, or an address alone. */
export function parseCidr(text: string): { base: Uint8Array; prefix: number } | null {
  const [, host, length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = parseIp(host ?? '', 0);
  if (address === null || host!.includes('%')) return null;
  const bits = address.bytes.length * 8;
  const prefix = length === undefined ? bits : Number(length);
  return prefix > bits ? null : { base: address.bytes, prefix };
}

export function contains({ base, prefix }: { base: Uint8Array; prefix: number }, ip: string): boolean {
  const address = parseIp(ip, 0);
  if (address === null || address.bytes.length !== base.length) return false;
  const shift = BigInt(base.length * 8 - prefix);
  return number(address.bytes) >> shift === number(base) >> shift;
}

/** The first free address of the subnet; null when there is none. */
export function allocate(subnet: Subnet, isUsed: (ip: string) => boolean): string | null {
  const bits = subnet.base.length * 8 - subnet.prefix;
  // A subnet may be larger than anyone will ever fill; the last address is the broadcast's.
  const hosts = Math.min(2 ** bits - 1, 2 ** 20);
  for (let host = Math.min(FIRST_HOST, hosts - 1); host < hosts; host++) {
    const ip = ipText(
      bytes(((number(subnet.base) >> BigInt(bits)) << BigInt(bits)) + BigInt(host), subnet.base.length),
    );
    if (!isUsed(ip)) return ip;
  }
  return null;
}

function number(address: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(address).toString('hex')}`);
}

function bytes(value: bigint, length: number): Uint8Array {
  return Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex');
}
