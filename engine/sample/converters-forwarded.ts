/** Converters of the Forwarded header (RFC 7239). */
import { parseIpv4, parseIpv6 } from '../io/ip.ts';
import type { Args } from './arguments.ts';
import type { Convert } from './context.ts';
import { writeIp } from './ip-text.ts';
import { type ConverterRow, converter, plainConverter } from './row.ts';
import { IPV4, IPV6, type Sample, SINT } from './sample.ts';
import { room, SCRATCH } from './scratch.ts';
import { putText } from './text-out.ts';

const FIELDS = ['proto', 'host', 'for', 'by'] as const;
type Field = (typeof FIELDS)[number];

/** One parameter: token=value, the value a token or quoted. */
const PAIR = /[ \t]*([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([\w!#$%&'*+\-.^`|~]+))/y;
const OBFUSCATED = /^_[\w.-]+$/;

/** The parameters of the first element; null = not what RFC 7239 says, or not what HAProxy takes. */
function parse(text: string): Partial<Record<Field, string>> | null {
  const found: Partial<Record<Field, string>> = {};
  PAIR.lastIndex = 0;
  for (;;) {
    const pair = PAIR.exec(text);
    if (pair === null) return null;
    const name = pair[1]!.toLowerCase() as Field;
    const value = pair[2]?.replace(/\\(.)/g, '$1') ?? pair[3]!;
    if (!FIELDS.includes(name) || Object.hasOwn(found, name) || !isValid(name, value)) return null;
    found[name] = value;
    const next = text[PAIR.lastIndex];
    if (next === undefined) return found;
    if (next !== ';') return null;
    PAIR.lastIndex++;
  }
}

function isValid(name: Field, value: string): boolean {
  if (name === 'proto') return value === 'http' || value === 'https';
  if (name === 'host') return /^(?:\[[0-9A-Fa-f:.]+\]|[\w\-.~%!$&'()*+,;=]+)(?::\d{1,5})?$/.test(value);
  return parseNode(value) !== null;
}

interface Node {
  /** Bytes of an address, or `unknown`, or an identifier with its underscore. */
  readonly name: Uint8Array | string;
  readonly port: number | string | null;
}

/** node = name [ ":" port ], an IPv6 address in brackets (RFC 7239 6). */
function parseNode(text: string): Node | null {
  const [, v6, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}|_[\w.-]+))?$/.exec(text) ?? [];
  if (v6 === undefined && plain === undefined) return null;
  const address = v6 !== undefined ? parseIpv6(v6) : parseIpv4(plain!);
  const known = plain === 'unknown' || OBFUSCATED.test(plain ?? '');
  if (address === null && !known) return null;
  const number = port === undefined ? null : port.startsWith('_') ? port : Number(port);
  return typeof number === 'number' && number > 65_535 ? null : { name: address ?? plain!, port: number };
}

function field(args: Args): Convert {
  const name = args.text(0) as Field;
  return sample => {
    const value = parse(sample.text())?.[name];
    return value !== undefined && putText(sample, value);
  };
}

function nodeName(sample: Sample): boolean {
  const node = parseNode(sample.text());
  if (node === null) return false;
  return typeof node.name === 'string' ? putText(sample, node.name) : sample.setIp(node.name);
}

function nodePort(sample: Sample): boolean {
  const port = parseNode(sample.text())?.port ?? null;
  if (port === null) return false;
  return typeof port === 'string' ? putText(sample, port) : sample.setInt(port);
}

/** An address as a node name, IPv6 in brackets; text becomes an identifier. */
function toName(sample: Sample): boolean {
  if (sample.type === IPV4 || sample.type === IPV6) {
    const ipv4 = sample.type === IPV4;
    const at = room();
    const text = SCRATCH.toString('latin1', at, writeIp(sample.bytes, sample.start, sample.end, SCRATCH, at));
    return putText(sample, ipv4 ? text : `[${text}]`);
  }
  const text = sample.text();
  if (text === '') return putText(sample, 'unknown');
  return /^[\w.-]+$/.test(text) && putText(sample, `_${text}`);
}

function toPort(sample: Sample): boolean {
  if (sample.type === SINT) return sample.int >= 0 && sample.int <= 65_535 && putText(sample, String(sample.int));
  const text = sample.text();
  return /^[\w.-]+$/.test(text) && putText(sample, `_${text}`);
}

export const FORWARDED_CONVERTERS: readonly ConverterRow[] = [
  converter('rfc7239_field', 'field:str', 'str', 'str', 'A parameter of a Forwarded header.', field, {
    check: args => ((FIELDS as readonly unknown[]).includes(args[0]) ? null : `invalid rfc header option: ${args[0]}`),
    good: FIELDS.map(name => `rfc7239_field(${name})`),
    bad: [['rfc7239_field(x)', "invalid args in converter 'rfc7239_field' : invalid rfc header option: x"]],
  }),
  plainConverter('rfc7239_is_valid', 'str', 'bool', 'It is a valid Forwarded header.', s =>
    s.setBool(parse(s.text()) !== null),
  ),
  plainConverter('rfc7239_n2nn', 'str', 'any', 'The name of a node.', nodeName),
  plainConverter('rfc7239_n2np', 'str', 'any', 'The port of a node.', nodePort),
  plainConverter('rfc7239_nn', 'any', 'str', 'A name for a node.', toName),
  plainConverter('rfc7239_np', 'any', 'str', 'A port for a node.', toPort),
];
