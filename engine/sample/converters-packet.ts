/**
 * Converters of captured packets (manual 7.3.1): an Ethernet frame (IEEE 802.3), the IP header in it (RFC 791, RFC 8200), the TCP
 * header in that (RFC 9293). Each takes the bytes from its own header on.
 */
import type { Args } from './arguments.ts';
import { u16 } from './client-hello.ts';
import type { Convert } from './context.ts';
import { type ConverterRow, converter, plainConverter } from './row.ts';
import type { Sample, TypeName } from './sample.ts';
import { give, room, SCRATCH } from './scratch.ts';

const ETH_VLAN = 0x8100;
const ETH_QINQ = 0x88a8;

/** Bytes of an Ethernet header with its VLAN tags; -1 = too short. */
function ethLength({ bytes, start, end }: Sample): number {
  let at = start + 12;
  while (at + 2 <= end && (u16(bytes, at) === ETH_VLAN || u16(bytes, at) === ETH_QINQ)) at += 4;
  return at + 2 <= end ? at + 2 - start : -1;
}

function vlan(sample: Sample): boolean {
  const length = ethLength(sample);
  return length >= 18 && sample.setInt(u16(sample.bytes, sample.start + length - 4) & 0xfff);
}

/** A slice of an Ethernet header. */
function eth(from: number, to: number): Convert {
  return sample => sample.length >= to && sample.setBin(sample.bytes, sample.start + from, sample.start + to);
}

/** An IP header, found once per conversion. */
class Ip {
  version = 0;
  /** Bytes before the transport's header, extension headers of IPv6 included. */
  length = 0;
  protocol = 0;

  read({ bytes, start, end }: Sample): boolean {
    this.version = end > start ? bytes[start]! >> 4 : 0;
    if (this.version === 4) {
      this.length = (bytes[start]! & 15) * 4;
      this.protocol = bytes[start + 9]!;
      return this.length >= 20 && start + this.length <= end;
    }
    return this.version === 6 && start + 40 <= end && this.#extensions(bytes, start, end);
  }

  /** Hop-by-hop, routing, fragment and destination options stand before the transport's header. */
  #extensions(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start + 40;
    let next = bytes[start + 6]!;
    while (next === 0 || next === 43 || next === 44 || next === 60) {
      if (at + 8 > end) return false;
      const length = next === 44 ? 8 : (bytes[at + 1]! + 1) * 8;
      next = bytes[at]!;
      at += length;
    }
    this.length = at - start;
    this.protocol = next;
    return at <= end;
  }
}

const ip = new Ip();

function ofIp(
  name: string,
  doc: string,
  read: (bytes: Uint8Array, start: number, v4: boolean) => number,
): ConverterRow {
  return plainConverter(name, 'bin', 'sint', doc, sample => {
    return ip.read(sample) && sample.setInt(read(sample.bytes, sample.start, ip.version === 4));
  });
}

function ipAddress(name: string, doc: string, at4: number, at6: number): ConverterRow {
  return plainConverter(name, 'bin', 'addr', doc, sample => {
    if (!ip.read(sample)) return false;
    const from = sample.start + (ip.version === 4 ? at4 : at6);
    return sample.setIp(sample.bytes.subarray(from, from + (ip.version === 4 ? 4 : 16)));
  });
}

const dontFragment = (b: Uint8Array, s: number, v4: boolean): number => (v4 ? (b[s + 6]! >> 6) & 1 : 1);
const typeOfService = (b: Uint8Array, s: number, v4: boolean): number => (v4 ? b[s + 1]! : (u16(b, s) >> 4) & 255);
const timeToLive = (b: Uint8Array, s: number, v4: boolean): number => (v4 ? b[s + 8]! : b[s + 7]!);

const OPT_MSS = 2;
const OPT_WSCALE = 3;
const OPT_SACK = 4;
const OPT_TIMESTAMP = 8;

/** Bytes of a TCP header; 0 = it is not whole. */
function tcpLength(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 20) return 0;
  const length = (bytes[start + 12]! >> 4) * 4;
  return length >= 20 && start + length <= end ? length : 0;
}

