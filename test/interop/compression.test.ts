/** The same requests to HAProxy and Sluice: the same heads, bodies that decode to the same, the same counters; and curl. */
import { spawn, spawnSync } from 'node:child_process';
import zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, WireServer } from '../proxy/wire.ts';
import { haproxyVersion, type Peer, type Setup, startHaproxy, startSluice } from './peers.ts';

const version = haproxyVersion();
if (version === null) console.log('compression.test: skipped, no haproxy in PATH to compare with');

const TEXT = 'what is said often is soon said shorter; '.repeat(100);
const PLAIN = 'Content-Type: text/plain\r\n';

/** What the origin answers, by the path: headers, payload, status line. */
const ANSWERS: Readonly<Record<string, readonly [string, string?, string?]>> = {
  '/plain': [`${PLAIN}ETag: "x"\r\n`],
  '/weak': [`${PLAIN}ETag: W/"x"\r\nVary: Cookie\r\n`],
  '/odd-etag': [`${PLAIN}ETag: x\r\n`],
  '/half-etag': [`${PLAIN}ETag: "x\r\n`],
  '/two-etags': [`${PLAIN}ETag: "x"\r\nETag: "y"\r\n`],
  '/html': ['Content-Type: TEXT/HTML; charset=utf-8\r\n'],
  '/image': ['Content-Type: image/png\r\n'],
  '/untyped': [''],
  '/multipart': ['Content-Type: multipart/x\r\n'],
  '/encoded': [`${PLAIN}Content-Encoding: identity\r\n`],
  '/fixed': [`${PLAIN}Cache-Control: public, no-transform\r\n`],
  '/fixed-x': [`${PLAIN}Cache-Control: x="no-transform"\r\n`],
  '/empty': [PLAIN, ''],
  '/one': [PLAIN, 'x'],
  '/201': [PLAIN, TEXT, 'HTTP/1.1 201 Created'],
  '/206': [PLAIN, TEXT, 'HTTP/1.1 206 Partial Content'],
  '/404': [PLAIN, TEXT, 'HTTP/1.1 404 Not Found'],
  '/1.0': [PLAIN, TEXT, 'HTTP/1.0 200 OK'],
};

function answer(request: string): string {
  const path = request.split(' ')[1]!;
  if (path === '/chunked') {
    const chunks = [TEXT, 'x', TEXT].map(chunk => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
    return `HTTP/1.1 200 OK\r\n${PLAIN}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`;
  }
  const [headers, body = TEXT, line = 'HTTP/1.1 200 OK'] = ANSWERS[path]!;
  const heard = /^accept-encoding:.*$/im.exec(request)?.[0] ?? 'accept-encoding: nothing';
  const length = request.startsWith('HEAD') || body !== '' ? body.length : 0;
  const head = `${line}\r\n${headers}X-Heard: ${heard}\r\nContent-Length: ${length}\r\n\r\n`;
  return request.startsWith('HEAD') ? head : head + body;
}

const PROXIES: Readonly<Record<string, readonly string[]>> = {
  gzip: ['compression algo gzip', 'compression type text/html text/plain'],
  three: ['compression algo gzip deflate', 'compression algo raw-deflate'],
  identity: ['compression algo identity'],
  offload: ['filter compression', 'compression algo gzip', 'compression offload'],
};

const REQUESTS: readonly (readonly [path: string, encoding: string | null, more?: string])[] = [
  ...[...Object.keys(ANSWERS), '/chunked'].map(path => [path, 'gzip'] as const),
  ['/plain', null],
  ...[
    'br',
    'gzip;q=0',
    'gzip;q=0.5,deflate;q=0.6',
    'deflate, gzip',
    '*',
    '*;q=0',
    'GZip ; q=0.3',
    'x, gzip;q=0.001',
  ].map(encoding => ['/plain', encoding] as const),
  ...['gzip;q=0.1, gzip;q=0', 'identity, gzip;q=0.5', 'gzip;q=x', 'gzip;q=2', 'gzip;a=b;q=0', ', ,gzip,'].map(
    encoding => ['/plain', encoding] as const,
  ),
  ['/plain', 'br\r\nAccept-Encoding: gzip'],
  ['/plain', 'gzip', 'User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)\r\n'],
  ['/plain', 'gzip', 'User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)\r\n'],
  ['/plain', 'gzip', 'User-Agent: Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 5.1)\r\n'],
  ['/plain', 'gzip', 'User-Agent: Mozilla/5.0\r\n'],
];

const DECODE: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: zlib.gunzipSync,
  deflate: bytes => (bytes[0] === 0x78 ? zlib.inflateSync(bytes) : zlib.inflateRawSync(bytes)),
};

