import { isIPv4, isIPv6 } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  addressesOf,
  BIND_ACCEPTS,
  formatAddress,
  parseEndpoint,
  parseEndpoints,
  parseNetwork,
  SERVER_ACCEPTS,
  SOURCE_ACCEPTS,
} from '../../engine/config/address.ts';
import type { Proxy } from '../../engine/config/proxy-model.ts';
import { parseIp } from '../../engine/io/address.ts';
import { ipText, parseIpv4, parseIpv6 } from '../../engine/io/ip.ts';
import fc from '../properties.ts';
import { load } from './load-text.ts';

function bind(text: string): unknown {
  const parsed = parseEndpoints(text, BIND_ACCEPTS, {});
  if ('error' in parsed) return parsed.error;
  return parsed.value.flatMap(endpoint => {
    if (endpoint.inheritedFd !== null) return [`fd ${endpoint.inheritedFd}`];
    return addressesOf(endpoint).map(formatAddress);
  });
}

describe('bind', () => {
  test.each([
    ['127.0.0.1:80', ['127.0.0.1:80']],
    [':80', ['0.0.0.0:80']],
    ['*:80', ['0.0.0.0:80']],
    [':::80', ['[::]:80']],
    ['::1:80', ['[::1]:80']],
    ['[::1]:80', ['[::1]:80']],
    ['ipv4@:80', ['0.0.0.0:80']],
    ['ipv6@:80', ['[::]:80']],
    ['ipv6@*:80', ['[::]:80']],
    ['tcp4@:80', ['0.0.0.0:80']],
    ['stream+ip@:80', ['0.0.0.0:80']],
    ['/run/x', ['/run/x']],
    ['unix@x', ['unix@x']],
    ['uxst@/run/x', ['/run/x']],
    ['abns@foo', ['abns@foo']],
    ['abnsz@foo', ['abnsz@foo']],
    ['mptcp4@:80', ['0.0.0.0:80']],
    ['mptcp6@:80', ['[::]:80']],
    ['fd@3,fd@4', ['fd 3', 'fd 4']],
    [':80,:81', ['0.0.0.0:80', '0.0.0.0:81']],
    [':80,', ['0.0.0.0:80']],
    ['[::1]:8000-8002', ['[::1]:8000', '[::1]:8001', '[::1]:8002']],
    // Messages of HAProxy 2.6.
    ['', "'' resolves to an empty address (environment variable missing?)"],
    [',:80', "'' resolves to an empty address (environment variable missing?)"],
    ['127.0.0.1', "missing port specification in '127.0.0.1'"],
    ['*', "missing port specification in '*'"],
    ['[::1]', "missing port specification in '[::1]'"],
    ['ipv4@::1:80', "invalid address: '::1' in 'ipv4@::1:80'"],
    ['ipv6@1.2.3.4:80', "invalid address: '1.2.3.4' in 'ipv6@1.2.3.4:80'"],
    ['256.1.1.1:80', "invalid address: '256.1.1.1' in '256.1.1.1:80'"],
    ['1.2.3:80', "invalid address: '1.2.3' in '1.2.3:80'"],
    ['fd@x', "file descriptor 'x' is not a valid integer in 'fd@x'"],
    ['fd@', "file descriptor '' is not a valid integer in 'fd@'"],
    ['fd@-1', "file descriptor '-1' is not a valid integer in 'fd@-1'"],
    ['127.0.0.1:8010-8000', "invalid port range '8010-8000'"],
    ['127.0.0.1:0', "invalid port '0'"],
    ['127.0.0.1:65536', "invalid port '65536'"],
    ['127.0.0.1:80-', "invalid port ''"],
    ['127.0.0.1:abc', "invalid character 'a' in port number 'abc' in '127.0.0.1:abc'"],
    ['127.0.0.1:80x', "invalid character 'x' in port number '80x' in '127.0.0.1:80x'"],
    ['127.0.0.1:+1', "port offset not permitted here in '127.0.0.1:+1'"],
    ['udp@:80', "dgram-type address not acceptable in 'udp@:80'"],
    ['sockpair@3', "'sockpair@' is not supported by Sluice yet"],
    ['quic4@:80', "'quic4@' is not supported by Sluice yet"],
    ['quic+ipv4@:80', "'quic+ipv4@' is not supported by Sluice yet"],
    ['foo@:80', "unknown address prefix 'foo@' in 'foo@:80'"],
    ['unix@', "missing socket path in 'unix@'"],
    [`/${'x'.repeat(107)}`, `socket path '/${'x'.repeat(107)}' too long (max 107)`],
  ])('%j', (text, expected) => expect(bind(text)).toEqual(expected));

  test('::1 is port 1 of ":", and the message says how to write it', () => {
    expect(bind('::1')).toBe("invalid address: ':' in '::1' (write [::1] when there is no port)");
  });
});

