import dnsPacket, { type Answer, type Packet } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { parseIp } from '../../engine/io/address.ts';
import { ANSWER_RECORDS_MAX } from '../../engine/limits.ts';
import { decodeAnswer, encodeQuery, idOf, type Question, queryName } from '../../engine/resolvers/packet.ts';
import fc from '../properties.ts';

const A: Question = { type: 'A', name: 'a.test' };
const SRV: Question = { type: 'SRV', name: '_http._tcp.a.test' };

function answer(question: Question, answers: readonly Answer[], more: Partial<Packet> = {}): Uint8Array {
  return dnsPacket.encode({
    ...{ type: 'response', id: 7, flags: 0x180, questions: [{ ...question, class: 'IN' }], answers: [...answers] },
    ...more,
  });
}

const a = (name: string, data: string): Answer => ({ type: 'A', name, ttl: 1, data });
const cname = (name: string, data: string): Answer => ({ type: 'CNAME', name, ttl: 1, data });

describe('queries', () => {
  test('say what is asked and how long an answer may be', () => {
    const packet = dnsPacket.decode(Buffer.from(encodeQuery(0xabcd, A, 4096)));
    expect([packet.id, packet.type, packet.flag_rd]).toEqual([0xabcd, 'query', true]);
    expect(packet.questions).toMatchObject([{ name: 'a.test', type: 'A', class: 'IN' }]);
    expect(packet.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 4096 }]);
  });

  test.each([
    ['Foo.TEST', 'foo.test'],
    ['foo.test.', 'foo.test'],
    ['_http._tcp.foo', '_http._tcp.foo'],
    ['', null],
    ['.', null],
    ['a..b', null],
    ['a b', null],
    ['a\0b', null],
    [`${'x'.repeat(64)}.test`, null],
    [Array(128).fill('ab').join('.'), null],
  ])('%s is asked for as %s', (text, name) => {
    expect(queryName(text)).toBe(name);
  });
});

describe('answers', () => {
  const statusOf = (bytes: Uint8Array, question = A) => decodeAnswer(bytes, question).status;
  const hosts = (bytes: Uint8Array, question = A) => {
    const found = decodeAnswer(bytes, question);
    return found.status === 'valid' ? found.records.map(r => r.address?.bytes.join('.')) : found.status;
  };

  test('have the addresses of the name, in any letters, and of no other', () => {
    expect(hosts(answer(A, [a('a.test', '10.0.0.1'), a('A.Test', '10.0.0.2'), a('b.test', '10.0.0.3')]))).toEqual([
      '10.0.0.1',
      '10.0.0.2',
    ]);
  });

  test('have those of what it is an alias for', () => {
    const chain = [
      cname('b.test', 'c.test'),
      cname('a.test', 'b.test'),
      a('c.test', '10.0.0.9'),
      a('a.test', '1.1.1.1'),
    ];
    expect(hosts(answer(A, chain))).toEqual(['10.0.0.9']);
    expect(statusOf(answer(A, [cname('a.test', 'b.test'), cname('b.test', 'a.test')]))).toBe('cnameError');
    expect(statusOf(answer(A, [cname('a.test', 'b.test')]))).toBe('empty');
  });

  test.each([
    [0, 'empty'],
    [1, 'other'],
    [2, 'other'],
    [3, 'nx'],
    [5, 'refused'],
    [0x200, 'truncated'],
    [0x200 | 3, 'truncated'],
    [1 << 11, 'invalid'],
  ])('with the flags %i are %s', (flags, status) => {
    expect(statusOf(answer(A, [], { flags }))).toBe(status);
  });

  test('are believed only if they answer this question', () => {
    const good = [a('a.test', '10.0.0.1')];
    expect(statusOf(answer(A, good))).toBe('valid');
    expect(statusOf(answer({ type: 'AAAA', name: 'a.test' }, good))).toBe('invalid');
    expect(statusOf(answer({ type: 'A', name: 'b.test' }, good))).toBe('invalid');
    expect(statusOf(answer(A, good, { type: 'query' }))).toBe('invalid');
    expect(statusOf(answer(A, good, { questions: [] }))).toBe('invalid');
    expect(statusOf(answer(A, good, { questions: [A, A] }))).toBe('invalid');
    expect(statusOf(answer(A, [{ type: 'A', name: 'a.test', class: 'CH', data: '10.0.0.1' }]))).toBe('empty');
  });

  test('of services have a host and a port each, and the addresses that came along', () => {
    const srv = (target: string, port: number, weight = 1): Answer => {
      return { type: 'SRV', name: SRV.name, ttl: 1, data: { target, port, weight, priority: 3 } };
    };
    const bytes = answer(
      SRV,
      [srv('X.test', 80, 9), srv('y.test', 81), srv('x.test', 80), srv('.', 1), srv('a b', 2)],
      {
        additionals: [a('x.test', '10.0.0.1'), a('z.test', '10.0.0.2')],
      },
    );
    expect(decodeAnswer(bytes, SRV)).toEqual({
      status: 'valid',
      aliased: false,
      records: [
        { host: 'x.test', port: 80, weight: 9, priority: 3, address: parseIp('10.0.0.1', 0) },
        { host: 'y.test', port: 81, weight: 1, priority: 3, address: null },
      ],
    });
  });

  test('are no more than so many', () => {
    const many = Array.from({ length: 3000 }, (_, i) => a('a.test', `10.0.${i >> 8}.${i & 255}`));
    const found = decodeAnswer(answer(A, many), A);
    expect(found.status === 'valid' && found.records.length).toBe(ANSWER_RECORDS_MAX);
  });

  test('of any bytes are plain data', () => {
    const honest = Buffer.from(answer(A, [cname('a.test', 'b.test'), a('b.test', '10.0.0.1')]));
    const damage = fc.array(fc.tuple(fc.nat(honest.length - 1), fc.nat(255)), { maxLength: 8 });
    const statuses = ['valid', 'nx', 'refused', 'empty', 'cnameError', 'other', 'invalid', 'truncated'];
    const check = (bytes: Uint8Array): void => {
      for (const question of [A, SRV]) {
        const found = decodeAnswer(bytes, question);
        expect(statuses).toContain(found.status);
        if (found.status !== 'valid') continue;
        for (const { address } of found.records) expect([undefined, 4, 16]).toContain(address?.bytes.length);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), bytes => check(bytes)));
    fc.assert(
      fc.property(damage, fc.nat(honest.length), (bytes, length) => {
        const bad = Buffer.from(honest);
        for (const [at, byte] of bytes) bad[at] = byte;
        check(bad);
        check(bad.subarray(0, length));
      }),
    );
  });

  test('have an id', () => {
    expect([idOf(answer(A, [])), idOf(Uint8Array.of(1)), idOf(Uint8Array.of(0xff, 0xfe))]).toEqual([7, -1, 0xfffe]);
  });
});