/** Where the option of that kind is; -1 = it is not there. 0 and 1 are single bytes, the others have a length. */
function tcpOption(bytes: Uint8Array, start: number, length: number, kind: number): number {
  for (let at = start + 20; at < start + length && bytes[at] !== 0; ) {
    if (bytes[at] === kind) return at;
    const size = bytes[at] === 1 ? 1 : bytes[at + 1]!;
    if (size < 1 || (bytes[at] !== 1 && size < 2)) return -1;
    at += size;
  }
  return -1;
}

type ReadTcp = (bytes: Buffer, start: number, length: number) => number;

/** A number of a TCP header; NaN = there is none. */
function ofTcp(name: string, doc: string, read: ReadTcp): ConverterRow {
  return plainConverter(name, 'bin', 'sint', doc, sample => {
    const { bytes, start, end } = sample;
    const length = tcpLength(bytes, start, end);
    if (length === 0) return false;
    const value = read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), start, length);
    return !Number.isNaN(value) && sample.setInt(value);
  });
}

function option(kind: number, read: (bytes: Buffer, at: number) => number, otherwise: number): ReadTcp {
  return (bytes, start, length) => {
    const at = tcpOption(bytes, start, length, kind);
    return at < 0 ? otherwise : read(bytes, at);
  };
}

const mss = option(OPT_MSS, (b, at) => u16(b, at + 2), 0);
const scale = option(OPT_WSCALE, (b, at) => b[at + 2]!, 0);
const hasScale = option(OPT_WSCALE, () => 1, 0);

/** Writes the kinds of all options, in order; returns where they end. */
function writeKinds(bytes: Uint8Array, start: number, length: number, to: number): number {
  let out = to;
  for (let at = start + 20; at < start + length && bytes[at] !== 0; ) {
    SCRATCH[out++] = bytes[at]!;
    const size = bytes[at] === 1 ? 1 : bytes[at + 1]!;
    if (size < 1) break;
    at += size;
  }
  return out;
}

/** What hardly changes between the packets of one host: the layout is the manual's, `ip.fp`. */
function fingerprint(args: Args): Convert {
  const mode = args.int(0);
  return sample => {
    if (!ip.read(sample) || ip.protocol !== 6) return false;
    const { start, end } = sample;
    const bytes = Buffer.from(sample.bytes.buffer, sample.bytes.byteOffset, sample.bytes.length);
    const v4 = ip.version === 4;
    const tcp = start + ip.length;
    const length = tcpLength(bytes, tcp, end);
    if (length === 0) return false;
    const ttl = timeToLive(bytes, start, v4);
    const at = room();
    const kinds = writeKinds(bytes, tcp, length, at) - at;
    let seen = 0;
    for (let i = at; i < at + kinds; i++) seen |= SCRATCH[i]! > 8 ? 128 : SCRATCH[i]! >= 2 ? 1 << (SCRATCH[i]! - 2) : 0;
    const options = ip.length > (v4 ? 20 : 40);
    const flags = bytes[tcp + 13]! >> 6;
    const hops = ttl <= 32 ? 0 : ttl <= 64 ? 1 : ttl <= 128 ? 2 : 3;
    SCRATCH[at] = typeOfService(bytes, start, v4);
    SCRATCH[at + 1] =
      (v4 ? 0 : 128) |
      (dontFragment(bytes, start, v4) << 6) |
      (hops << 4) |
      (options ? 8 : 0) |
      (tcp + length < end ? 4 : 0) |
      flags;
    SCRATCH[at + 2] =
      ((length / 4) << 4) | (hasScale(bytes, tcp, length) ? Math.min(scale(bytes, tcp, length) + 1, 15) : 0);
    SCRATCH.writeUInt16BE(u16(bytes, tcp + 14), at + 3);
    SCRATCH.writeUInt16BE(mss(bytes, tcp, length), at + 5);
    SCRATCH[at + 7] = seen;
    let to = at + 8;
    if (mode & 1) SCRATCH[to++] = ttl;
    if (mode & 2) to = writeKinds(bytes, tcp, length, to);
    if (mode & 4) to += bytes.copy(SCRATCH, to, start + (v4 ? 12 : 8), start + (v4 ? 16 : 24));
    give(to);
    return sample.setBin(SCRATCH, at, to);
  };
}