describe('server', () => {
  const relative = { portRelative: true };
  test.each([
    ['127.0.0.1', { ...relative, portOffset: 0, port: 0, hostname: null }],
    ['127.0.0.1:80', { portRelative: false, port: 80 }],
    ['127.0.0.1:0', { ...relative, portOffset: 0 }],
    ['[::1]', { ...relative, family: 6 }],
    ['10.0.0.1:+1', { ...relative, portOffset: 1 }],
    ['10.0.0.1:-20', { ...relative, portOffset: -20 }],
    ['www.example.org:80', { hostname: 'www.example.org', address: null, port: 80, family: 0 }],
    ['ipv6@localhost', { hostname: 'localhost', family: 6, ...relative }],
    ['unix@/run/app.sock', { family: 1, hostname: null }],
  ])('%j', (text, value) => expect(parseEndpoint(text, SERVER_ACCEPTS, {})).toMatchObject({ value }));

  test.each([
    ['fd@3', "a file descriptor is not acceptable here in 'fd@3'"],
    ['127.0.0.1:8000-8010', "port range not permitted here in '127.0.0.1:8000-8010'"],
    ['127.0.0.1:+', "invalid port offset '+'"],
    ['127.0.0.1:+70000', "invalid port offset '+70000'"],
    ['1.1.1.1:80,1.1.1.2:80', "invalid address: '1.1.1.1:80,1.1.1.2' in '1.1.1.1:80,1.1.1.2:80'"],
  ])('%j', (text, error) => expect(parseEndpoint(text, SERVER_ACCEPTS, {})).toEqual({ error }));
});

test('an abstract name stands behind a zero byte, as the kernel has it', () => {
  const exact = parseEndpoint('abnsz@ab', SERVER_ACCEPTS, {});
  expect(exact).toMatchObject({ value: { abstract: true, address: { bytes: Uint8Array.of(0, 97, 98) } } });
  const padded = Uint8Array.from({ length: 108 }, (_, i) => [0, 97, 98][i] ?? 0);
  expect(parseEndpoint('abns@ab', SERVER_ACCEPTS, {})).toMatchObject({ value: { address: { bytes: padded } } });
});

test('source', () => {
  expect(parseEndpoint('*', SOURCE_ACCEPTS, {})).toMatchObject({ value: { address: { family: 4, port: 0 } } });
  expect(parseEndpoint('unix@/x', SOURCE_ACCEPTS, {})).toEqual({
    error: "a unix socket is not acceptable here in 'unix@/x'",
  });
});

