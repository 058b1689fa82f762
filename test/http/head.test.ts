import { describe, expect, test } from 'vitest';
import { latin1, textOf } from '../../engine/http/chars.ts';
import { Head } from '../../engine/http/head.ts';
import { setRequestConnection } from '../../engine/http/hop.ts';
import { H_ACCEPT_ENCODING, H_COOKIE, H_HOST, H_VIA, headerIdOf } from '../../engine/http/names.ts';
import { parseRequest } from '../../engine/http/parse.ts';
import { writeChunkSize } from '../../engine/http/write.ts';
import fc from '../properties.ts';
import { fieldsOf, LIMITS, newHead, request, response, written } from './wire.ts';

const MESSAGE = 'GET /x HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nCookie:  c=1\r\nX-One: 2\r\nVia: v\r\n\r\n';

describe('names', () => {
  test('known by number, whatever their case in the message', () => {
    const { head } = request('GET / HTTP/1.1\r\nhOST: a\r\nAccept-ENCODING: x\r\naccept-encodinh: y\r\n\r\n');
    expect([...head.id.subarray(0, head.count)]).toEqual([H_HOST, H_ACCEPT_ENCODING, 0]);
  });
  test('headerIdOf', () => {
    expect(headerIdOf('cookie')).toBe(H_COOKIE);
    expect(headerIdOf('cookies')).toBe(0);
    expect(headerIdOf('')).toBe(0);
  });
});

describe('edits', () => {
  test('find', () => {
    const { head } = request(MESSAGE);
    const one = latin1('x-one');
    expect([head.findName(one), head.findName(one, 2), head.findName(one, 4)]).toEqual([1, 3, -1]);
    expect([head.find(H_COOKIE), head.find(H_COOKIE, 3)]).toEqual([2, -1]);
  });
  test('remove, set and add keep the order', () => {
    const { head } = request(MESSAGE);
    head.remove(1);
    expect(head.setValue(3, 'zwei')).toBe(true);
    expect(head.add('x-forwarded-for', latin1('::1'))).toBe(true);
    expect(head.add('via', 'w')).toBe(true);
    expect(head.find(H_VIA, 5)).toBe(6);
    expect(written(head)).toBe(
      'GET /x HTTP/1.1\r\nhost: a\r\ncookie: c=1\r\nx-one: zwei\r\nvia: v\r\nx-forwarded-for: ::1\r\nvia: w\r\n\r\n',
    );
  });
  test('an edited slot can be edited again, found and removed', () => {
    const { head } = request(MESSAGE);
    head.setValue(0, 'b');
    head.setValue(0, 'c');
    expect(head.find(H_HOST)).toBe(0);
    expect(written(head)).toContain('host: c\r\n');
    head.removeAll(H_HOST);
    expect(written(head)).not.toContain('host');
  });
  test('the target', () => {
    const { head } = request(MESSAGE);
    expect(head.setUri('/y?z')).toBe(true);
    expect(textOf(head.uriBytes, head.uriStart, head.uriEnd)).toBe('/y?z');
    expect(written(head).split('\r\n')[0]).toBe('GET /y?z HTTP/1.1');
  });
  test('an edit cannot end a line or a start line', () => {
    const { head } = request(MESSAGE);
    head.setValue(1, 'a\r\nevil: 1');
    head.add('b', latin1('\0\n'));
    expect(written(head)).toContain('x-one: a  evil: 1\r\n');
    expect([head.setUri('/ HTTP/1.1'), head.setUri('/\r\nx'), head.setUri('')]).toEqual([false, false, false]);
    expect(written(head).split('\r\n')[0]).toBe('GET /x HTTP/1.1');
  });
  test('a head does not outgrow the buffer; what was taken out of it makes room', () => {
    const head = new Head(100, 100, 1000);
    const bytes = latin1(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(700)}\r\n\r\n`);
    expect(parseRequest(head, bytes, 0, bytes.length, LIMITS)).toBe(bytes.length);
    const value = 'y'.repeat(300);
    expect([head.add('z', value), head.setUri(`/${value}`)]).toEqual([false, false]);
    expect(head.add('z', value.slice(0, 200))).toBe(true);
    head.remove(1);
    expect([head.add('z', value), head.setUri(`/${value}`)]).toEqual([true, true]);
    expect(written(head).length).toBeLessThan(1000);
    const value600 = 'v'.repeat(600);
    expect([head.setValue(2, value600), head.setValue(2, value600)]).toEqual([false, false]);
  });
  test('a full head refuses and stays as it was', () => {
    const { head } = request(MESSAGE);
    const before = written(head);
    const long = 'x'.repeat(1021);
    expect([head.add('long', long), head.setValue(1, long), head.setUri('x'.repeat(1025))]).toEqual([
      false,
      false,
      false,
    ]);
    expect(head.splice(2, head.valueStart[2]!, head.valueStart[2]!, latin1(long))).toBe(false);
    expect(written(head)).toBe(before);
    for (let i = 0; i < 159; i++) expect(head.add('a', '')).toBe(true);
    expect(head.add('a', '')).toBe(false);
  });
  test('splice inside a value', () => {
    const { head } = request(MESSAGE);
    const at = head.valueStart[2]!;
    head.splice(2, at + 2, at + 3, latin1(''));
    expect(fieldsOf(head)[2]).toEqual(['cookie', 'c=']);
    head.splice(2, at + 1, at + 2, latin1('==='));
    expect(fieldsOf(head)[2]).toEqual(['cookie', 'c===']);
  });
  test('reset and reuse', () => {
    const head = newHead();
    head.add('a', 'b');
    head.reset();
    expect([head.count, head.extraUsed, head.verbatim]).toEqual([0, 0, true]);
  });
  test('any edits: what is written is what the slots say', () => {
    const op = fc.tuple(fc.constantFrom('remove', 'set', 'add', 'tidy'), fc.nat(8), fc.stringMatching(/^[a-z]{0,12}$/));
    fc.assert(
      fc.property(fc.array(op, { maxLength: 12 }), ops => {
        const { head } = request(MESSAGE);
        for (const [what, n, text] of ops) {
          const i = n % head.count;
          if (what === 'remove') head.remove(i);
          else if (what === 'set') head.setValue(i, text);
          else if (what === 'add') head.add('x-new', text);
          else setRequestConnection(head, false);
        }
        const lines = fieldsOf(head).map(([name, value]) => `${name}: ${value}\r\n`);
        expect(written(head)).toBe(`GET /x HTTP/1.1\r\n${lines.join('')}\r\n`);
      }),
    );
  });
});

describe('writer', () => {
  test('a status line without its last space gets it', () => {
    expect(written(response('HTTP/1.1 204\r\nA: b\r\n\r\n').head)).toBe('HTTP/1.1 204 \r\na: b\r\n\r\n');
  });
  test('chunk sizes', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), size => {
        const out = new Uint8Array(20);
        const n = size + 1 > Number.MAX_SAFE_INTEGER ? size : size + 1;
        expect(textOf(out, 2, writeChunkSize(out, 2, n))).toBe(`${n.toString(16)}\r\n`);
      }),
    );
  });
  test('Connection tokens without room for spaces', () => {
    const { head } = request('GET / HTTP/1.1\r\nHost: a\r\nConnection: a,b,close,c,Keep-Alive,d\r\n\r\n');
    setRequestConnection(head, true);
    expect(fieldsOf(head)[1]![1].replaceAll(' ', '')).toBe('a,b,c,d');
  });
});
