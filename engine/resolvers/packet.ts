/**
 * DNS messages: questions out, answers in (RFC 1035, 2782, 6891). The library decodes; what is believed of an answer is
 * decided here. Whatever a server sends, the result is plain, bounded data.
 */
import dnsPacket, { type Answer, type DecodedPacket } from 'dns-packet';
import { parseIp } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { ANSWER_RECORDS_MAX } from '../limits.ts';

export type QueryType = 'A' | 'AAAA' | 'SRV';

export interface Question {
  readonly type: QueryType;
  readonly name: string;
}

/** An address of the name (port 0), or a host that serves it. */
export type DnsRecord = AddressRecord | ServiceRecord;

interface AddressRecord {
  readonly address: Address;
}

export interface ServiceRecord {
  /** In lower case, without a dot at the end. */
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  readonly priority: number;
  /** What the additional section said of the host; null = nothing. */
  readonly address: Address | null;
}

/** Why an answer gives no records; `empty`: the name is there, but has none of that type. */
export type Failure = 'nx' | 'refused' | 'empty' | 'cnameError' | 'other' | 'invalid' | 'truncated';

export type Answered =
  | { readonly status: 'valid'; readonly records: readonly DnsRecord[]; readonly aliased: boolean }
  | { readonly status: Failure };

const RECURSION_DESIRED = 0x100;
const TRUNCATED = 0x200;
const OPCODE = 0x7800;
const RCODE = 0xf;
const REFUSALS: Readonly<Record<number, Failure>> = { 3: 'nx', 5: 'refused' };
/** RFC 1035 2.3.4, and the letters that host names and service names have. */
const NAME = /^(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*$/;
/** Aliases that lead to another one; a longer chain is taken for a loop. */
const ALIASES_MAX = 16;

/** A name that can be asked for, in lower case and without the dot at its end; null when it is none. */
export function queryName(text: string): string | null {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  return NAME.test(name) ? name.toLowerCase() : null;
}

/** The query, without the two bytes of its length that go before it over TCP. */
export function encodeQuery(id: number, { type, name }: Question, payloadBytes: number): Uint8Array {
  return dnsPacket.encode({
    ...{ type: 'query', id, flags: RECURSION_DESIRED, questions: [{ type, name, class: 'IN' }] },
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: payloadBytes,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
}

/** The id of a message; -1 when it is too short to have one. */
export function idOf(bytes: Uint8Array): number {
  return bytes.length < 2 ? -1 : (bytes[0]! << 8) | bytes[1]!;
}

/** What the answer to `question` says. Its id is the caller's business. */
export function decodeAnswer(bytes: Uint8Array, question: Question): Answered {
  let packet: DecodedPacket;
  try {
    packet = dnsPacket.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch {
    return { status: 'invalid' };
  }
  if (!answers(packet, question)) return { status: 'invalid' };
  const flags = packet.flags ?? 0;
  if (flags & TRUNCATED) return { status: 'truncated' };
  const rcode = flags & RCODE;
  if (rcode !== 0) return { status: REFUSALS[rcode] ?? 'other' };
  return question.type === 'SRV' ? services(packet, question) : addresses(packet, question);
}

/** It is a response to this very question. */
function answers({ type, flags = 0, questions }: DecodedPacket, asked: Question): boolean {
  const [question] = questions ?? [];
  if (type !== 'response' || (flags & OPCODE) !== 0 || question === undefined || questions!.length > 1) return false;
  return question.type === asked.type && question.class === 'IN' && question.name.toLowerCase() === asked.name;
}

/** Those of a section that are of the internet, at most ANSWER_RECORDS_MAX. */
function recordsOf(section: readonly Answer[] | undefined): readonly Answer[] {
  const ours = (section ?? []).filter(record => !('class' in record) || record.class === 'IN');
  return ours.slice(0, ANSWER_RECORDS_MAX);
}

/** The addresses of the name, or of what it is an alias for. */
function addresses(packet: DecodedPacket, { type, name }: Question): Answered {
  const records = recordsOf(packet.answers);
  const aliases = new Map(
    records.flatMap(record =>
      record.type === 'CNAME' ? [[record.name.toLowerCase(), record.data.toLowerCase()]] : [],
    ),
  );
  let owner = name;
  for (let hops = 0; aliases.has(owner); hops++) {
    if (hops === ALIASES_MAX) return { status: 'cnameError' };
    owner = aliases.get(owner)!;
  }
  const found = records.flatMap(record => {
    const address = record.type === type && record.name.toLowerCase() === owner ? addressOf(record) : null;
    return address === null ? [] : [{ address }];
  });
  return found.length === 0 ? { status: 'empty' } : { status: 'valid', records: found, aliased: owner !== name };
}

function addressOf(record: Answer): Address | null {
  return record.type === 'A' || record.type === 'AAAA' ? parseIp(record.data, 0) : null;
}

function services(packet: DecodedPacket, { name }: Question): Answered {
  const hosts = new Map<string, Address>();
  for (const record of recordsOf(packet.additionals)) {
    const address = addressOf(record);
    if (address !== null && !hosts.has(record.name.toLowerCase())) hosts.set(record.name.toLowerCase(), address);
  }
  const found: ServiceRecord[] = [];
  for (const record of recordsOf(packet.answers)) {
    if (record.type !== 'SRV' || record.name.toLowerCase() !== name) continue;
    const { target, port = 0, weight = 0, priority = 0 } = record.data;
    // A target of `.` says that there is no such service (RFC 2782).
    const host = queryName(target);
    if (host === null || found.some(other => other.host === host && other.port === port)) continue;
    found.push({ host, port, weight, priority, address: hosts.get(host) ?? null });
  }
  return found.length === 0 ? { status: 'empty' } : { status: 'valid', records: found, aliased: false };
}
