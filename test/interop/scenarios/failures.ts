/** What goes wrong: bad messages, servers and clients that leave, limits of heads. */

import { ok } from '../../proxy/wire.ts';
import type { Scenario, Stage } from '../differential.ts';
import { CLOSE, GET } from './messages.ts';

/** One client sends `request` and waits for the end. */
function sends(name: string, request: string, lines: string[] = [], more: Partial<Scenario> = {}): Scenario {
  return {
    name,
    lines,
    play: async ({ client, answer, pause }) => {
      answer(() => ok());
      const c = await client();
      c.send(request);
      await c.wire.until(w => w.received.length > 0 || w.ended || w.closed, 1500).catch(() => {});
      await pause(60);
    },
    ...more,
  };
}

/** The server answers `response`, then ends as told. */
function answers(name: string, response: string, end: 'fin' | 'rst' | 'open', lines: string[] = []): Scenario {
  return {
    name,
    lines,
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send(GET);
      const s = await server();
      await s.has('\r\n\r\n');
      if (response !== '') s.send(response);
      await pause(30);
      if (end === 'fin') s.fin();
      if (end === 'rst') s.rst();
      await c.wire.until(w => w.ended || w.closed, end === 'open' ? 300 : 1500).catch(() => {});
    },
  };
}

/** Everything may differ, for this reason. */
export function all(why: string): Record<string, string> {
  return { clients: why, servers: why, log: why, counters: why };
}

const STRICTER = all('refused by RFC 9112, passed by HAProxy 2.6');
const LATE = all(
  'HAProxy looks at payload that came with the head before it chooses a server, Sluice when the server takes it',
);
const UNNOTICED = all('HAProxy does not notice a reset client before the server speaks, unless abortonclose is set');

