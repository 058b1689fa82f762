/** Every time-out, in HTTP. */

import { ok } from '../../proxy/wire.ts';
import type { Scenario } from '../differential.ts';
import { CLOSE, GET } from './messages.ts';

const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello';

export const TIMEOUTS: readonly Scenario[] = [
  ...['', 'option dontlognull', 'option http-ignore-probes'].flatMap(
    option =>
      [
        {
          name: `http-request, nothing sent ${option}`,
          lines: ['timeout http-request 200ms', option],
          play: async ({ client, pause }) => {
            const c = await client();
            await c.end();
            await pause(50);
          },
        },
        {
          name: `http-request, half a head ${option}`,
          lines: ['timeout http-request 200ms', option],
          play: async ({ client, pause }) => {
            const c = await client();
            c.send('GET / HTT');
            await c.end();
            await pause(50);
          },
        },
        {
          name: `client, nothing sent ${option}`,
          lines: ['timeout client 200ms', option],
          play: async ({ client, pause }) => {
            const c = await client();
            await c.end();
            await pause(50);
          },
        },
      ] satisfies Scenario[],
  ),
  {
    name: 'http-request: bytes do not extend it',
    lines: ['timeout http-request 300ms'],
    play: async ({ client, pause }) => {
      const c = await client();
      for (const byte of 'GET / HTTP/1.1') {
        if (c.wire.ended) break;
        c.send(byte);
        await pause(40);
      }
      await c.end();
    },
  },
  {
    name: 'http-request 2nd request starts late',
    lines: ['timeout http-request 300ms', 'timeout http-keep-alive 600ms'],
    play: async ({ client, answer, pause }) => {
      answer(() => ok());
      const c = await client();
      c.send(GET);
      await c.has('\r\n\r\nok');
      await pause(400);
      c.send('GET / HT');
      await c.end();
      await pause(50);
    },
  },
  {
    name: 'http-keep-alive',
    lines: ['timeout http-keep-alive 200ms'],
    play: async ({ client, answer, pause }) => {
      answer(() => ok());
      const c = await client();
      c.send(GET);
      await c.has('\r\n\r\nok');
      await c.end();
      await pause(50);
    },
  },
  {
    name: 'http-request is the keep-alive one when that is not set',
    lines: ['timeout http-request 200ms'],
    play: async ({ client, answer, pause }) => {
      answer(() => ok());
      const c = await client();
      c.send(GET);
      await c.has('\r\n\r\nok');
      await c.end();
      await pause(50);
    },
  },
  {
    name: 'client in the payload',
    lines: ['timeout client 200ms'],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send(POST);
      const s = await server();
      await s.has('hello');
      await c.end();
      await pause(50);
    },
  },
  {
    name: 'client in the payload, server has answered',
    differs: { clients: 'HAProxy reads on', servers: 'HAProxy lets the connection end with FIN' },
    lines: ['timeout client 200ms'],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send(POST);
      const s = await server();
      await s.has('hello');
      s.send(ok('early'));
      await c.end();
      await pause(50);
    },
  },
  {
    name: 'connect',
    lines: ['timeout connect 200ms', 'server s1 $mute'],
    play: async ({ client, pause }) => {
      const c = await client();
      c.send(CLOSE);
      await c.end();
      await pause(50);
    },
  },
  {
    name: 'connect, with retries',
    lines: ['timeout connect 150ms', 'retries 2', 'server s1 $mute'],
    play: async ({ client, pause }) => {
      const c = await client();
      c.send(CLOSE);
      await c.end();
      await pause(50);
    },
  },
  {
    name: 'queue',
    lines: ['timeout queue 200ms', 'server s1 $1 maxconn 1'],
    play: async ({ client, server, pause }) => {
      const first = await client();
      first.send(GET);
      const s = await server();
      await s.has('\r\n\r\n');
      const c = await client();
      c.send(GET);
      await c.has('503');
      s.send(ok());
      await first.has('ok');
      await pause(50);
    },
  },
  {
    name: 'queue, by connect',
    lines: ['timeout connect 200ms', 'server s1 $1 maxconn 1'],
    play: async ({ client, server, pause }) => {
      const first = await client();
      first.send(GET);
      await (await server()).has('\r\n\r\n');
      const c = await client();
      c.send(CLOSE);
      await c.end();
      await pause(50);
    },
  },
  {
    name: 'server before the response',
    lines: ['timeout server 200ms'],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send(GET);
      await (await server()).has('\r\n\r\n');
      await c.has('504');
      await pause(50);
    },
  },
  {
    name: 'server in its head',
    lines: ['timeout server 200ms'],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send(GET);
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 200 O');
      await c.has('504');
      await pause(50);
    },
  },
  {
    name: 'server in the payload',
    lines: ['timeout server 200ms'],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send(GET);
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
      await c.end();
      await pause(50);
    },
  },
  {
    name: 'server while the client still sends',
    lines: ['timeout server 200ms'],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send(POST);
      const s = await server();
      await s.has('hello');
      await pause(350);
      c.send('world');
      await c.has('504');
      await pause(50);
    },
  },
  {
    name: 'tunnel',
    lines: ['timeout tunnel 300ms', 'timeout client 150ms', 'timeout server 150ms'],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\n');
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\n');
      await c.has('101');
      await pause(220);
      c.send('x');
      await s.has('x');
      await c.end();
      await pause(50);
    },
  },
  {
    name: 'tunnel not set: client',
    differs: { servers: 'HAProxy ends the server connection with FIN here' },
    lines: ['timeout client 200ms'],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\n');
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\n');
      await c.end();
      await pause(50);
    },
  },
  {
    name: 'tunnel not set: server',
    lines: ['timeout server 200ms'],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\n');
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\n');
      await c.end();
      await pause(50);
    },
  },
  {
    name: 'client-fin in a tunnel',
    lines: ['timeout tunnel 2s', 'timeout client-fin 200ms'],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\n');
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\n');
      await c.has('101');
      c.fin();
      await c.end();
      await pause(50);
    },
  },
  {
    name: 'server-fin in a tunnel',
    lines: ['timeout tunnel 2s', 'timeout server-fin 200ms'],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\n');
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\n');
      await c.has('101');
      c.fin();
      await c.end();
      await pause(50);
    },
  },
];
