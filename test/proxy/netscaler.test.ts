/** NetScaler's client IP insertion: what is a header, what is none, and what becomes of the connections. */

import { beforeEach, describe, expect, test } from 'vitest';
import { addressText } from '../../engine/io/address.ts';
import { type CipHeader, parseCip } from '../../engine/proxy/netscaler.ts';
import { start } from '../log/world.ts';
import fc from '../properties.ts';
import { needsKernel } from './network.ts';

const MAGIC = 0x4e534349;

const words = (...of: (readonly [value: number, bytes: number])[]): Buffer =>
  Buffer.concat(of.map(([value, bytes]) => Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex')));

/** 192.0.2.1 to 198.51.100.2. */
function ipv4({ protocol = 6, words: length = 5, version = 4 } = {}): Buffer {
  const bytes = Buffer.alloc(Math.max(length * 4, 20), 1);
  bytes.set([(version << 4) | length]);
  bytes.set([protocol], 9);
  bytes.set([192, 0, 2, 1, 198, 51, 100, 2], 12);
  return bytes;
}

/** 2001:db8::1 to 2001:db8::2. */
function ipv6(protocol = 6): Buffer {
  const start = words([0x60000000, 4], [20, 2], [protocol, 1], [64, 1]);
  const address = (last: number) => words([0x20010db8, 4], [0, 10], [last, 2]);
  return Buffer.concat([start, address(1), address(2)]);
}

const TCP = Buffer.concat([words([1234, 2], [443, 2]), Buffer.alloc(16, 80)]);

function legacy(ip: Buffer, length = ip.length + 20, magic = MAGIC): Buffer {
  return Buffer.concat([words([magic, 4], [length, 4]), ip, TCP]);
}

function standard(ip: Buffer, length = ip.length + 20, type = 1): Buffer {
  return Buffer.concat([words([MAGIC, 4], [ip.length + 32, 4], [type, 2], [length, 2]), ip, TCP]);
}

const GOOD: readonly (readonly [name: string, header: Buffer, source: string])[] = [
  ['legacy, IPv4', legacy(ipv4()), '192.0.2.1:1234'],
  ['legacy, IPv6', legacy(ipv6()), '2001:db8::1:1234'],
  ['standard, IPv4', standard(ipv4()), '192.0.2.1:1234'],
  ['standard, IPv6', standard(ipv6()), '2001:db8::1:1234'],
  ['options of IP', standard(ipv4({ words: 15 })), '192.0.2.1:1234'],
  ['options of TCP', Buffer.concat([standard(ipv4(), 44), Buffer.alloc(4)]), '192.0.2.1:1234'],
];

const BAD: readonly (readonly [name: string, bytes: Buffer, error: string])[] = [
  ['another magic number', legacy(ipv4(), 40, 1), 'CIP_BAD_MAGIC'],
  ['no IP', legacy(ipv4({ version: 5 })), 'CIP_BAD_PROTO'],
  ['no IP', standard(ipv4({ version: 5 })), 'CIP_BAD_PROTO'],
  ['an unknown type', standard(ipv4(), 40, 0x100), 'CIP_BAD_PROTO'],
  ['UDP', standard(ipv4({ protocol: 17 })), 'CIP_BAD_PROTO'],
  ['UDP over IPv6', legacy(ipv6(17)), 'CIP_BAD_PROTO'],
  ['an IP header without room for itself', standard(ipv4({ words: 4 })), 'CIP_BAD_PROTO'],
  ['a length without room for IP', legacy(ipv4(), 12), 'CIP_TRUNCATED'],
  ['a length without room for TCP', standard(ipv4(), 30), 'CIP_TRUNCATED'],
  ['nothing behind the length', standard(ipv4(), 0), 'CIP_TRUNCATED'],
  ['more than anybody sends', legacy(ipv4(), 0x8000_0000), 'CIP_TRUNCATED'],
];

describe('a header', () => {
  test.each(GOOD)('%s: is read when it is there, not before', (_, header, source) => {
    for (let end = 0; end < header.length; end++) expect(parseCip(header, end, MAGIC)).toBe('more');
    const parsed = parseCip(Buffer.concat([header, Buffer.from('GET')]), header.length + 3, MAGIC) as CipHeader;
    expect(parsed.length).toBe(header.length);
    expect(`${addressText(parsed.source)}:${parsed.source.port}`).toContain(source.replace(/:1234$/, ''));
    expect([parsed.source.port, parsed.destination.port]).toEqual([1234, 443]);
    expect(parsed.destination.bytes.at(-1)).toBe(2);
  });

  test.each(BAD)('%s', (_, bytes, error) => {
    expect(parseCip(bytes, bytes.length, MAGIC)).toBe(error);
  });

  test('whatever comes, no byte behind the end changes what is found', () => {
    const bytes = fc.oneof(...[...GOOD, ...BAD].map(([, header]) => fc.constant(header)));
    const changes = fc.array(fc.tuple(fc.nat(51), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(bytes, changes, fc.nat(60), (header, changed, end) => {
        const text = Buffer.from(header);
        for (const [at, byte] of changed) if (at >= 4 && at < text.length) text[at] = byte;
        const length = Math.min(end, text.length);
        const others = Buffer.concat([text.subarray(0, length), Buffer.alloc(text.length - length, 0xee)]);
        expect(parseCip(text, length, MAGIC)).toEqual(parseCip(others, length, MAGIC));
      }),
    );
  });
});

describe('connections', () => {
  beforeEach(context => needsKernel(context, 'the log server has a socket'));

  const config = (bind: string, rule = '') => `
defaults
  mode http
  timeout client 150
  timeout server 2s
  timeout connect 1s
  log 127.0.0.1:$LOG local0
listen l
  bind 127.0.0.1:1 ${bind}
  ${rule}
  log-format "%ci:%cp %fi:%fp %[fc_rcvd_proxy]"
  error-log-format "%ci %[fc_err_name]"
  server s 127.0.0.1:$SERVER
`;
  const REQUEST = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n';

  test.each([
    ['accept-netscaler-cip 1314079561', ''],
    // The rule has the number of the bind line.
    ['accept-netscaler-cip 1314079561', 'tcp-request connection expect-netscaler-cip layer4 if { src 127.0.0.1 }'],
  ])('%s %s: the client is who the header says', async (bind, rule) => {
    const world = await start(config(bind, rule));
    const header = Buffer.concat([standard(ipv4()), Buffer.from(REQUEST)]);
    expect(await world.send('l', header)).toMatch(/hello$/);
    expect(await world.next()).toMatch(/192\.0\.2\.1:1234 198\.51\.100\.2:443 0$/);
  });

  test('behind a PROXY header', async () => {
    const world = await start(config('accept-proxy accept-netscaler-cip 1314079561'));
    const header = Buffer.concat([Buffer.from('PROXY UNKNOWN\r\n'), legacy(ipv6()), Buffer.from(REQUEST)]);
    expect(await world.send('l', header)).toMatch(/hello$/);
    expect(await world.next()).toMatch(/2001:db8::1:1234 2001:db8::2:443 1$/);
  });

  test.each([
    ['another number', legacy(ipv4(), 40, 1), false, 'CIP_BAD_MAGIC'],
    ['another number, and too short', 'hello', false, 'CIP_TRUNCATED'],
    ['another protocol', legacy(ipv6(17)), false, 'CIP_BAD_PROTO'],
    ['a part, then the end', legacy(ipv4()).subarray(0, 20), true, 'CIP_TRUNCATED'],
    ['a part, then nothing', legacy(ipv4()).subarray(0, 20), false, 'CIP_TIMEOUT'],
    ['nothing', '', true, 'CIP_EMPTY'],
  ])('%s: ends the connection', async (_, bytes, end, error) => {
    const world = await start(config('accept-netscaler-cip 1314079561'));
    expect(await world.send('l', bytes, end)).toBe('');
    expect(await world.next()).toMatch(new RegExp(`127\\.0\\.0\\.1 ${error}$`));
  });

  test('a rule without the number on the bind line: no header is right', async () => {
    const world = await start(config('', 'tcp-request connection expect-netscaler-cip layer4'));
    expect(await world.send('l', legacy(ipv4()))).toBe('');
    expect(await world.next()).toMatch(/CIP_BAD_MAGIC$/);
  });
});
