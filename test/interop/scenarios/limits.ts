/** Heads near the limits, with small ones set. */
import { ok } from '../../proxy/wire.ts';
import type { Scenario } from '../differential.ts';
import { all } from './failures.ts';
import { GET } from './messages.ts';

const GLOBAL = ['tune.bufsize 4096', 'tune.maxrewrite 1024', 'tune.http.maxhdr 10', 'tune.http.logurilen 30'];
const BYTES = 'how many bytes just fit depends on how a head is kept in memory';

function request(name: string, text: string, differs: Record<string, string> = {}): Scenario {
  return {
    name: `request: ${name}`,
    global: GLOBAL,
    lines: [],
    differs,
    play: async ({ client, answer, pause }) => {
      answer(() => ok());
      const c = await client();
      c.send(text);
      await c.wire.until(w => w.received.length > 0 || w.ended, 1500).catch(() => {});
      await pause(50);
    },
  };
}

function response(name: string, text: string, differs: Record<string, string> = {}): Scenario {
  return {
    name: `response: ${name}`,
    global: GLOBAL,
    lines: [],
    differs,
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send(GET);
      const s = await server();
      await s.has('\r\n\r\n');
      s.send(text);
      await c.wire.until(w => w.received.length > 0 || w.ended, 1500).catch(() => {});
      await pause(50);
    },
  };
}

const headers = (n: number) => 'X: y\r\n'.repeat(n);
const head = (bytes: number) => `X: ${'x'.repeat(bytes)}\r\n`;

export const LIMITS: readonly Scenario[] = [
  ...[8, 9, 10, 11].map(n => request(`${n} headers`, `GET / HTTP/1.1\r\nHost: a\r\n${headers(n - 1)}\r\n`)),
  ...[8, 9, 10, 11].map(n => response(`${n} headers`, `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${headers(n - 1)}\r\n`)),
  request('2,500 bytes', `GET / HTTP/1.1\r\nHost: a\r\n${head(2500)}\r\n`),
  request('3,500 bytes', `GET / HTTP/1.1\r\nHost: a\r\n${head(3500)}\r\n`, all(BYTES)),
  request('5,000 bytes', `GET / HTTP/1.1\r\nHost: a\r\n${head(5000)}\r\n`),
  request('a request line that logs cut', `GET /${'x'.repeat(50)} HTTP/1.1\r\nHost: a\r\n\r\n`),
  request('5,000 bytes of URI', `GET /${'x'.repeat(5000)} HTTP/1.1\r\nHost: a\r\n\r\n`),
  response('2,500 bytes', `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${head(2500)}\r\n`),
  response('3,500 bytes', `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${head(3500)}\r\n`, all(BYTES)),
  response('5,000 bytes', `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${head(5000)}\r\n`),
  {
    name: 'request: a slow head',
    global: GLOBAL,
    lines: [],
    play: async ({ client, answer, pause }) => {
      answer(() => ok());
      const c = await client();
      for (const byte of GET) {
        c.send(byte);
        await pause(3);
      }
      await c.has('ok');
    },
  },
  {
    name: 'response: a slow head',
    global: GLOBAL,
    lines: [],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send(GET);
      const s = await server();
      await s.has('\r\n\r\n');
      for (const byte of ok('slow')) {
        s.send(byte);
        await pause(3);
      }
      await c.has('slow');
    },
  },
  {
    name: 'response: a head that grows past the limit',
    global: GLOBAL,
    lines: [],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send(GET);
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 200 OK\r\n');
      for (let i = 0; i < 8; i++) {
        s.send(head(600));
        await pause(10);
      }
      await c.has('502');
      await pause(30);
    },
  },
  {
    name: 'forwarded headers need room',
    global: GLOBAL,
    lines: ['option forwardfor', 'option originalto'],
    play: async ({ client, answer, pause }) => {
      answer(() => ok());
      const c = await client();
      c.send(`GET / HTTP/1.1\r\nHost: a\r\n${headers(7)}\r\n`);
      await c.wire.until(w => w.received.length > 0, 1500).catch(() => {});
      await pause(30);
    },
  },
  {
    name: 'nolinger in HTTP',
    global: GLOBAL,
    lines: ['option nolinger'],
    differs: { clients: 'a client gets its whole response before the reset' },
    play: async ({ client, answer, pause }) => {
      answer(() => ok());
      const c = await client();
      c.send(GET.replace('Host', 'Connection: close\r\nHost'));
      await c.wire.until(w => w.closed || w.ended).catch(() => {});
      await pause(30);
    },
  },
];
