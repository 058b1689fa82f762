/** HTTP messages that go well: framing, versions, connections that live on, interim responses, tunnels. */

import { ok } from '../../proxy/wire.ts';
import type { Scenario } from '../differential.ts';

export const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
export const CLOSE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n';
const CHUNKED = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

/** A request answered by the origin, once per connection of `requests` in one client connection. */
function exchange(
  name: string,
  lines: string[],
  requests: string[],
  answer: string,
  differs: Record<string, string> = {},
): Scenario {
  return {
    name,
    lines,
    differs,
    play: async ({ client, answer: answers }) => {
      answers(() => answer);
      const c = await client();
      for (const request of requests) {
        const before = c.wire.received.length;
        c.send(request);
        await c.wire.until(w => w.received.length > before || w.ended || w.closed, 1500).catch(() => {});
        await new Promise(resolve => setTimeout(resolve, 40));
      }
    },
  };
}

const MODES = ['option http-keep-alive', 'option http-server-close', 'option httpclose'];
const VERSIONS = [
  ['1.1', GET],
  ['1.1 close', CLOSE],
  ['1.0', 'GET / HTTP/1.0\r\n\r\n'],
  ['1.0 keep-alive', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'],
] as const;

const RESPONSES = [
  ['length', ok('hello')],
  ['close', ok('hello', 'Connection: close\r\n')],
  ['1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['1.0 keep-alive', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok'],
  ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=1\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n'],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n'],
  ['304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nEtag: "x"\r\n\r\n'],
  ['no reason', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n'],
  ['keep-alive header', ok('hello', 'Keep-Alive: timeout=5\r\nConnection: keep-alive\r\n')],
  ['trailing bytes', `${ok('hello')}junk`],
] as const;

/** So the connection ends with the response, and counters and log have one request less. */
const WHY = 'HAProxy sends chunks to clients of HTTP/1.0, which RFC 9112 6.1 forbids';
const NO_CHUNKS_TO_1_0 = { clients: WHY, servers: WHY, log: WHY, counters: WHY };

const matrix = MODES.flatMap(mode =>
  VERSIONS.flatMap(([version, request]) =>
    RESPONSES.map(([name, response]) =>
      exchange(
        `${mode}, ${version}, ${name}`,
        [mode],
        [request, request],
        response,
        version.startsWith('1.0') && name === 'chunked' ? NO_CHUNKS_TO_1_0 : {},
      ),
    ),
  ),
);

export const MESSAGES: readonly Scenario[] = [
  ...matrix,
  exchange('HEAD', [], ['HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', GET], 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
  exchange(
    'HEAD of chunked',
    [],
    ['HEAD / HTTP/1.1\r\nHost: a\r\n\r\n'],
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
  ),
  exchange(
    'option drop headers kept in order',
    ['option forwardfor', 'option originalto'],
    [
      'GET /x?y HTTP/1.1\r\nHost: a\r\nX-A:  1 \r\nX-a: 2\r\nConnection: X-Hop, Keep-Alive\r\nX-Hop: 1\r\nKeep-Alive: 3\r\nTE: trailers\r\nProxy-Connection: keep-alive\r\n\r\n',
    ],
    ok(),
  ),
  {
    name: 'pipelining',
    lines: [],
    play: async ({ client, answer, pause }) => {
      answer((_, n) => ok(`r${n}`));
      const c = await client();
      c.send(GET + GET + CLOSE);
      await c.end();
      await pause(10);
    },
  },
  {
    name: 'pipelining with bodies',
    lines: [],
    play: async ({ client, answer }) => {
      answer((_, n) => ok(`r${n}`));
      const c = await client();
      c.send(`${POST}hello${CHUNKED}3\r\nabc\r\n0\r\n\r\n${CLOSE}`);
      await c.end();
    },
  },
  {
    name: 'leading CRLF between requests',
    lines: [],
    play: async ({ client, answer }) => {
      answer(() => ok());
      const c = await client();
      c.send(`\r\n${GET}`);
      await c.has('\r\n\r\nok');
      c.send(`\r\n\r\n${CLOSE}`);
      await c.end();
    },
  },
  {
    name: 'until close',
    lines: [],
    play: async ({ client, server }) => {
      const c = await client();
      c.send(GET);
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 200 OK\r\n\r\npart');
      await c.has('part');
      s.send(' two');
      s.fin();
      await c.end();
    },
  },
  {
    name: 'until close ends with RST',
    lines: [],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send(GET);
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 200 OK\r\n\r\npart');
      await c.has('part');
      await pause(20);
      s.rst();
      await c.end();
    },
  },
  {
    name: 'payload in pieces, both ways',
    lines: [],
    play: async ({ client, server }) => {
      const c = await client();
      c.send(POST);
      const s = await server();
      await s.has('\r\n\r\n');
      c.send('hel');
      await s.has('hel');
      c.send('lo');
      await s.has('hello');
      s.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab');
      await c.has('ab');
      s.send('cd');
      await c.has('abcd');
    },
  },
  {
    name: 'chunked request with extensions and trailers',
    lines: [],
    play: async ({ client, answer, pause }) => {
      answer(() => ok());
      const c = await client();
      c.send(CHUNKED);
      await pause(20);
      c.send('3;a=b\r\nabc\r\n');
      await pause(20);
      c.send('0\r\nX-T: 1\r\n\r\n');
      await c.has('\r\n\r\nok');
      await pause(50);
    },
  },
  {
    name: 'Expect: 100-continue, passed',
    lines: [],
    play: async ({ client, server }) => {
      const c = await client();
      c.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 100 Continue\r\n\r\n');
      await c.has('100 Continue');
      c.send('hi');
      await s.has('\r\n\r\nhi');
      s.send(ok('done'));
      await c.has('done');
    },
  },
  {
    name: 'Expect: 100-continue, refused at once',
    lines: [],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n');
      await c.has('417');
      await pause(50);
      c.send('hi');
      await pause(50);
    },
  },
  {
    name: 'a series of 1xx',
    lines: [],
    play: async ({ client, server }) => {
      const c = await client();
      c.send(GET);
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n');
      s.send(`HTTP/1.1 199 Odd\r\nContent-Length: 3\r\n\r\n${ok('done')}`);
      await c.has('done');
    },
  },
  {
    name: '1xx to HTTP/1.0',
    lines: [],
    play: async ({ client, server }) => {
      const c = await client();
      c.send('GET / HTTP/1.0\r\n\r\n');
      const s = await server();
      await s.has('\r\n\r\n');
      s.send(`HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${ok('done')}`);
      await c.end();
    },
  },
  {
    name: '1xx, then the server closes',
    lines: [],
    play: async ({ client, server }) => {
      const c = await client();
      c.send(GET);
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n');
      await c.has('103');
      s.fin();
      await c.end();
    },
  },
  {
    name: 'upgrade, client ends first',
    lines: [],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\n');
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\nwelcome');
      await c.has('welcome');
      c.send('ping');
      await s.has('ping');
      s.send('pong');
      await c.has('pong');
      c.fin();
      await s.end();
      s.send('bye');
      await c.has('bye');
      s.fin();
      await c.end();
      await pause(20);
    },
  },
  {
    name: 'upgrade, server ends first',
    lines: [],
    differs: { servers: 'HAProxy 2.6 drops what the client sends after the end of the server' },
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\n');
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\nwelcome');
      await c.has('welcome');
      s.fin();
      await c.end();
      c.send('late');
      await s.has('late');
      c.fin();
      await s.end();
      await pause(20);
    },
  },
  {
    name: 'upgrade refused: the connection goes on',
    lines: [],
    play: async ({ client, answer }) => {
      answer(() => ok('no'));
      const c = await client();
      c.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\n');
      await c.has('\r\n\r\nno');
      c.send(GET);
      await c.wire.until(w => w.received.split('\r\n\r\nno').length > 2, 1000).catch(() => {});
    },
  },
  {
    name: 'unsolicited 101',
    lines: [],
    play: async ({ client, answer }) => {
      answer(() => 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\n');
      const c = await client();
      c.send(GET);
      await c.end();
    },
  },
  {
    name: 'CONNECT accepted',
    lines: [],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 200 OK\r\n\r\n');
      await c.has('200 OK');
      c.send('\x16raw');
      await s.has('raw');
      s.fin();
      await c.end();
      c.fin();
      await pause(20);
    },
  },
  {
    name: 'CONNECT refused',
    lines: [],
    play: async ({ client, answer }) => {
      answer(() => 'HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno');
      const c = await client();
      c.send('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
      await c.has('\r\n\r\nno');
    },
  },
  {
    name: 'the response comes before the request has ended',
    lines: [],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
      const s = await server();
      await s.has('hello');
      s.send(ok('early'));
      await c.has('early');
      await pause(50);
      c.send('world');
      await s.has('helloworld');
      await pause(50);
    },
  },
  {
    name: 'early response with close, request never ends',
    lines: [],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
      const s = await server();
      await s.has('hello');
      s.send(ok('early', 'Connection: close\r\n'));
      s.fin();
      await c.has('early');
      await pause(100);
    },
  },
  {
    name: 'big payloads both ways',
    lines: [],
    play: async ({ client, server }) => {
      const c = await client();
      c.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`);
      const s = await server();
      await s.wire.until(w => w.received.length > 300_000);
      s.send(ok('y'.repeat(300_000)));
      await c.wire.until(w => w.received.length > 300_000);
    },
  },
];
