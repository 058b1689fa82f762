/** Compression on the data path: what is compressed, how it is framed, when it leaves, what is counted. */

import zlib from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { alive } from '../../engine/io/encoder.ts';
import fc from '../properties.ts';
import { endAll } from './ending.ts';
import { origin, rigOf } from './listen.ts';
import { pass, until } from './network.ts';
import type { Rig } from './rig.ts';
import { ask, connect, ok } from './wire.ts';

let rig: Rig;

afterEach(async () => {
  await endAll();
  expect(alive.encoders).toBe(0);
});

async function proxy(port: number, lines: string, global = ''): Promise<Rig> {
  rig = await rigOf(`
global
  ${global}
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 1s
listen web
  bind 127.0.0.1:1
  ${lines.split('\n').join('\n  ')}
  server s1 127.0.0.1:${port}
`);
  return rig;
}

const TEXT = 'a text that repeats itself, '.repeat(500);
const GZIP = 'compression algo gzip';

function get(encoding: string | null, more = ''): string {
  const accept = encoding === null ? '' : `Accept-Encoding: ${encoding}\r\n`;
  return `GET / HTTP/1.1\r\nHost: a\r\n${accept}${more}Connection: close\r\n\r\n`;
}

interface Answer {
  readonly head: string;
  readonly body: Buffer;
  readonly trailers: string;
}

/** Takes a response apart, chunks joined. */
function parse(text: string): Answer {
  const split = text.indexOf('\r\n\r\n') + 4;
  const head = text.slice(0, split);
  const rest = Buffer.from(text.slice(split), 'latin1');
  if (!/transfer-encoding: chunked/i.test(head)) return { head, body: rest, trailers: '' };
  const pieces: Buffer[] = [];
  let at = 0;
  for (;;) {
    const line = rest.indexOf('\r\n', at);
    const size = Number.parseInt(rest.subarray(at, line).toString(), 16);
    // The rest is still to come.
    if (line < 0 || line + 2 + size + 2 > rest.length) return { head, body: Buffer.concat(pieces), trailers: '' };
    at = line + 2;
    if (size === 0) return { head, body: Buffer.concat(pieces), trailers: rest.subarray(at).toString() };
    pieces.push(rest.subarray(at, at + size));
    at += size + 2;
  }
}

function response(headers: string, body = TEXT, line = 'HTTP/1.1 200 OK'): string {
  return `${line}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`;
}

async function answerTo(request: string, from: string, lines = GZIP): Promise<Answer> {
  const s = await origin(() => from);
  const r = await proxy(s.port, lines);
  return parse(await ask(r.port('web'), request));
}

