/** Fetches of raw bytes: the TLS client hello, the RDP cookie, blocks; and what they say while bytes are missing. */
import { describe, expect, test } from 'vitest';
import { compileExpression, Sample } from '../../engine/sample/index.ts';
import { World } from './world.ts';

const u16 = (n: number): number[] => [n >> 8, n & 255];
const vector = (bytes: readonly number[]): number[] => [...u16(bytes.length), ...bytes];
const extension = (type: number, data: readonly number[]): number[] => [...u16(type), ...vector(data)];
const ascii = (text: string): number[] => [...Buffer.from(text)];

/** A client hello with these extensions. */
function hello(extensions: readonly number[][], version = 0x0303): Uint8Array {
  const body = [
    ...u16(version),
    ...new Array(32).fill(7),
    0,
    ...vector([0x13, 1, 0x13, 2]),
    1,
    0,
    ...vector(extensions.flat()),
  ];
  const message = [1, 0, ...u16(body.length), ...body];
  return Uint8Array.from([0x16, 3, 1, ...vector(message)]);
}

const HELLO = hello([
  extension(0, vector([0, ...vector(ascii('www.example.org'))])),
  extension(16, vector([2, ...ascii('h2'), 8, ...ascii('http/1.1')])),
  extension(10, vector([0, 29, 0, 23])),
  extension(13, vector([4, 3, 8, 4])),
  extension(35, [1, 2]),
  extension(51, vector([0, 29, ...vector([9, 9])])),
]);

function tcp(body: Uint8Array, final = true): World {
  return new World({ http: false, body, final });
}

describe('client hello', () => {
  test.each([
    ['req.ssl_hello_type', '1'],
    ['req.ssl_ver', String(3 * 65_536 + 3)],
    ['req.ssl_sni', 'www.example.org'],
    ['req_ssl_sni,upper', 'WWW.EXAMPLE.ORG'],
    ['req.ssl_alpn', 'h2,http/1.1'],
    ['req.ssl_cipherlist,hex', '13011302'],
    ['req.ssl_supported_groups,hex', '001D0017'],
    ['req.ssl_sigalgs,hex', '04030804'],
    ['req.ssl_keyshare_groups,hex', '001D'],
    ['req.ssl_st_ext', '2'],
    ['req.ssl_ec_ext', '1'],
    ['req.len', String(HELLO.length)],
  ])('%s is %s', (expression, value) => {
    expect(tcp(HELLO).text(expression)).toBe(value);
  });

  test('a hello without extensions has no name, and is a hello', () => {
    const world = tcp(hello([]));
    expect(world.text('req.ssl_sni')).toBe(null);
    expect(world.text('req.ssl_st_ext')).toBe('0');
    expect(world.text('req.ssl_hello_type')).toBe('1');
  });

  test('until it is whole the answer may change; then it may not', () => {
    for (let length = 1; length <= HELLO.length; length++) {
      const world = tcp(HELLO.subarray(0, length), false);
      const sample = new Sample();
      sample.begin(false);
      const found = compileExpression(world.parse('req.ssl_sni'), world.env)(world.ctx, sample);
      expect([length, found, sample.mayChange]).toEqual([length, length === HELLO.length, length < HELLO.length]);
    }
  });

  test('other bytes are no hello, and lengths that lie are harmless', () => {
    expect(tcp(Buffer.from('GET / HTTP/1.1\r\n\r\n')).text('req.ssl_sni')).toBe(null);
    for (let at = 0; at < HELLO.length; at++) {
      const bytes = HELLO.slice();
      bytes[at] = 255;
      for (const name of ['req.ssl_sni', 'req.ssl_alpn', 'req.ssl_keyshare_groups', 'req.ssl_sigalgs'])
        tcp(bytes).text(name);
    }
  });
});

describe('blocks', () => {
  const BYTES = Uint8Array.of(0, 3, 97, 98, 99, 100);

  test.each([
    ['req.payload(2,3)', 'abc'],
    ['req.payload(3,0)', 'bcd'],
    ['req.payload(4,9)', null],
    ['req.payload_lv(0,2)', 'abc'],
    ['req.payload_lv(0,2,+1)', 'bcd'],
    ['req.payload_lv(0,2,3)', 'bcd'],
    ['req.payload_lv(1,1)', 'abc'],
    ['req.payload_lv(0,1)', null],
  ])('%s is %s', (expression, value) => {
    expect(tcp(BYTES).text(expression)).toBe(value);
  });

  test('the RDP cookie', () => {
    const bytes = Uint8Array.from([3, 0, 0, 40, 35, 0xe0, 0, 0, 0, 0, 0, ...ascii('Cookie: mstshash=user1\r\n')]);
    expect(tcp(bytes).text('req.rdp_cookie')).toBe('user1');
    expect(tcp(bytes).text('rdp_cookie(MSTSHASH)')).toBe('user1');
    expect(tcp(bytes).text('req.rdp_cookie(msts)')).toBe(null);
    expect(tcp(bytes).text('req.rdp_cookie_cnt')).toBe('1');
  });
});

describe('distcc messages', () => {
  const packet = (token: string, value: number, body = ''): string =>
    token + value.toString(16).padStart(8, '0') + body;
  const REQUEST =
    packet('DIST', 10) +
    packet('ARGC', 2) +
    packet('ARGV', 3, 'gcc') +
    packet('ARGV', 2, '-c') +
    packet('LANG', 4, 'ARGC') +
    packet('DOTI', 5, 'hello');
  const distcc = (text: string): World => tcp(Buffer.from(text));

  test.each([
    ['distcc_param(DIST)', '10'],
    ['distcc_param(ARGC)', '2'],
    ['distcc_param(ARGC,2)', null],
    ['distcc_param(ARGV)', '3'],
    ['distcc_param(ARGV,2)', '2'],
    ['distcc_param(argv)', null],
    ['distcc_param(DOTI)', '5'],
    ['distcc_body(ARGV,1)', 'gcc'],
    ['distcc_body(ARGV,2)', '-c'],
    ['distcc_body(ARGV,3)', null],
    ['distcc_body(ARGV,-1)', null],
    ['distcc_body(ARGC)', ''],
    ['distcc_body(DOTI)', 'hello'],
  ])('%s is %s', (expression, value) => {
    expect(distcc(REQUEST).text(expression)).toBe(value);
  });

  test('the size of a file is known before the file', () => {
    const start = distcc(REQUEST.slice(0, -1));
    expect(start.text('distcc_param(DOTI)')).toBe('5');
    expect(start.text('distcc_body(DOTI)')).toBe(null);
  });

  test.each([
    ['more may come', packet('DIST', 1), true],
    ['half a packet', 'DOTI0000', true],
    ['a body that is still to come', packet('ARGV', 1000, 'x'), true],
    ['other bytes', 'GET / HTTP/1.1\r\n\r\n', false],
  ])('%s', (_, text, mayChange) => {
    const world = tcp(Buffer.from(text), false);
    const out = new Sample();
    out.begin(false);
    const find = compileExpression(world.parse('distcc_param(DOTI)'), world.env);
    expect(find(world.ctx, out)).toBe(false);
    expect(out.mayChange).toBe(mayChange);
  });
});
