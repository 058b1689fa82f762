/** What is looked at in messages before they pass: gathered payload, header names, cookies, cacheability. */
import { describe, expect, test } from 'vitest';
import { CLOSE, listen, origin } from './listen.ts';
import { pass } from './network.ts';
import { ask, connect, ok } from './wire.ts';

const later = () => pass(20);

describe('payload before the server', () => {
  test('balance url_param check_post finds a parameter that comes later, in pieces', async () => {
    const [one, two] = [await origin(() => ok('1')), await origin(() => ok('2'))];
    const rig = await listen([
      'balance url_param user check_post',
      `server s1 127.0.0.1:${one.port}`,
      `server s2 127.0.0.1:${two.port}`,
    ]);
    const post = async (pieces: string[]) => {
      const client = await connect(rig.port('web'));
      client.send(
        `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${pieces.join('').length}\r\nConnection: close\r\n\r\n`,
      );
      for (const piece of pieces) {
        await later();
        client.send(piece);
      }
      await client.end();
      return client.received.slice(-1);
    };
    const servers = new Set<string>();
    for (const user of ['ann', 'bob', 'cat', 'dan', 'eve', 'fay']) {
      const whole = await post([`user=${user}&x=1`]);
      expect(await post(['x=1&us', 'er=', user])).toBe(whole);
      servers.add(whole);
    }
    expect(servers.size).toBe(2);
  });

  test('option http-buffer-request: no server before the payload, which then arrives whole', async () => {
    const s = await origin();
    const rig = await listen(['option http-buffer-request', `server s1 127.0.0.1:${s.port}`]);
    const client = await connect(rig.port('web'));
    client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n');
    await client.has('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('abc');
    await later();
    expect(s.conns.length).toBe(0);
    client.send(`def${CLOSE}`);
    const conn = await s.conn();
    await conn.has('\r\n\r\nabcdef');
    conn.send(ok('1'));
    await conn.has('GET / ');
    conn.send(ok('2'));
    await client.end();
    expect(client.received.endsWith('\r\n\r\n2')).toBe(true);
  });

  test('option http-buffer-request: more than a buffer takes goes on', async () => {
    const s = await origin();
    const rig = await listen(['option http-buffer-request', `server s1 127.0.0.1:${s.port}`]);
    const client = await connect(rig.port('web'));
    const payload = Array.from({ length: 5000 }, (_, i) => `${i}`.padStart(8, '.')).join('');
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${payload.length}\r\n\r\n${payload.slice(0, 20_000)}`);
    const conn = await s.conn();
    client.send(payload.slice(20_000));
    await conn.until(w => w.received.endsWith(payload));
    client.socket.destroy();
  });

  test('payload that does not come in time: 408 cR', async () => {
    const s = await origin();
    const rig = await listen([
      'option http-buffer-request',
      'timeout http-request 100ms',
      `server s1 127.0.0.1:${s.port}`,
    ]);
    const got = await ask(rig.port('web'), 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc');
    expect(got).toMatch(/^HTTP\/1.1 408 /);
    expect(rig.ends[0]).toMatchObject({ status: 408, state: 'cR' });
  });
});

describe('option http-restrict-req-hdr-names', () => {
  const request = CLOSE.replace('Host', 'X_Under: 1\r\nX-Ok: 2\r\nHost');

  test('delete', async () => {
    const s = await origin(head => ok(head));
    const rig = await listen(['option http-restrict-req-hdr-names delete', `server s1 127.0.0.1:${s.port}`]);
    const got = await ask(rig.port('web'), request);
    expect(got).toContain('x-ok: 2');
    expect(got).not.toContain('x_under');
  });

  test('reject', async () => {
    const s = await origin(() => ok());
    const rig = await listen(['option http-restrict-req-hdr-names reject', `server s1 127.0.0.1:${s.port}`]);
    expect(await ask(rig.port('web'), request)).toMatch(/^HTTP\/1.1 403 /);
    expect(rig.ends[0]).toMatchObject({ status: 403, state: 'PR' });
    expect(rig.counter('frontend', 'web', 'denied_req')).toBe(1);
    expect(s.conns.length).toBe(0);
  });
});

describe('cookies', () => {
  test('in mode prefix a value without prefix names its server, too, and is left alone', async () => {
    const [one, two] = [await origin(head => ok(`1 ${head}`)), await origin(head => ok(`2 ${head}`))];
    const rig = await listen([
      'cookie SRV prefix',
      `server s1 127.0.0.1:${one.port} cookie a`,
      `server s2 127.0.0.1:${two.port} cookie b`,
    ]);
    for (const [cookie, sent] of [
      ['SRV=b', 'SRV=b'],
      ['SRV=b~app', 'SRV=app'],
      ['SRV=b~', 'SRV='],
    ]) {
      const got = await ask(rig.port('web'), CLOSE.replace('Host', `Cookie: ${cookie}\r\nHost`));
      expect(got).toContain(`\r\n\r\n2 `);
      expect(got).toContain(`cookie: ${sent}\r\n`);
    }
  });

  test('indirect: none of several cookies of our name reaches the server', async () => {
    const s = await origin(head => ok(head));
    const rig = await listen(['cookie SRV insert indirect', `server s1 127.0.0.1:${s.port} cookie a`]);
    const got = await ask(rig.port('web'), CLOSE.replace('Host', 'Cookie: SRV=a; x=1; SRV=b\r\nHost'));
    expect(got).toContain('cookie: x=1\r\n');
  });
});

describe('option checkcache', () => {
  test.each([
    ['ETag: "1"\r\n', 502],
    ['', 200],
    ['ETag: "1"\r\nCache-Control: private\r\n', 200],
    ['ETag: "1"\r\nCache-Control: no-cache="set-cookie"\r\n', 200],
    ['Cache-Control: max-age=60\r\n', 502],
  ])('a cookie in a response with %j: %d', async (headers, status) => {
    const s = await origin(() => ok('x', `Set-Cookie: a=1\r\n${headers}`));
    const rig = await listen(['option checkcache', `server s1 127.0.0.1:${s.port}`]);
    expect(await ask(rig.port('web'), CLOSE)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(rig.counter('backend', 'web', 'denied_resp')).toBe(status === 502 ? 1 : 0);
  });
});
