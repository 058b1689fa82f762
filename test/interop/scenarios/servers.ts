/** Which server, how often tried, who waits for it, which connections are used again, and what cookies say about that. */

import { ok } from '../../proxy/wire.ts';
import type { Scenario, Stage } from '../differential.ts';
import { all } from './failures.ts';
import { CLOSE, GET } from './messages.ts';

/** `requests` over connections of their own, one after another; origins answer their number. */
function asks(
  name: string,
  lines: string[],
  requests: string[],
  answer: string | null = null,
  differs: Record<string, string> = {},
): Scenario {
  const text = lines.join('\n');
  const origins = new Set([...text.matchAll(/\$(\d)/g)].map(m => Number(m[1])));
  return {
    name,
    lines,
    differs,
    play: async ({ client, answer: answers, pause }) => {
      for (const origin of origins) answers(() => answer ?? ok(`origin ${origin}`), origin);
      if (origins.size === 0 && !text.includes('server ')) answers(() => answer ?? ok('origin 1'));
      for (const request of requests) {
        const c = await client();
        c.send(request);
        await c.end();
      }
      await pause(50);
    },
  };
}

/** The same over one connection. */
function asksOnOne(
  name: string,
  lines: string[],
  requests: string[],
  answer = ok('yes'),
  differs: Record<string, string> = {},
): Scenario {
  return {
    name,
    lines,
    differs,
    play: async ({ client, answer: answers, pause }) => {
      answers(() => answer);
      const c = await client();
      for (const [i, request] of requests.entries()) {
        c.send(request);
        await c.wire.until(w => w.received.split('HTTP/1.1 ').length > i + 1, 1500).catch(() => {});
        await pause(20);
      }
      await pause(50);
    },
  };
}

const times = (n: number, request = CLOSE) => Array.from({ length: n }, () => request);
const withCookie = (cookie: string) => CLOSE.replace('Host', `Cookie: ${cookie}\r\nHost`);
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

const SERVERS = ['server s1 $1 cookie a', 'server s2 $2 cookie b'];
const SETS = ok('hello', 'Set-Cookie: SRV=app; path=/x\r\nSet-Cookie: other=1\r\n');

const COOKIE_MODES = [
  'cookie SRV insert',
  'cookie SRV insert indirect',
  'cookie SRV insert indirect nocache',
  'cookie SRV insert nocache',
  'cookie SRV insert indirect nocache postonly',
  'cookie SRV insert indirect preserve',
  'cookie SRV insert preserve',
  'cookie SRV insert httponly secure domain .x.org domain y.org',
  'cookie SRV insert attr "SameSite=Strict"',
  'cookie SRV prefix',
  'cookie SRV prefix nocache',
  'cookie SRV rewrite',
  'cookie SRV rewrite nocache',
];

const COOKIES = COOKIE_MODES.flatMap(mode => [
  asks(`${mode}: no cookie`, [mode, ...SERVERS], [CLOSE, CLOSE, POST]),
  asks(
    `${mode}: cookies`,
    [mode, ...SERVERS],
    [
      withCookie('SRV=b'),
      withCookie('x=1; SRV=b; y=2'),
      withCookie('SRV=nobody'),
      withCookie('SRV='),
      withCookie('SRV=b~rest'),
      withCookie('SRVX=b'),
      withCookie('SRV="b"'),
      withCookie('SRV=b; SRV=a'),
    ],
  ),
  asks(`${mode}: the server sets it`, [mode, ...SERVERS], [CLOSE, withCookie('SRV=b'), withCookie('SRV=b~app')], SETS),
  asks(
    `${mode}: the server is dead`,
    [mode, 'retries 1', 'option redispatch', 'server s1 $1 cookie a', 'server s2 $dead cookie b'],
    [withCookie('SRV=b')],
  ),
  asks(
    `${mode}: the server is down`,
    [mode, 'server s1 $1 cookie a', 'server s2 $2 cookie b disabled'],
    [withCookie('SRV=b'), withCookie('SRV=b~x')],
  ),
]);