/** The head, and the payload decoded. */
function read(text: string): { head: string; body: string } {
  const split = text.indexOf('\r\n\r\n') + 4;
  const head = text.slice(0, split);
  let body = Buffer.from(text.slice(split), 'latin1');
  if (/^transfer-encoding: chunked/m.test(head)) body = unchunked(body);
  const coding = /^content-encoding: (\S+)/m.exec(head)?.[1] ?? '';
  return { head, body: (DECODE[coding]?.(body) ?? body).toString('latin1') };
}

function unchunked(bytes: Buffer): Buffer<ArrayBuffer> {
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.subarray(at, line).toString(), 16);
    if (size === 0) return Buffer.concat(pieces);
    pieces.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}

describe.skipIf(version === null)('beside HAProxy', () => {
  let origin: WireServer;
  const peers: Peer[] = [];

  beforeAll(async () => {
    origin = await WireServer.start(answer);
    const setup: Setup = {
      global: [],
      defaults: ['mode http', 'timeout client 5s', 'timeout server 5s', 'timeout connect 1s'],
      sections: Object.entries(PROXIES).map(([name, lines]) => {
        return { name, bind: '', lines: [...lines, `server s1 127.0.0.1:${origin.port}`] };
      }),
    };
    peers.push(await startHaproxy(setup), await startSluice(setup));
  });

  afterAll(async () => {
    for (const peer of peers) await peer.stop();
    origin.stop();
  });

  test.each(Object.keys(PROXIES))('%s: heads, payloads, counters', async name => {
    for (const [path, encoding, more = ''] of REQUESTS) {
      for (const [method, httpVersion] of [
        ['GET', '1.1'],
        ['GET', '1.0'],
        ['HEAD', '1.1'],
      ]) {
        // HAProxy sends chunks to clients of HTTP/1.0.
        if (httpVersion === '1.0' && (path === '/chunked' || name === 'identity')) continue;
        if (method === 'HEAD' && path === '/chunked') continue;
        const accept = encoding === null ? '' : `Accept-Encoding: ${encoding}\r\n`;
        const request = `${method} ${path} HTTP/${httpVersion}\r\nHost: a\r\n${accept}${more}Connection: close\r\n\r\n`;
        const [theirs, ours] = await Promise.all(peers.map(async peer => read(await ask(peer.port(name), request))));
        expect(ours, request).toEqual(theirs);
      }
    }
    const [theirs, ours] = await Promise.all(peers.map(peer => peer.stats(name)));
    for (const side of ['FRONTEND', 'BACKEND']) {
      expect(ours![side]!.comp_rsp).toBe(theirs![side]!.comp_rsp);
      for (const column of ['comp_in', 'comp_byp']) {
        // HAProxy counts the end of a chunked payload as one byte more; there is one such answer each time.
        const more = Number(theirs![side]![column]) - Number(ours![side]![column]);
        expect(more, `${side} ${column}`).toBeGreaterThanOrEqual(0);
        expect(more, `${side} ${column}`).toBeLessThanOrEqual(2);
      }
      // Better than theirs, which keeps no state.
      expect(Number(ours![side]!.comp_out)).toBeLessThanOrEqual(Number(theirs![side]!.comp_out));
    }
  });

  const curl = spawnSync('curl', ['--version'], { encoding: 'utf8' });
  test.skipIf(curl.status !== 0)('curl --compressed gets what it can decode', async () => {
    const url = `http://127.0.0.1:${peers[1]!.port('three')}/plain`;
    const child = spawn('curl', ['-s', '--compressed', url]);
    let out = '';
    child.stdout.on('data', data => (out += data));
    await new Promise(resolve => child.on('close', resolve));
    expect(out).toBe(TEXT);
  });
});
