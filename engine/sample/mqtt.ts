/** The first MQTT packets of a connection, CONNECT and CONNACK, of versions 3.1, 3.1.1 and 5.0 (OASIS MQTT 3.1.1, 5.0). */
import { u16 } from './client-hello.ts';
import type { Sample } from './sample.ts';
import { putText } from './text-out.ts';

const TYPES: Readonly<Record<string, number>> = { connect: 1, connack: 2 };
const FIELDS: Readonly<Record<number, readonly string[]>> = {
  1: [
    'flags',
    'protocol_name',
    'protocol_version',
    'client_identifier',
    'will_topic',
    'will_payload',
    'username',
    'password',
    'keepalive',
  ],
  2: ['flags', 'protocol_version', 'reason_code'],
};
const PROPERTIES: Readonly<Record<number, readonly number[]>> = {
  1: [1, 2, 3, 8, 9, 17, 18, 21, 22, 23, 25, 33, 34, 39],
  2: [17, 18, 19, 21, 22, 26, 28, 31, 33, 34, 36, 37, 39, 40, 41, 42],
};
/** How the values of properties are written (5.0, 2.2.2.2): bytes of an integer, or text with its length. */
const BYTE_IDS = [1, 23, 25, 36, 37, 40, 41, 42];
const SHORT_IDS = [19, 33, 34, 35];
const LONG_IDS = [2, 17, 24, 39];
const VARINT_ID = 11;
const PAIR_ID = 38;

function typeOf(text: string): number {
  const known = TYPES[text.toLowerCase()] ?? Number(text);
  return known === 1 || known === 2 ? known : 0;
}

/** What is wrong with the arguments of `mqtt_field_value`. */
export function mqttProblem(type: string, field: string): string | null {
  const number = typeOf(type);
  if (number === 0) return `Unknown MQTT type '${type}'`;
  const known = FIELDS[number]!.includes(field.toLowerCase()) || PROPERTIES[number]!.includes(Number(field));
  return known ? null : `Unknown MQTT field name '${field}' for packet type '${type}'`;
}

/** Fields as slices or numbers; properties by their id. */
type Packet = Map<string | number, number | readonly [number, number]>;

/** Thrown inside this file only: the packet is not whole, or not MQTT. */
class Malformed extends Error {}

/** Takes what is written from left to right. */
class Reader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  skip(length: number): number {
    const from = this.at;
    this.at += length;
    if (this.at > this.end) throw new Malformed();
    return from;
  }

  byte(): number {
    return this.bytes[this.skip(1)]!;
  }

  short(): number {
    return u16(this.bytes, this.skip(2));
  }

  long(): number {
    return this.short() * 65_536 + this.short();
  }

  text(): readonly [number, number] {
    const length = this.short();
    const from = this.skip(length);
    return [from, from + length];
  }

  /** Seven bits in each byte, four bytes at most. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw new Malformed();
  }

  properties(into: Packet): void {
    const length = this.varint();
    const stop = this.at + length;
    if (stop > this.end) throw new Malformed();
    while (this.at < stop) {
      const id = this.byte();
      if (BYTE_IDS.includes(id)) into.set(id, this.byte());
      else if (SHORT_IDS.includes(id)) into.set(id, this.short());
      else if (LONG_IDS.includes(id)) into.set(id, this.long());
      else if (id === VARINT_ID) into.set(id, this.varint());
      else {
        into.set(id, this.text());
        if (id === PAIR_ID) this.text();
      }
    }
  }
}

/** The fields of a whole packet; null = it is none, or not whole. */
export function mqttPacket({ bytes, start, end }: Sample): Packet | null {
  try {
    const reader = new Reader(bytes, start, end);
    const first = reader.byte();
    const length = reader.varint();
    if (reader.at + length !== end) return null;
    if (first === 0x10) return connect(reader);
    return first === 0x20 ? connack(reader, length) : null;
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

function connect(reader: Reader): Packet {
  const packet: Packet = new Map();
  const name = reader.text();
  const version = reader.byte();
  const text = Buffer.from(reader.bytes.subarray(name[0], name[1])).toString('latin1');
  if (!(text === 'MQIsdp' && version === 3) && !(text === 'MQTT' && (version === 4 || version === 5)))
    throw new Malformed();
  const flags = reader.byte();
  if (flags & 1) throw new Malformed();
  packet
    .set('protocol_name', name)
    .set('protocol_version', version)
    .set('flags', flags)
    .set('keepalive', reader.short());
  if (version === 5) reader.properties(packet);
  packet.set('client_identifier', reader.text());
  if (flags & 4) {
    if (version === 5) reader.properties(packet);
    packet.set('will_topic', reader.text()).set('will_payload', reader.text());
  }
  if (flags & 128) packet.set('username', reader.text());
  if (flags & 64) packet.set('password', reader.text());
  if (reader.at !== reader.end) throw new Malformed();
  return packet;
}

function connack(reader: Reader, length: number): Packet {
  const packet: Packet = new Map();
  packet.set('flags', reader.byte()).set('reason_code', reader.byte());
  packet.set('protocol_version', length > 2 ? 5 : 4);
  if (length > 2) reader.properties(packet);
  if (reader.at !== reader.end) throw new Malformed();
  return packet;
}

/** Makes the sample the value of a field; numbers become their digits. */
export function mqttField(sample: Sample, type: string, field: string): boolean {
  const wanted = typeOf(type);
  if (sample.length === 0 || sample.bytes[sample.start]! >> 4 !== wanted) return false;
  const packet = mqttPacket(sample);
  const value = packet?.get(/^\d+$/.test(field) ? Number(field) : field.toLowerCase());
  if (value === undefined) return false;
  if (typeof value !== 'number') return sample.setBin(sample.bytes, value[0], value[1]);
  return putText(sample, String(value)) && sample.setBin(sample.bytes, sample.start, sample.end);
}