/** Without a header, or only the header. */
function slice(name: string, doc: string, cut: (sample: Sample) => number, rest: boolean): ConverterRow {
  const out: TypeName = 'bin';
  return plainConverter(name, 'bin', out, doc, sample => {
    const length = cut(sample);
    if (length < 0) return false;
    const at = sample.start + length;
    return rest ? sample.setBin(sample.bytes, at, sample.end) : sample.setBin(sample.bytes, sample.start, at);
  });
}

const ipLength = (sample: Sample): number => (ip.read(sample) ? ip.length : -1);

export const PACKET_CONVERTERS: readonly ConverterRow[] = [
  plainConverter('eth.dst', 'bin', 'bin', 'Destination of an Ethernet frame.', eth(0, 6)),
  plainConverter('eth.src', 'bin', 'bin', 'Source of an Ethernet frame.', eth(6, 12)),
  slice('eth.hdr', 'Header of an Ethernet frame.', ethLength, false),
  slice('eth.data', 'What an Ethernet frame carries.', ethLength, true),
  plainConverter('eth.proto', 'bin', 'sint', 'Protocol that an Ethernet frame carries.', sample => {
    const length = ethLength(sample);
    return length > 0 && sample.setInt(u16(sample.bytes, sample.start + length - 2));
  }),
  plainConverter('eth.vlan', 'bin', 'sint', 'Last VLAN of an Ethernet frame.', vlan),
  slice('ip.hdr', 'The IP header.', ipLength, false),
  slice('ip.data', 'What an IP packet carries.', ipLength, true),
  ofIp('ip.ver', 'Version of IP.', (_, __, v4) => (v4 ? 4 : 6)),
  ofIp('ip.df', 'The packet must not be fragmented.', dontFragment),
  ofIp('ip.tos', 'Type of service.', typeOfService),
  ofIp('ip.ttl', 'Time to live.', timeToLive),
  ofIp('ip.proto', 'Protocol that the packet carries.', () => ip.protocol),
  ipAddress('ip.src', 'Source of the packet.', 12, 8),
  ipAddress('ip.dst', 'Destination of the packet.', 16, 24),
  converter('ip.fp', '[mode:int]', 'bin', 'bin', 'A fingerprint of the host that sent a SYN.', fingerprint),
  ofTcp('tcp.src', 'Source port.', (b, s) => u16(b, s)),
  ofTcp('tcp.dst', 'Destination port.', (b, s) => u16(b, s + 2)),
  ofTcp('tcp.seq', 'Sequence number.', (b, s) => b.readUInt32BE(s + 4)),
  ofTcp('tcp.flags', 'Flags.', (b, s) => b[s + 13]!),
  ofTcp('tcp.win', 'Window.', (b, s) => u16(b, s + 14)),
  ofTcp('tcp.options.mss', 'Maximum segment size.', mss),
  ofTcp('tcp.options.wscale', 'Window scale.', scale),
  ofTcp('tcp.options.wsopt', 'Whether there is a window scale.', hasScale),
  ofTcp(
    'tcp.options.sack',
    'Whether selective acknowledgements are permitted.',
    option(OPT_SACK, () => 1, 0),
  ),
  ofTcp(
    'tcp.options.tsopt',
    'Whether there is a timestamp.',
    option(OPT_TIMESTAMP, () => 1, 0),
  ),
  ofTcp(
    'tcp.options.tsval',
    'The timestamp.',
    option(OPT_TIMESTAMP, (b, at) => b.readUInt32BE(at + 2), Number.NaN),
  ),
  plainConverter('tcp.options_list', 'bin', 'bin', 'The kinds of all options.', sample => {
    const length = tcpLength(sample.bytes, sample.start, sample.end);
    if (length === 0) return false;
    const at = room();
    const end = writeKinds(sample.bytes, sample.start, length, at);
    give(end);
    return sample.setBin(SCRATCH, at, end);
  }),
];
