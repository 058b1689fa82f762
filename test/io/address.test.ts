import net from 'node:net';
import { expect, test } from 'vitest';
import { addressText, hostText, parseIp, sameAddress, unixAddress } from '../../engine/io/address.ts';
import { addressOfNumber, decodeSockaddr, encodeSockaddr, sockaddrNumber } from '../../engine/io/native.ts';
import fc from '../properties.ts';

test('addresses as messages write them', () => {
  expect(addressText(parseIp('127.0.0.1', 80)!)).toBe('127.0.0.1:80');
  expect(addressText(parseIp('2001:DB8::1', 80)!)).toBe('2001:db8::1:80');
  expect(addressText(unixAddress('/run/x.sock'))).toBe('/run/x.sock');
  expect(addressText(unixAddress('x', 'abns'))).toBe('abns@x');
  expect(addressText(unixAddress('x', 'abnsz'))).toBe('abnsz@x');
});

test.each([
  ['::', '::'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
])('IPv6 %s is %s (RFC 5952)', (text, canonical) => {
  expect(hostText(parseIp(text, 0)!)).toBe(canonical);
});

test.each([
  '',
  '1.2.3',
  '1.2.3.256',
  '1.2.3.4.5',
  ':',
  ':::',
  '1::2::3',
  '12345::',
  '1:2:3:4:5:6:7:8:9',
  'g::',
  '1.2.3.4:',
])('%j is no address', text => expect(parseIp(text, 0)).toBeNull());

test('every address survives text and sockaddr', () => {
  const bytes = fc.oneof(...[4, 16].map(n => fc.uint8Array({ minLength: n, maxLength: n })));
  fc.assert(
    fc.property(bytes, fc.nat(65_535), (raw, port) => {
      const address = { family: raw.length === 4 ? 4 : 6, bytes: raw, port } as const;
      expect(net.isIP(hostText(address))).toBe(address.family);
      expect(sameAddress(parseIp(hostText(address), port)!, address)).toBe(true);
      const name = encodeSockaddr(address)!;
      expect(sameAddress(decodeSockaddr(name, name.length)!, address)).toBe(true);
      const number = sockaddrNumber(name, 0);
      if (address.family === 4) expect(addressOfNumber(number)).toEqual(address);
      else expect(number).toBe(-1);
    }),
  );
});

test('a unix path too long for the kernel has no sockaddr', () => {
  expect(encodeSockaddr(unixAddress('x'.repeat(103)))).not.toBeNull();
  expect(encodeSockaddr(unixAddress('x'.repeat(108)))).toBeNull();
});