const REUSE = ['never', 'safe', 'aggressive', 'always'].flatMap(mode => [
  asks(`http-reuse ${mode}: new clients`, [`http-reuse ${mode}`], times(3)),
  {
    name: `http-reuse ${mode}: two clients in turn`,
    lines: [`http-reuse ${mode}`],
    play: async ({ client, answer, pause }: Stage) => {
      answer(() => ok());
      const [a, b] = [await client(), await client()];
      for (const c of [a, a, b, b, a, b]) {
        const before = c.wire.received.length;
        c.send(GET);
        await c.wire.until(w => w.received.length > before).catch(() => {});
        await pause(20);
      }
      a.fin();
      await a.end();
      await pause(30);
      const c = await client();
      c.send(GET);
      await c.has('ok');
      await pause(30);
    },
  },
]);

/** Where both deny, `dresp` says so. */
const PAGE = 'by the manual 502; HAProxy 2.6 answers with its page for the status of the server';
const DENIED = Object.fromEntries(
  [
    'clients',
    'servers',
    'log',
    ...['FRONTEND', 'BACKEND'].flatMap(row => [2, 3, 4, 5].map(n => `${row}.hrsp_${n}xx`)),
  ].map(name => [name, PAGE]),
);

/** Responses that a cache may keep, or not: for `option checkcache` and `cookie ... nocache`. */
const CACHE = [
  ['plain', GET, ''],
  ['with an ETag', GET, 'ETag: "1"\r\n'],
  ['with Last-Modified', GET, 'Last-Modified: Mon, 02 Jan 2023 00:00:00 GMT\r\n'],
  ['with max-age', GET, 'Cache-Control: max-age=60\r\n'],
  ['with Expires', GET, 'Expires: Mon, 02 Jan 2023 00:00:00 GMT\r\n'],
  ['with public', GET, 'Cache-Control: public\r\n'],
  ['no-cache', GET, 'ETag: "1"\r\nCache-Control: no-cache\r\n'],
  ['no-store', GET, 'ETag: "1"\r\nCache-Control: no-store\r\n'],
  ['private', GET, 'ETag: "1"\r\nCache-Control: private\r\n'],
  ['max-age=0', GET, 'ETag: "1"\r\nCache-Control: max-age=0\r\n'],
  ['s-maxage=0', GET, 'ETag: "1"\r\nCache-Control: s-maxage=0\r\n'],
  ['no-cache="set-cookie"', GET, 'ETag: "1"\r\nCache-Control: no-cache="set-cookie"\r\n'],
  ['no-cache="set-cookie2"', GET, 'ETag: "1"\r\nCache-Control: no-cache="x, set-cookie"\r\n'],
  ['pragma', GET, 'ETag: "1"\r\nPragma: no-cache\r\n'],
  ['POST', GET.replace('GET', 'POST').replace('Host', 'Content-Length: 0\r\nHost'), 'ETag: "1"\r\n'],
  [
    'POST, public',
    GET.replace('GET', 'POST').replace('Host', 'Content-Length: 0\r\nHost'),
    'ETag: "1"\r\nCache-Control: public\r\n',
  ],
  ['HEAD', GET.replace('GET', 'HEAD'), 'ETag: "1"\r\n'],
  ['with Authorization', GET.replace('Host', 'Authorization: Basic x\r\nHost'), 'ETag: "1"\r\n'],
  ['a request of no-cache', GET.replace('Host', 'Cache-Control: no-cache\r\nHost'), 'ETag: "1"\r\n'],
  ['a request with pragma', GET.replace('Host', 'Pragma: no-cache\r\nHost'), 'ETag: "1"\r\n'],
]
  .flatMap(([name, request, headers]) => [
    asksOnOne(
      `checkcache: ${name}`,
      ['option checkcache'],
      [request!],
      ok('x', `Set-Cookie: a=1\r\n${headers}`),
      DENIED,
    ),
    asksOnOne(`checkcache, no cookie: ${name}`, ['option checkcache'], [request!], ok('x', headers)),
    asksOnOne(`nocache: ${name}`, ['cookie SRV insert nocache', 'server s1 $1 cookie a'], [request!], ok('x', headers)),
  ])
  .concat(
    [201, 204, 301, 302, 404, 410, 500].map(status =>
      asksOnOne(
        `checkcache: status ${status}`,
        ['option checkcache'],
        [GET],
        `HTTP/1.1 ${status} X\r\nETag: "1"\r\nSet-Cookie: a=1\r\n${status === 204 ? '' : 'Content-Length: 0\r\n'}\r\n`,
        DENIED,
      ),
    ),
  );

