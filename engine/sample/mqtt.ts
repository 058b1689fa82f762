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
/** How the value of a property is written (5.0, 2.2.2.2): an integer of so many bytes, bytes behind their length, or two of these. */
type Form = 'flag' | 1 | 2 | 4 | 'text' | 'pair';
type Properties = Readonly<Record<number, Form>>;
const USER_PROPERTY = 38;
const OF_CONNECT: Properties = {
  17: 4,
  21: 'text',
  22: 'text',
  23: 'flag',
  25: 'flag',
  33: 2,
  34: 2,
  [USER_PROPERTY]: 'pair',
  39: 4,
};
const WILL_DELAY = 24;
const OF_WILL: Properties = {
  1: 'flag',
  2: 4,
  3: 'text',
  8: 'text',
  9: 'text',
  [WILL_DELAY]: 4,
  [USER_PROPERTY]: 'pair',
};
const OF_CONNACK: Properties = {
  17: 4,
  18: 'text',
  19: 2,
  21: 'text',
  22: 'text',
  26: 'text',
  28: 'text',
  31: 'text',
  33: 2,
  34: 2,
  36: 'flag',
  37: 'flag',
  [USER_PROPERTY]: 'pair',
  39: 4,
  40: 'flag',
  41: 'flag',
  42: 'flag',
};
const PROPERTIES: Readonly<Record<number, Properties>> = { 1: { ...OF_CONNECT, ...OF_WILL }, 2: OF_CONNACK };

function typeOf(text: string): number {
  const known = TYPES[text.toLowerCase()] ?? Number(text);
  return known === 1 || known === 2 ? known : 0;
}

/** The id of a property, else a field's name in lower case. HAProxy's manual calls the will's delay 18, MQTT calls it 24. */
function keyOf(type: number, field: string): string | number {
  if (!/^\d+$/.test(field)) return field.toLowerCase();
  return type === 1 && Number(field) === 18 ? WILL_DELAY : Number(field);
}

/** What is wrong with the arguments of `mqtt_field_value`. */
export function mqttProblem(type: string, field: string): string | null {
  const number = typeOf(type);
  if (number === 0) return `Unknown MQTT type '${type}'`;
  const key = keyOf(number, field);
  const known =
    typeof key === 'string' ? FIELDS[number]!.includes(key) : key !== USER_PROPERTY && key in PROPERTIES[number]!;
  return known ? null : `Unknown MQTT field name '${field}' for packet type '${type}'`;
}

/** Fields as slices or numbers; properties by their id. */
type Packet = Map<string | number, number | readonly [number, number]>;

/** Thrown inside this file only: it is not MQTT. */
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

  /** Those of one list, each at most once but for the user's; integers that are not there are 0. */
  properties(known: Properties, into: Packet): void {
    for (const [id, form] of Object.entries(known)) if (form !== 'text' && form !== 'pair') into.set(Number(id), 0);
    const stop = this.varint() + this.at;
    if (stop > this.end) throw new Malformed();
    const seen = new Set<number>();
    while (this.at < stop) {
      const id = this.byte();
      const form = known[id];
      if (form === undefined || (seen.has(id) && id !== USER_PROPERTY)) throw new Malformed();
      seen.add(id);
      into.set(id, this.#value(form));
    }
    if (this.at !== stop) throw new Malformed();
  }

  #value(form: Form): number | readonly [number, number] {
    if (form === 'flag') return this.#flag();
    if (form === 1) return this.byte();
    if (form === 2) return this.short();
    if (form === 4) return this.long();
    if (form === 'pair') this.text();
    return this.text();
  }

  #flag(): number {
    const value = this.byte();
    if (value > 1) throw new Malformed();
    return value;
  }
}

/** The fields of the first packet; null = it is none, or not whole yet: then `mayChange` is set. */
export function mqttPacket(sample: Sample): Packet | null {
  const { bytes, start, end } = sample;
  const first = bytes[start];
  const known = first === 0x10 || first === 0x20;
  sample.mayChange = end - start < 2 || (known && headEnd(bytes, start, end) > end);
  if (sample.mayChange || !known) return null;
  try {
    const reader = new Reader(bytes, start + 1, end);
    const length = reader.varint();
    sample.mayChange = reader.at + length > end;
    if (sample.mayChange) return null;
    const body = new Reader(bytes, reader.at, reader.at + length);
    return first === 0x10 ? connect(body) : connack(body, length);
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

/** Where the type and the length end, beyond `end` when they are not all there. */
function headEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start + 1;
  while (at < end && bytes[at]! >= 128 && at < start + 4) at++;
  return at + 1;
}

function connect(reader: Reader): Packet {
  const packet: Packet = new Map();
  const name = reader.text();
  const version = reader.byte();
  const text = Buffer.from(reader.bytes.subarray(name[0], name[1])).toString('latin1').toLowerCase();
  if ((text !== 'mqisdp' && text !== 'mqtt') || version < 3 || version > 5) throw new Malformed();
  const flags = reader.byte();
  if (flags & 1) throw new Malformed();
  packet
    .set('protocol_name', name)
    .set('protocol_version', version)
    .set('flags', flags)
    .set('keepalive', reader.short());
  if (version === 5) reader.properties(OF_CONNECT, packet);
  packet.set('client_identifier', reader.text());
  if (flags & 4) {
    if (version === 5) reader.properties(OF_WILL, packet);
    packet.set('will_topic', reader.text()).set('will_payload', reader.text());
  }
  if (flags & 128) packet.set('username', reader.text());
  if (flags & 64) packet.set('password', reader.text());
  if (reader.at !== reader.end) throw new Malformed();
  return packet;
}

function connack(reader: Reader, length: number): Packet {
  const packet: Packet = new Map();
  const flags = reader.byte();
  if (flags > 1) throw new Malformed();
  packet.set('flags', flags).set('reason_code', reader.byte());
  packet.set('protocol_version', length > 2 ? 5 : 4);
  if (length > 2) reader.properties(OF_CONNACK, packet);
  if (reader.at !== reader.end) throw new Malformed();
  return packet;
}

/** Makes the sample the value of a field; numbers become their digits, and an empty text is nothing. */
export function mqttField(sample: Sample, type: string, field: string): boolean {
  const wanted = typeOf(type);
  const packet = mqttPacket(sample);
  if (packet === null || sample.bytes[sample.start]! >> 4 !== wanted) return false;
  const value = packet.get(keyOf(wanted, field));
  if (value === undefined) return false;
  if (typeof value !== 'number') return value[1] > value[0] && sample.setBin(sample.bytes, value[0], value[1]);
  return putText(sample, String(value)) && sample.setBin(sample.bytes, sample.start, sample.end);
}
