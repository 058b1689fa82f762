/** `timeout ...` and the TCP keep-alive settings: one time or number each. */
import type { ProxyDraft } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';

type Field = keyof ProxyDraft['timeouts'];

const TIMEOUTS: readonly (readonly [name: string, where: string, field: Field, doc: string])[] = [
  ['check', 'DLB', 'checkMs', 'Time a check may take once its connection is established.'],
  ['client', 'DFL', 'clientMs', 'How long a client may stay silent.'],
  ['client-fin', 'DFL', 'clientFinMs', 'How long a client may stay silent once one side is closed.'],
  ['client-hs', 'DFL', 'clientHsMs', "Time for the client's TLS handshake."],
  ['connect', 'DLB', 'connectMs', 'Time for a connection to a server to be established.'],
  ['http-keep-alive', 'DFLB', 'httpKeepAliveMs', 'How long to wait for the next request of a client.'],
  ['http-request', 'DFLB', 'httpRequestMs', 'Time a client has to send a whole request head.'],
  ['queue', 'DLB', 'queueMs', 'How long a request may wait for a free place on a server.'],
  ['server', 'DLB', 'serverMs', 'How long a server may stay silent.'],
  ['server-fin', 'DLB', 'serverFinMs', 'How long a server may stay silent once one side is closed.'],
  ['tarpit', 'DFLB', 'tarpitMs', 'How long a tarpitted request is held.'],
  ['tunnel', 'DLB', 'tunnelMs', 'How long both sides of a tunnel may stay silent.'],
];

function timeout(short: string, where: string, field: Field, doc: string): Keyword<ProxyDraft> {
  const name = `timeout ${short}`;
  return supported({
    ...{ name, where, doc, args: '<time>' },
    parse(cursor, proxy) {
      const ms = cursor.expectTime(name, 'ms');
      if (ms !== null) proxy.timeouts[field] = ms;
    },
    good: [`${name} 10s`, `${name} 5000`],
    bad: [
      [name, `'${name}' expects a time (in milliseconds by default)`],
      [
        `${name} 10x`,
        `'${name}' expects a time (in milliseconds by default): unexpected character 'x' (units are us, ms, s, m, h and d) in '10x'`,
      ],
      [`${name} 1s 2s`, `'${name}' cannot handle unexpected argument '2s'`],
    ],
  });
}

const KEEP_ALIVE: readonly (readonly [string, string, 'clientKeepAlive' | 'serverKeepAlive', string, string])[] = [
  ['clitcpka-cnt', 'DFL', 'clientKeepAlive', 'count', 'Unanswered keep-alive probes before a client is given up.'],
  ['clitcpka-idle', 'DFL', 'clientKeepAlive', 'idleSeconds', 'Silence before the first keep-alive probe to a client.'],
  ['clitcpka-intvl', 'DFL', 'clientKeepAlive', 'intervalSeconds', 'Time between keep-alive probes to a client.'],
  [
    'srvtcpka-cnt',
    'DLB',
    'serverKeepAlive',
    'count',
    'Unanswered keep-alive probes before a server connection is given up.',
  ],
  ['srvtcpka-idle', 'DLB', 'serverKeepAlive', 'idleSeconds', 'Silence before the first keep-alive probe to a server.'],
  ['srvtcpka-intvl', 'DLB', 'serverKeepAlive', 'intervalSeconds', 'Time between keep-alive probes to a server.'],
];

function keepAlive([name, where, side, field, doc]: (typeof KEEP_ALIVE)[number]): Keyword<ProxyDraft> {
  const counts = field === 'count';
  return supported({
    ...{ name, where, doc, args: counts ? '<number>' : '<time>' },
    parse(cursor, proxy) {
      const value = counts ? cursor.expectInt(name, { min: 1 }) : cursor.expectTime(name, 's');
      if (value === null) return;
      if (counts) proxy[side].count = value;
      else proxy[side][field as 'idleSeconds'] = Math.round(value / 1000);
    },
    good: [`${name} 5`],
    bad: [[`${name} 5 6`, `'${name}' cannot handle unexpected argument '6'`]],
  });
}

export const TIMEOUT: readonly Keyword<ProxyDraft>[] = [
  ...TIMEOUTS.map(row => timeout(...row)),
  ...KEEP_ALIVE.map(keepAlive),
];