describe('a response', () => {
  test('is compressed, and says so', async () => {
    const { head, body } = await answerTo(get('gzip'), response('ETag: "x"\r\n'));
    expect(head).toBe(
      'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\netag: W/"x"\r\ntransfer-encoding: chunked\r\n' +
        'vary: Accept-Encoding\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n',
    );
    expect(zlib.gunzipSync(body).toString()).toBe(TEXT);
    expect(body.length).toBeLessThan(TEXT.length / 10);
    expect(rig.counter('frontend', 'web', 'comp_in')).toBe(TEXT.length);
    expect(rig.counter('backend', 'web', 'comp_out')).toBe(body.length);
    expect(rig.counter('frontend', 'web', 'comp_rsp')).toBe(1);
    expect(rig.counter('frontend', 'web', 'comp_byp')).toBe(0);
  });

  test.each([
    ['deflate', 'deflate', 'deflate', (bytes: Buffer) => zlib.inflateSync(bytes)],
    ['raw-deflate', 'deflate', 'deflate', (bytes: Buffer) => zlib.inflateRawSync(bytes)],
    ['br', 'br, gzip', 'br', (bytes: Buffer) => zlib.brotliDecompressSync(bytes)],
    ['zstd', 'zstd, gzip', 'zstd', (bytes: Buffer) => zlib.zstdDecompressSync(bytes)],
  ] as const)('as %s', async (algorithm, accepted, coding, decode) => {
    const { head, body } = await answerTo(get(accepted), response(''), `compression algo ${algorithm}`);
    expect(head).toContain(`\r\ncontent-encoding: ${coding}\r\n`);
    expect(decode(body).toString()).toBe(TEXT);
  });

  test('passes in chunks with identity, counted as bypassed', async () => {
    const { head, body } = await answerTo(get(null), response(''), 'compression algo identity');
    expect(head).toContain('transfer-encoding: chunked\r\nvary: Accept-Encoding\r\nconnection');
    expect(body.toString()).toBe(TEXT);
    expect(rig.counter('frontend', 'web', 'comp_byp')).toBe(TEXT.length);
    expect(rig.counter('frontend', 'web', 'comp_rsp')).toBe(1);
  });

  test('in chunks stays so, and its trailers behind it', async () => {
    const chunks = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-End: 1\r\n\r\n`;
    const { head, body, trailers } = await answerTo(get('gzip'), chunks);
    expect(head).toBe(
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nvary: Accept-Encoding\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n',
    );
    expect(zlib.gunzipSync(body).toString()).toBe('hello world');
    expect(trailers).toBe('x-end: 1\r\n\r\n');
  });

  const LEFT_ALONE: readonly (readonly [string, string, string, string])[] = [
    ['nobody asked for it', get(null), response(''), GZIP],
    ['the client wants none of ours', get('br, deflate'), response(''), GZIP],
    ['the client refuses it', get('gzip;q=0'), response(''), GZIP],
    ['the client speaks HTTP/1.0', get('gzip').replace('1.1', '1.0'), response(''), GZIP],
    ['the server speaks HTTP/1.0', get('gzip'), response('', TEXT, 'HTTP/1.0 200 OK'), GZIP],
    ['of its status', get('gzip'), response('', TEXT, 'HTTP/1.1 404 Not Found'), GZIP],
    ['it is encoded', get('gzip'), response('Content-Encoding: x\r\n'), GZIP],
    ['it must not be changed', get('gzip'), response('Cache-Control: public, No-Transform\r\n'), GZIP],
    ['its ETag is none', get('gzip'), response('ETag: x\r\n'), GZIP],
    ['it has two ETags', get('gzip'), response('ETag: "a"\r\nETag: "b"\r\n'), GZIP],
    ['it is empty', get('gzip'), response('', ''), GZIP],
    ['it is small', get('gzip'), response('', 'x'.repeat(99)), `${GZIP}\ncompression minsize-res 100`],
    ['of its type', get('gzip'), response(''), `${GZIP}\ncompression type text/html application/`],
    ['of the browser', get('gzip', 'User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows)\r\n'), response(''), GZIP],
    ['another filter comes first', get('gzip'), response(''), `${GZIP}\nfilter comp-req`],
    ['the order leaves it out', get('gzip'), response(''), `${GZIP}\nfilter-sequence response bwlim-out`],
  ];

  test.each(LEFT_ALONE)('is left alone when %s', async (_, request, from, lines) => {
    const { head, body } = await answerTo(request, from, lines);
    expect(head).not.toMatch(/^vary|^content-encoding: gzip/m);
    expect(head).toContain('\r\ncontent-length: ');
    expect(from.endsWith(body.toString())).toBe(true);
    expect(rig.counter('frontend', 'web', 'comp_rsp')).toBe(0);
  });

  /** The head as the server sent it decides, not as the rules left it (measured: HAProxy 2.6). */
  const RULED: readonly (readonly [string, string, boolean, string])[] = [
    ['', 'set-header Cache-Control no-transform', true, 'cache-control: no-transform'],
    ['', 'set-header Content-Type image/png', true, 'content-type: image/png'],
    ['', 'set-header ETag x', true, 'etag: x'],
    ['', 'set-header ETag \'"x"\'', true, 'etag: W/"x"'],
    ['', 'set-status 404', true, 'vary: Accept-Encoding'],
    ['Cache-Control: no-transform\r\n', 'del-header Cache-Control', false, 'content-length'],
    ['Content-Encoding: x\r\n', 'del-header Content-Encoding', false, 'content-length'],
    ['ETag: x\r\n', 'del-header ETag', false, 'content-length'],
  ];

  test.each(RULED)('rules come too late to decide: %j, %s', async (headers, rule, compressed, has) => {
    const lines = `${GZIP}\ncompression type text/\nhttp-response ${rule}`;
    const { head } = await answerTo(get('gzip'), response(headers), lines);
    expect(head.includes('content-encoding: gzip')).toBe(compressed);
    expect(head).toContain(has);
  });

  test.each([
    ['', true],
    ['compression type text/html', false],
    ['http-after-response set-header X-A b', true],
  ])('of the statistics page too: %j', async (more, compressed) => {
    const s = await origin();
    const r = await proxy(s.port, `${GZIP}\nstats uri /st\n${more}`);
    const { head, body } = parse(await ask(r.port('web'), get('gzip').replace('/', '/st;csv')));
    expect(head.includes('\r\nvary: Accept-Encoding\r\ncontent-encoding: gzip\r\n')).toBe(compressed);
    expect(head.match(/transfer-encoding: chunked/g)).toHaveLength(1);
    const page = (compressed ? zlib.gunzipSync(body) : body).toString();
    expect(page).toMatch(/^# pxname,.*\nweb,FRONTEND,.*\nweb,s1,.*\nweb,BACKEND,.*\n\n?$/);
    expect(r.counter('frontend', 'web', 'comp_rsp')).toBe(compressed ? 1 : 0);
    expect(r.counter('backend', 'web', 'comp_rsp')).toBe(0);
    expect(r.counter('backend', 'web', 'comp_in')).toBe(compressed ? page.length : 0);
    await until(() => r.ends.length === 1);
    expect(r.ends[0]!.state).toBe('LR');
  });

  test.each([
    ['gzip;q=0.5, deflate;q=0.8', 'deflate'],
    ['gzip;q=0.8, deflate;q=0.5', 'gzip'],
    ['deflate, gzip', 'deflate'],
    ['GZIP ; Q=1', 'gzip'],
    ['*', 'deflate'],
    ['gzip;q=0.001, deflate;q=x', 'deflate'],
    ['br;q=1.0, gzip;q=0.2', 'gzip'],
  ])('is made what the client wants most: %s', async (accepted, coding) => {
    const { head } = await answerTo(get(accepted), response(''), 'compression algo gzip deflate');
    expect(head).toContain(`\r\ncontent-encoding: ${coding}\r\n`);
  });

  test('that is our own is none, and res.comp says so', async () => {
    const lines = `${GZIP}\nhttp-after-response set-header X-Comp %[res.comp],%[res.comp_algo]`;
    const { head } = await answerTo(get('gzip'), 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n', lines);
    expect(head).toContain('x-comp: 0,\r\n');
    const other = await answerTo(get('gzip'), response(''), lines);
    expect(other.head).toContain('x-comp: 1,gzip\r\n');
  });

  test('to HEAD stays without a payload, and as it was', async () => {
    const { head, body } = await answerTo(
      get('gzip').replace('GET', 'HEAD'),
      `${response('', TEXT).split('\r\n\r\n')[0]!}\r\n\r\n`,
    );
    expect(head).toContain(`content-length: ${TEXT.length}`);
    expect(body.length).toBe(0);
  });

  test('with offload the server is not told', async () => {
    let heard = '';
    const s = await origin(request => {
      heard = request;
      return response('');
    });
    const r = await proxy(s.port, `${GZIP}\ncompression offload`);
    const { head } = parse(await ask(r.port('web'), get('gzip')));
    expect(head).toContain('content-encoding: gzip');
    expect(heard).not.toContain('accept-encoding');
  });

  test('leaves as it is made', async () => {
    const s = await origin();
    const r = await proxy(s.port, GZIP);
    const client = await connect(r.port('web'));
    client.send(get('gzip'));
    const from = await s.conn();
    await from.has('\r\n\r\n');
    from.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (const piece of ['first', ', second', ', third']) {
      from.send(`${piece.length.toString(16)}\r\n${piece}\r\n`);
      await client.until(w => {
        if (!w.received.includes('\r\n\r\n')) return false;
        const read = zlib.gunzipSync(parse(w.received).body, { finishFlush: zlib.constants.Z_SYNC_FLUSH });
        return read.toString().endsWith(piece);
      });
    }
    from.send('0\r\n\r\n');
    await client.end();
    expect(zlib.gunzipSync(parse(client.received).body).toString()).toBe('first, second, third');
  });

  test('a client that leaves, and a server that dies, free what was held', async () => {
    const s = await origin();
    const r = await proxy(s.port, GZIP);
    for (const leaves of [true, false]) {
      const client = await connect(r.port('web'));
      client.send(get('gzip'));
      const from = await s.conn(s.conns.length);
      await from.has('\r\n\r\n');
      from.send(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${TEXT}`);
      await client.has('content-encoding: gzip');
      (leaves ? client : from).socket.resetAndDestroy();
      await client.until(w => w.closed || w.ended);
      client.socket.destroy();
    }
    await until(() => r.ends.length === 2);
    expect(r.ends.map(({ state }) => state)).toEqual(['CD', 'SD']);
  });

  test('kept connections: one after the other', async () => {
    const s = await origin(head => ok(`${head.split(' ')[1]} ${TEXT}`));
    const r = await proxy(s.port, GZIP);
    const client = await connect(r.port('web'));
    for (let i = 0; i < 5; i++) {
      client.send(get('gzip').replace('/', `/${i}`).replace('Connection: close\r\n', ''));
      await client.has('\r\n0\r\n\r\n');
      expect(zlib.gunzipSync(parse(client.take()).body).toString()).toBe(`/${i} ${TEXT}`);
    }
    client.socket.destroy();
    expect(r.counter('frontend', 'web', 'cum_conn')).toBe(1);
  });

  test('any payload in any chunks and pieces comes out as it was', async () => {
    const s = await origin();
    const r = await proxy(s.port, 'compression algo gzip');
    const body = fc.array(fc.string({ minLength: 1, maxLength: 3000, unit: 'grapheme-ascii' }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(body, fc.array(fc.integer({ min: 1, max: 4000 })), async (chunks, cuts) => {
        const client = await connect(r.port('web'));
        client.send(get('gzip'));
        const from = await s.conn(s.conns.length);
        await from.has('\r\n\r\n');
        const frames = chunks.map(chunk => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
        let text = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${frames}0\r\n\r\n`;
        for (const cut of cuts) {
          from.send(text.slice(0, cut));
          text = text.slice(cut);
          await pass(1);
        }
        from.send(text);
        await client.end();
        expect(zlib.gunzipSync(parse(client.received).body).toString()).toBe(chunks.join(''));
        client.socket.destroy();
      }),
      { numRuns: 25 },
    );
  });
});

describe('a request', () => {
  const LINES = 'filter comp-req\ncompression algo-req gzip\ncompression type-req text/';

  async function post(lines: string, head: string, payload: string): Promise<string> {
    const s = await origin();
    const r = await proxy(s.port, lines);
    const client = await connect(r.port('web'));
    client.send(`POST / HTTP/1.1\r\nHost: a\r\n${head}\r\n${payload}`);
    const from = await s.conn();
    await from.until(w => w.received.endsWith('0\r\n\r\n') || w.received.endsWith(payload));
    from.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await client.has('200 OK');
    client.socket.destroy();
    return from.received;
  }

  test('is compressed', async () => {
    const got = parse(await post(LINES, `Content-Type: text/x\r\nContent-Length: ${TEXT.length}\r\n`, TEXT));
    expect(got.head).toContain('content-type: text/x\r\ntransfer-encoding: chunked\r\ncontent-encoding: gzip\r\n');
    expect(got.head).not.toContain('content-length');
    expect(zlib.gunzipSync(got.body).toString()).toBe(TEXT);
  });

  test('in chunks too, also when it was buffered before', async () => {
    const payload = `3\r\nabc\r\n${TEXT.length.toString(16)}\r\n${TEXT}\r\n0\r\n\r\n`;
    const head = 'Content-Type: text/x\r\nTransfer-Encoding: chunked\r\n';
    for (const more of ['', '\noption http-buffer-request']) {
      const got = parse(await post(LINES + more, head, payload));
      expect(zlib.gunzipSync(got.body).toString()).toBe(`abc${TEXT}`);
      await rig.stop();
    }
  });

  test('of another type is not', async () => {
    const got = await post(LINES, `Content-Type: image/x\r\nContent-Length: ${TEXT.length}\r\n`, TEXT);
    expect(got.endsWith(TEXT)).toBe(true);
  });

  test('is neither when only responses are to be', async () => {
    const got = await post(`${GZIP}\ncompression algo-req gzip`, `Content-Length: ${TEXT.length}\r\n`, TEXT);
    expect(got.endsWith(TEXT)).toBe(true);
  });
});

describe('limits', () => {
  test('maxcomprate: what comes when it is reached is not compressed', async () => {
    const s = await origin(() => response(''));
    const r = await proxy(s.port, GZIP, 'maxcomprate 1');
    const answers: string[] = [];
    for (let i = 0; i < 2; i++) answers.push(await ask(r.port('web'), get('gzip')));
    expect(answers[0]).toContain('content-encoding: gzip');
    expect(answers[1]).not.toContain('content-encoding');
  });

  test('maxcomprate: a body under way is compressed less, then not at all, and can be read', async () => {
    const s = await origin();
    const r = await proxy(s.port, GZIP, 'maxcomprate 1\n  tune.comp.maxlevel 3');
    const client = await connect(r.port('web'));
    client.send(get('gzip'));
    const from = await s.conn();
    await from.has('\r\n\r\n');
    from.send(`HTTP/1.1 200 OK\r\nContent-Length: ${8 * TEXT.length}\r\n\r\n`);
    for (let i = 0; i < 8; i++) {
      from.send(TEXT);
      await pass(10);
    }
    await client.end();
    const { body } = parse(client.received);
    expect(zlib.gunzipSync(body).toString()).toBe(TEXT.repeat(8));
    expect(body.length).toBeGreaterThan(2 * TEXT.length);
    expect(r.counter('frontend', 'web', 'comp_byp')).toBeGreaterThan(2 * TEXT.length);
  });

  test('maxzlibmem: no more at once than it allows', async () => {
    const s = await origin();
    const r = await proxy(s.port, GZIP, 'maxzlibmem 1');
    const heads: string[] = [];
    for (let i = 0; i < 6; i++) {
      const client = await connect(r.port('web'));
      client.send(get('gzip'));
      const from = await s.conn(i);
      await from.has('\r\n\r\n');
      from.send('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx');
      await client.has('\r\n\r\n');
      heads.push(client.received);
    }
    // 264 KiB each.
    expect(heads.filter(head => head.includes('content-encoding: gzip')).length).toBe(4);
    for (const { socket } of s.conns) socket.destroy();
  });
});