const BAD_REQUESTS: readonly (readonly [string, string, Record<string, string>?])[] = [
  ['nonsense', 'nonsense\r\n\r\n'],
  ['space before colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'],
  ['bare LF', 'GET / HTTP/1.1\nHost: a\n\n', STRICTER],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'],
  ['same length twice', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx'],
  ['length list', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx'],
  ['negative length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nx'],
  [
    'length and chunked',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['unknown encoding', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n'],
  ['chunked 1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', STRICTER],
  ['no host', 'GET / HTTP/1.1\r\n\r\n', STRICTER],
  ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['host and URI differ', 'GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['absolute URI', 'GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['version 2.0', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', STRICTER],
  ['version 1.2', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n'],
  ['HTTP/0.9', 'GET /\r\n'],
  ['PRI', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', all('HTTP/2 is not spoken yet')],
  ['folded header', 'GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n'],
  ['control byte in value', 'GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n', STRICTER],
  ['NUL in value', 'GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n', STRICTER],
  ['byte above 127 in URI', 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['fragment in URI', 'GET /#x HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['space in URI', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['bad chunk size', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', LATE],
  ['chunk without CRLF', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n', LATE],
  ['method with odd bytes', 'G@T / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['empty URI', 'GET  HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['empty header name', 'GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n'],
  ['big head', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(16_500)}\r\n\r\n`],
  ['big URI', `GET /${'x'.repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ['nearly too big head', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(15_000)}\r\n\r\n`],
  ['many headers', `GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(120)}\r\n`],
  ['100 headers', `GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(99)}\r\n`],
];

const TWICE = 'HAProxy counts a reset twice';
const ERESP = { 's1.eresp': TWICE, 'BACKEND.eresp': TWICE };

const BAD_RESPONSES: readonly (readonly [string, string, 'fin' | 'rst' | 'open', Record<string, string>?])[] = [
  ['nothing, FIN', '', 'fin'],
  ['nothing, RST', '', 'rst', ERESP],
  ['half a head, FIN', 'HTTP/1.1 200 OK\r\nCont', 'fin'],
  ['half a head, RST', 'HTTP/1.1 200 OK\r\nCont', 'rst', ERESP],
  ['nonsense', 'nonsense\r\n\r\n', 'open'],
  ['payload cut by FIN', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', 'fin'],
  ['payload cut by RST', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', 'rst'],
  ['chunks cut by FIN', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab', 'fin'],
  ['chunks cut between two', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n', 'fin'],
  [
    'bad chunk size',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n',
    'open',
    all('HAProxy looks at payload that came with the head before it passes the head on'),
  ],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 'open'],
  ['status 99', 'HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n', 'open', STRICTER],
  ['status 600', 'HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n', 'open'],
  ['bad header', 'HTTP/1.1 200 OK\r\nX Y: 1\r\nContent-Length: 0\r\n\r\n', 'open'],
  ['big head', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`, 'open'],
  ['many headers', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(120)}\r\n`, 'open'],
];

type Leave = 'fin' | 'rst';

/** The client leaves in some phase. */
function leaves(
  how: Leave,
  phase: string,
  lines: string[],
  play: (stage: Stage, leave: (p: { fin(): void; rst(): void }) => void) => Promise<void>,
): Scenario {
  const name = `client ${how} ${phase} ${lines.join(' ')}`.trimEnd();
  return {
    name,
    lines,
    play: stage => play(stage, p => p[how]()),
    differs: LEAVES_DIFFER[name.split(' server ')[0]!] ?? {},
  };
}

const SOONER = { servers: 'Sluice ends the exchange as soon as the client is gone' };
const LEAVES_DIFFER: Readonly<Record<string, Record<string, string>>> = {
  'client fin waiting for the response option abortonclose': all(
    'by the manual the server is told, and decides; HAProxy closes its connection',
  ),
  'client fin in the response option abortonclose': all(
    'the manual speaks of requests that wait; HAProxy ends a response, too, if it has a length',
  ),
  'client rst waiting for the response no option abortonclose': UNNOTICED,
  'client rst waiting for a connection no option abortonclose': UNNOTICED,
  'client rst in the queue no option abortonclose timeout queue 700ms': UNNOTICED,
  'client rst in the response no option abortonclose': SOONER,
  'client rst in a response until close no option abortonclose': SOONER,
  'client rst waiting for the response option abortonclose': { log: 'HAProxy logs CD, but by the manual it is CH' },
};

const LEAVES = (['fin', 'rst'] as const).flatMap(how => [
  leaves(how, 'before a request', [], async ({ client, pause }, leave) => {
    const c = await client();
    leave(c);
    await c.end();
    await pause(50);
  }),
  leaves(how, 'before a request', ['option dontlognull'], async ({ client, pause }, leave) => {
    const c = await client();
    leave(c);
    await c.end();
    await pause(50);
  }),
  leaves(how, 'before a request', ['option http-ignore-probes'], async ({ client, pause }, leave) => {
    const c = await client();
    leave(c);
    await c.end();
    await pause(50);
  }),
  leaves(how, 'in the head', [], async ({ client, pause }, leave) => {
    const c = await client();
    c.send('GET / HT');
    await pause(30);
    leave(c);
    await c.end();
    await pause(50);
  }),
  leaves(how, 'in the head', ['option dontlognull'], async ({ client, pause }, leave) => {
    const c = await client();
    c.send('GET / HT');
    await pause(30);
    leave(c);
    await c.end();
    await pause(50);
  }),
  leaves(how, 'between requests', [], async ({ client, answer, pause }, leave) => {
    answer(() => ok());
    const c = await client();
    c.send(GET);
    await c.has('\r\n\r\nok');
    leave(c);
    await c.end();
    await pause(50);
  }),
  ...['no option abortonclose', 'option abortonclose'].flatMap(option => [
    leaves(how, 'in the payload', [option], async ({ client, server, pause }, leave) => {
      const c = await client();
      c.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
      const s = await server();
      await s.has('hello');
      leave(c);
      await c.end();
      await pause(80);
    }),
    leaves(how, 'waiting for the response', [option], async ({ client, server, pause }, leave) => {
      const c = await client();
      c.send(GET);
      const s = await server();
      await s.has('\r\n\r\n');
      leave(c);
      await pause(80);
      s.send(ok('late'));
      await c.end();
      await pause(30);
    }),
    leaves(how, 'waiting for a connection', [option, 'server s1 $mute'], async ({ client, pause }, leave) => {
      const c = await client();
      c.send(GET);
      await pause(50);
      leave(c);
      await c.end();
      await pause(50);
    }),
    leaves(
      how,
      'in the queue',
      [option, 'timeout queue 700ms', 'server s1 $1 maxconn 1'],
      async ({ client, server, pause }, leave) => {
        const first = await client();
        first.send(GET);
        const s = await server();
        await s.has('\r\n\r\n');
        const c = await client();
        c.send(GET);
        await pause(50);
        leave(c);
        await pause(150);
        s.send(ok('first'));
        await first.has('first');
        await pause(150);
      },
    ),
    leaves(how, 'in the response', [option], async ({ client, server, pause }, leave) => {
      const c = await client();
      c.send(GET);
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
      await c.has('hello');
      leave(c);
      await pause(80);
      s.send('world');
      await c.end();
      await pause(50);
    }),
    leaves(how, 'in a response until close', [option], async ({ client, server, pause }, leave) => {
      const c = await client();
      c.send(GET);
      const s = await server();
      await s.has('\r\n\r\n');
      s.send('HTTP/1.1 200 OK\r\n\r\nhello');
      await c.has('hello');
      leave(c);
      await pause(80);
      s.send('world');
      s.fin();
      await c.end();
      await pause(50);
    }),
  ]),
]);

/** The server leaves while the client still sends. */
const UPLOADS: readonly Scenario[] = (['fin', 'rst'] as const).flatMap(how => [
  {
    name: `server ${how} during an upload, without a word`,
    lines: [],
    differs: how === 'fin' ? {} : all('HAProxy just closes'),
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
      const s = await server();
      await s.has('hello');
      s[how]();
      await c.end();
      await pause(50);
    },
  },
  {
    name: `server ${how} during an upload after a response`,
    lines: [],
    differs: how === 'fin' ? {} : { clients: 'HAProxy reads on what it has no use for' },
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
      const s = await server();
      await s.has('hello');
      s.send('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno');
      await pause(30);
      s[how]();
      await c.has('413');
      await pause(50);
      c.send('world');
      await pause(100);
    },
  },
]);

export const FAILURES: readonly Scenario[] = [
  ...BAD_REQUESTS.map(([name, request, differs = {}]) => sends(`bad request: ${name}`, request, [], { differs })),
  ...BAD_RESPONSES.map(([name, response, end, differs = {}]) => ({
    ...answers(`bad response: ${name}`, response, end),
    differs,
  })),
  ...LEAVES,
  ...UPLOADS,
  sends('errorloc 400', 'nonsense\r\n\r\n', ['errorloc 400 http://x/400'], {
    differs: { clients: 'HAProxy answers what it cannot parse with its own page, whatever is configured' },
  }),
  sends('errorloc302 503', CLOSE, ['errorloc302 503 http://x/503', 'server s1 $dead']),
  sends('errorloc303 503', GET, ['errorloc303 503 http://x/503', 'server s1 $dead']),
  sends('monitor-uri', GET.replace('/', '/alive'), ['monitor-uri /alive']),
  sends('monitor-uri HEAD', GET.replace('GET /', 'HEAD /alive'), ['monitor-uri /alive']),
  sends('monitor-uri with query', GET.replace('/', '/alive?x'), ['monitor-uri /alive']),
  sends('accept-invalid-http-request', 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', ['option accept-invalid-http-request']),
  sends('no server', GET, ['server s1 $dead disabled']),
];