export const SERVERS_GROUP: readonly Scenario[] = [
  asks('dead server, no retry', ['server s1 $dead'], times(1)),
  asks('dead server, retries', ['retries 2', 'timeout connect 100ms', 'server s1 $dead'], times(1)),
  ...[
    'option redispatch',
    'option redispatch 1',
    'option redispatch 2',
    'option redispatch -1',
    'option redispatch -2',
    'no option redispatch',
  ].map(option =>
    asks(
      `${option}, first of two is dead`,
      ['retries 3', 'timeout connect 50ms', option, 'server s1 $dead', 'server s2 $1'],
      times(2),
    ),
  ),
  asks(
    'redispatch, all dead',
    ['retries 3', 'timeout connect 50ms', 'option redispatch 1', 'server s1 $dead', 'server s2 $dead'],
    times(1),
  ),
  asks('backup only', ['server s1 $dead disabled', 'server s2 $1 backup', 'server s3 $2 backup'], times(3)),
  asks(
    'allbackups',
    ['option allbackups', 'server s1 $dead disabled', 'server s2 $1 backup', 'server s3 $2 backup'],
    times(4),
  ),
  asks('weight 0', ['server s1 $1 weight 0', 'server s2 $2'], times(3)),
  asks('round robin with weights', ['server s1 $1 weight 2', 'server s2 $2 weight 1'], times(6), null, {
    clients: 'the order within a round differs, its sums do not',
    log: 'the same',
    servers: 'the same',
  }),
  asks('balance first', ['balance first', 'server s1 $1', 'server s2 $2'], times(3)),
  asks('balance leastconn', ['balance leastconn', 'server s1 $1', 'server s2 $2'], times(4)),
  asks(
    'balance url_param',
    ['balance url_param u', 'server s1 $1', 'server s2 $2'],
    [
      'GET /?u=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'GET /?u=2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    ],
  ),
  {
    name: 'balance url_param check_post, the body comes later',
    lines: ['balance url_param u check_post', 'server s1 $1', 'server s2 $2'],
    play: async ({ client, answer, pause }) => {
      for (const origin of [1, 2]) answer(() => ok(`origin ${origin}`), origin);
      for (const user of ['abc', 'def', 'ghi']) {
        const c = await client();
        c.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\n');
        await pause(40);
        c.send(`u=${user}`);
        await c.end();
      }
      await pause(30);
    },
  },
  {
    name: 'balance url_param check_post, with Expect',
    lines: ['balance url_param u check_post', 'server s1 $1', 'server s2 $2'],
    play: async ({ client, answer }) => {
      for (const origin of [1, 2]) answer(() => ok(`origin ${origin}`), origin);
      const c = await client();
      c.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n');
      await c.has('100 Continue');
      c.send('u=abc');
      await c.end();
    },
  },
  {
    name: 'http-buffer-request: late payload',
    lines: ['option http-buffer-request', 'timeout http-request 200ms'],
    play: async ({ client, answer, pause }) => {
      answer(() => ok());
      const c = await client();
      c.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nu=');
      await c.end();
      await pause(30);
    },
  },
  {
    name: 'http-buffer-request: payload in pieces, then another request',
    lines: ['option http-buffer-request'],
    play: async ({ client, server, pause }) => {
      const c = await client();
      for (const piece of ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nu', '=', 'abc', GET.slice(0, 5)]) {
        c.send(piece);
        await pause(30);
      }
      const s = await server();
      await s.has('u=abc');
      s.send(ok('1'));
      c.send(GET.slice(5));
      await s.has('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
      s.send(ok('2'));
      await c.has('\r\n\r\n2');
    },
  },
  {
    name: 'http-buffer-request: more than a buffer',
    lines: ['option http-buffer-request'],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n${'x'.repeat(30_000)}`);
      await pause(50);
      c.send(`${'x'.repeat(10_000)}${CLOSE}`);
      const s = await server();
      await s.wire.until(w => w.received.length > 40_000);
      s.send(ok('1'));
      await s.has('GET');
      s.send(ok('2'));
      await c.end();
    },
  },
  {
    name: 'http-buffer-request: chunks',
    lines: ['option http-buffer-request'],
    play: async ({ client, answer, pause }) => {
      answer(() => ok());
      const c = await client();
      c.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
      await pause(50);
      c.send('0\r\n\r\n');
      await c.has('ok');
      await pause(50);
    },
  },
  {
    name: 'http-buffer-request: the client leaves',
    lines: ['option http-buffer-request'],
    play: async ({ client, answer, pause }) => {
      answer(() => ok());
      const c = await client();
      c.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nu=');
      await pause(30);
      c.fin();
      await c.end();
      await pause(30);
    },
  },
  {
    name: 'maxconn: the queue in order',
    lines: ['server s1 $1 maxconn 1'],
    play: async ({ client, server, pause }) => {
      const clients = [];
      for (let i = 0; i < 3; i++) {
        const c = await client();
        c.send(`GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`);
        clients.push(c);
        await pause(30);
      }
      const s = await server();
      for (let i = 0; i < 3; i++) {
        const conn = i === 0 ? s : await server(i);
        await conn.has(`GET /${i}`);
        conn.send(ok(`${i}`, 'Connection: close\r\n'));
        await clients[i]!.has(`\r\n\r\n${i}`);
        conn.fin();
      }
      await pause(50);
    },
  },
  {
    name: 'maxconn: the other server serves the queue',
    lines: ['server s1 $1 maxconn 1', 'server s2 $2 maxconn 1'],
    play: async ({ client, server, pause }) => {
      const clients = [];
      for (let i = 0; i < 4; i++) {
        const c = await client();
        c.send(`GET /${i} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
        clients.push(c);
        await pause(30);
      }
      const s = await server(0, 2);
      s.send(ok('second'));
      await clients[1]!.end();
      await pause(50);
      (await server(1, 2)).send(ok('third'));
      await clients[2]!.end();
      (await server(0, 1)).send(ok('first'));
      await clients[0]!.end();
      await pause(50);
    },
  },
  {
    name: 'minconn and fullconn',
    lines: ['fullconn 4', 'server s1 $1 minconn 1 maxconn 4', 'timeout queue 200ms'],
    play: async ({ client, pause }) => {
      for (let i = 0; i < 3; i++) {
        const c = await client();
        c.send(GET);
        await pause(30);
      }
      await pause(300);
    },
  },
  {
    name: 'maxqueue: the persistent client goes elsewhere',
    lines: [
      'cookie SRV insert indirect',
      'server s1 $1 cookie a maxconn 1 maxqueue 1',
      'server s2 $2 cookie b',
      'timeout queue 400ms',
    ],
    play: async ({ client, answer, pause }) => {
      answer(() => ok('two'), 2);
      for (let i = 0; i < 3; i++) {
        const c = await client();
        c.send(GET.replace('Host', 'Cookie: SRV=a\r\nHost'));
        await pause(40);
      }
      await pause(100);
    },
  },
  {
    name: 'frontend maxconn',
    lines: ['maxconn 1'],
    play: async ({ client, answer, pause }) => {
      answer(() => ok());
      const a = await client();
      a.send(GET);
      await a.has('ok');
      const b = await client();
      b.send(GET);
      await pause(80);
      a.fin();
      await b.has('ok');
    },
  },
  ...REUSE,
  ...COOKIES,
  {
    name: 'pool-max-conn 0',
    lines: ['http-reuse always', 'server s1 $1 pool-max-conn 0'],
    play: async ({ client, answer, pause }) => {
      answer(() => ok());
      const c = await client();
      for (let i = 0; i < 2; i++) {
        c.wire.take();
        c.send(GET);
        await c.has('ok');
        await pause(30);
      }
      c.fin();
      await pause(50);
    },
  },
  {
    name: 'pooled connection closed by the server before the next request',
    lines: ['http-reuse always'],
    play: async ({ client, server, answer, pause }) => {
      answer(() => ok());
      const c = await client();
      c.send(GET);
      await c.has('ok');
      (await server()).fin();
      await pause(50);
      c.wire.take();
      c.send(GET);
      await c.has('ok');
    },
  },
  ...['', 'retry-on none', 'retry-on all-retryable-errors'].slice(0, 1).map(() => ({
    name: 'pooled connection dies with the request',
    differs: all(
      'Sluice asks again over a new connection when the method is idempotent; HAProxy leaves that to the client',
    ),
    lines: ['http-reuse always', 'retries 3'],
    play: async ({ client, server, pause }: Stage) => {
      const c = await client();
      c.send(GET);
      const s = await server();
      await s.has('\r\n\r\n');
      s.send(ok());
      await c.has('ok');
      s.wire.take();
      c.send(GET);
      await s.has('\r\n\r\n');
      s.rst();
      await pause(100);
    },
  })),
  asks(
    'redir',
    ['server s1 $1 redir http://other'],
    [
      'GET /x?y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      POST,
    ],
  ),
  asksOnOne('redir keeps the client', ['server s1 $1 redir http://other'], [GET, GET]),
  asks('forwardfor', ['option forwardfor'], [CLOSE, CLOSE.replace('Host', 'X-Forwarded-For: 1.1.1.1\r\nHost')]),
  asks('forwardfor except', ['option forwardfor except 127.0.0.1'], times(1)),
  asks(
    'forwardfor if-none header',
    ['option forwardfor if-none header X-Client'],
    [CLOSE, CLOSE.replace('Host', 'X-Client: 1.1.1.1\r\nHost')],
  ),
  asks('originalto', ['option originalto'], times(1)),
  asks('originalto except header', ['option originalto except 127.0.0.0/8 header X-Dst'], times(1)),
  asks('send-proxy', ['server s1 $1 send-proxy'], times(2), null, {
    servers: 'HAProxy keeps the connection for the same client address and port',
  }),
  asksOnOne('send-proxy and keep-alive', ['server s1 $1 send-proxy'], times(2, GET)),
  asksOnOne(
    'http-use-proxy-header',
    ['option http-use-proxy-header'],
    [GET.replace('Host', 'Proxy-Connection: close\r\nHost')],
  ),
  asksOnOne(
    'http-use-proxy-header, absolute',
    ['option http-use-proxy-header', 'option http-server-close'],
    ['GET http://a/ HTTP/1.1\r\nHost: a\r\nProxy-Connection: keep-alive\r\n\r\n'],
  ),
  ...CACHE,
  asksOnOne('restrict-req-hdr-names default', [], [GET.replace('Host', 'X_Under: 1\r\nX.Dot: 2\r\nX-Ok: 3\r\nHost')]),
  asksOnOne(
    'restrict-req-hdr-names delete',
    ['option http-restrict-req-hdr-names delete'],
    [GET.replace('Host', 'X_Under: 1\r\nX.Dot: 2\r\nX-Ok: 3\r\nHost')],
  ),
  asksOnOne(
    'restrict-req-hdr-names reject',
    ['option http-restrict-req-hdr-names reject'],
    [GET.replace('Host', 'X_Under: 1\r\nHost')],
  ),
];