describe('networks', () => {
  const network = (text: string) => {
    const parsed = parseNetwork(text);
    return 'error' in parsed ? parsed.error : `${formatAddress(parsed.value.address)}/${parsed.value.prefixBits}`;
  };
  test.each([
    ['127.0.0.1', '127.0.0.1/32'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.0.0.1/8', '10.0.0.0/8'],
    ['10/8', '10.0.0.0/8'],
    ['10.1/16', '10.1.0.0/16'],
    ['10.0.0.0/255.128.0.0', '10.0.0.0/9'],
    ['1.2.3.4/0', '0.0.0.0/0'],
    ['fe80::1/10', '[fe80::]/10'],
    ['::1', '[::1]/128'],
    ['10.0.0.0/33', "invalid mask in network '10.0.0.0/33'"],
    ['10.0.0.0/', "invalid mask in network '10.0.0.0/'"],
    ['10.0.0.0/255.0.255.0', "invalid mask in network '10.0.0.0/255.0.255.0'"],
    ['abc', "invalid network 'abc', expected <address>[/<mask>]"],
    ['/8', "invalid network '/8', expected <address>[/<mask>]"],
    ['10', "invalid network '10', expected <address>[/<mask>]"],
  ])('%j', (text, expected) => expect(network(text)).toBe(expected));
});

describe('ip', () => {
  test('text reads as Node reads it', () => {
    const text = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.string({ unit: fc.constantFrom(...'0123456789abf:.'), maxLength: 24 }),
    );
    fc.assert(
      fc.property(text, s => {
        expect(parseIpv4(s) !== null).toBe(isIPv4(s));
        if (!s.includes('.')) expect(parseIpv6(s) !== null).toBe(isIPv6(s));
      }),
    );
  });

  test('any address reads back as it was written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(0xffff), (bytes, zeros) => {
        for (let i = 0; i < 16; i++) if ((zeros >> i) & 1) bytes[i] = 0;
        expect(parseIpv6(ipText(bytes))).toEqual(bytes);
        expect(parseIpv4(ipText(bytes.slice(0, 4)))).toEqual(bytes.slice(0, 4));
        const address = { family: 6, bytes, port: 1 + (zeros % 65_535) } as const;
        expect(parseEndpoint(formatAddress(address), SERVER_ACCEPTS, {})).toMatchObject({ value: { address } });
      }),
    );
  });

  test.each(['::', '::1', '2001:db8::1', '1:0:0:2::3', '1:0:2:3:4:5:6:7', '::ffff:1.2.3.4', '1::'])(
    '%s is RFC 5952',
    text => {
      expect(ipText(parseIpv6(text)!)).toBe(text);
    },
  );
});

/** As they stand in a configuration. */
const [HOST, PORT] = ['HOST', 'PORT'].map(name => `$\{${name}}`) as [string, string];

test.each([
  [`${HOST}:80`, '127.0.0.1:80'],
  [`$HOST:${PORT}`, '127.0.0.1:8080'],
  [`[::1]:${PORT}`, '[::1]:8080'],
  [`unix@/run/${HOST}.s`, '/run/127.0.0.1.s'],
])('%s: environment variables, quoted or not', (text, meant) => {
  const parsed = parseEndpoint(text, SERVER_ACCEPTS, { HOST: '127.0.0.1', PORT: '8080' });
  expect('value' in parsed && formatAddress(parsed.value.address!)).toBe(meant);
  expect(parseEndpoint(HOST, SERVER_ACCEPTS, {})).toEqual({
    error: `'${HOST}' resolves to an empty address (environment variable missing?)`,
  });
});

test('a name is looked up in the family that the prefix says', () => {
  const { model, diagnostics } = load(
    ['listen l', 'bind ipv6@here:80', 'server s ipv4@here:81 source ipv6@here check addr ipv4@here', ''].join('\n'),
    { hosts: { here: parseIp('192.0.2.1', 0)!, 'here 6': parseIp('2001:db8::1', 0)! } },
  );
  expect(diagnostics.list.filter(({ severity }) => severity === 'alert')).toEqual([]);
  const [{ binds, servers }] = model!.proxies as [Proxy];
  const families = [binds[0]!.address, servers[0]!.address, servers[0]!.source!.address, servers[0]!.check!.address];
  expect(families.map(address => address!.family)).toEqual([6, 4, 6, 4]);
});
