/** TCP mode. */
import type { Player, Scenario, Stage } from '../differential.ts';
import { all } from './failures.ts';

const TCP = ['mode tcp'];

const CLOSES = 'after a time-out HAProxy resets some connections and not others';
const HALF = 'a half-close stays one; HAProxy resets the direction';
const LETTER = 'by the manual CC and CQ; HAProxy has CD when it sees RST, and counts an abort';
const RESETS = { log: LETTER, 's1.cli_abrt': LETTER, 'BACKEND.cli_abrt': LETTER };
const RACE = 'HAProxy may hear of the refusal before it reads what the client sent';

const DIFFERS: Readonly<Record<string, Record<string, string>>> = {
  'timeout client': { servers: CLOSES },
  'timeout server': { servers: CLOSES },
  'timeout tunnel': { servers: CLOSES },
  nolinger: { clients: HALF, servers: HALF },
};

/** A relay with a word each way, then what `play` does. */
function relay(name: string, lines: string[], play: (c: Player, s: Player, stage: Stage) => Promise<void>): Scenario {
  return {
    name,
    differs: DIFFERS[name] ?? {},
    lines: [...TCP, ...lines],
    play: async stage => {
      const c = await stage.client();
      c.send('hello');
      const s = await stage.server();
      await s.has('hello');
      s.send('welcome');
      await c.has('welcome');
      await play(c, s, stage);
      await stage.pause(60);
    },
  };
}

export const TCP_MODE: readonly Scenario[] = [
  relay('client ends first', [], async (c, s) => {
    c.fin();
    await s.end();
    s.send('bye');
    await c.has('bye');
    s.fin();
    await c.end();
  }),
  relay('server ends first', [], async (c, s) => {
    s.fin();
    await c.end();
    c.send('bye');
    await s.has('bye');
    c.fin();
    await s.end();
  }),
  relay('client resets', [], async (c, s) => {
    c.rst();
    await s.end();
  }),
  relay('server resets', [], async (c, s) => {
    s.rst();
    await c.end();
  }),
  relay('client resets after its end', [], async (c, s, { pause }) => {
    c.fin();
    await s.end();
    c.rst();
    await pause(50);
    s.send('bye');
    await pause(50);
  }),
  relay('server resets after its end', [], async (c, s, { pause }) => {
    s.fin();
    await c.end();
    s.rst();
    await pause(50);
    c.send('bye');
    await pause(50);
  }),
  relay('timeout client', ['timeout client 200ms'], async c => {
    await c.end();
  }),
  relay('timeout server', ['timeout server 200ms'], async c => {
    await c.end();
  }),
  relay(
    'timeout tunnel',
    ['timeout client 150ms', 'timeout server 150ms', 'timeout tunnel 400ms'],
    async (c, _s, { pause }) => {
      await pause(250);
      c.send('x');
      await c.end();
    },
  ),
  relay('timeout client-fin', ['timeout client-fin 200ms'], async c => {
    c.fin();
    await c.end();
  }),
  relay('timeout server-fin', ['timeout server-fin 200ms'], async c => {
    c.fin();
    await c.end();
  }),
  relay('timeout client-fin, server ends', ['timeout client-fin 200ms'], async (_c, s) => {
    s.fin();
    await s.end();
  }),
  relay('timeout server-fin, server ends', ['timeout server-fin 200ms'], async (_c, s) => {
    s.fin();
    await s.end();
  }),
  relay('the client sends, the server is silent', ['timeout server 300ms'], async (c, _s, { pause }) => {
    for (let i = 0; i < 6; i++) {
      c.send('x');
      await pause(100);
    }
  }),
  relay('nolinger', ['option nolinger'], async (c, s) => {
    c.fin();
    await s.end();
    s.fin();
    await c.end();
  }),
  relay('big both ways', [], async (c, s) => {
    c.send('x'.repeat(500_000));
    s.send('y'.repeat(500_000));
    await s.wire.until(w => w.received.length > 500_000);
    await c.wire.until(w => w.received.length > 500_000);
    c.fin();
    s.fin();
    await c.end();
    await s.end();
  }),
  {
    name: 'nothing sent, client ends',
    lines: TCP,
    play: async ({ client, server, pause }) => {
      const c = await client();
      const s = await server();
      c.fin();
      await s.end();
      s.fin();
      await c.end();
      await pause(30);
    },
  },
  {
    name: 'nothing sent, client resets, dontlognull',
    lines: [...TCP, 'option dontlognull'],
    play: async ({ client, server, pause }) => {
      const c = await client();
      const s = await server();
      c.rst();
      await s.end();
      await pause(30);
    },
  },
  {
    name: 'the server speaks first and ends',
    lines: TCP,
    play: async ({ client, server, pause }) => {
      const c = await client();
      const s = await server();
      s.send('banner');
      s.fin();
      await c.end();
      c.fin();
      await s.end();
      await pause(30);
    },
  },
  {
    name: 'refused',
    differs: { 'FRONTEND.bin': RACE, 'BACKEND.bin': RACE, 's1.bin': RACE },
    lines: [...TCP, 'server s1 $dead'],
    play: async ({ client, pause }) => {
      const c = await client();
      c.send('hello');
      await c.end();
      await pause(30);
    },
  },
  {
    name: 'refused, retries and redispatch',
    lines: [...TCP, 'retries 1', 'option redispatch', 'server s1 $dead', 'server s2 $1'],
    play: async ({ client, server, pause }) => {
      const c = await client();
      c.send('hello');
      const s = await server();
      await s.has('hello');
      s.fin();
      await c.end();
      c.fin();
      await pause(50);
    },
  },
  {
    name: 'connect time-out',
    lines: [...TCP, 'timeout connect 200ms', 'server s1 $mute'],
    play: async ({ client, pause }) => {
      const c = await client();
      c.send('hello');
      await c.end();
      await pause(30);
    },
  },
  {
    name: 'no server',
    lines: [...TCP, 'server s1 $dead disabled'],
    // It says nothing: whether a word were read before the close would be a race, on both.
    play: async ({ client, pause }) => {
      const c = await client();
      await c.end();
      await pause(30);
    },
  },
  ...(['fin', 'rst'] as const).flatMap(how =>
    ['', 'option abortonclose'].flatMap(
      option =>
        [
          {
            name: `client ${how} while connecting ${option}`,
            differs: how === 'rst' ? RESETS : {},
            lines: [...TCP, option, 'server s1 $mute'],
            play: async ({ client, pause }) => {
              const c = await client();
              c.send('hello');
              await pause(50);
              c[how]();
              await c.end();
              await pause(50);
            },
          },
          {
            name: `client ${how} in the queue ${option}`,
            differs: how === 'rst' ? RESETS : {},
            lines: [...TCP, option, 'timeout queue 400ms', 'server s1 $1 maxconn 1'],
            play: async ({ client, server, pause }) => {
              const first = await client();
              first.send('one');
              await (await server()).has('one');
              const c = await client();
              c.send('hello');
              await pause(50);
              c[how]();
              await c.end();
              await pause(50);
              first.rst();
              await pause(30);
            },
          },
        ] as Scenario[],
    ),
  ),
  {
    name: 'queue time-out',
    lines: [...TCP, 'timeout queue 200ms', 'server s1 $1 maxconn 1'],
    play: async ({ client, server, pause }) => {
      const first = await client();
      first.send('one');
      await (await server()).has('one');
      const c = await client();
      c.send('hello');
      await c.end();
      await pause(50);
      first.rst();
      await pause(30);
    },
  },
  ...(['send-proxy', 'send-proxy-v2'] as const).map(word => ({
    name: word,
    lines: [...TCP, `server s1 $1 ${word}`],
    play: async ({ client, server, pause }: Stage) => {
      const c = await client();
      c.send('hello');
      const s = await server();
      await s.has('hello');
      s.fin();
      await c.end();
      c.fin();
      await pause(30);
    },
    ...(word === 'send-proxy' ? {} : { differs: { servers: 'the ports in the binary header' } }),
  })),
  ...(
    [
      ['good', 'PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\nhello'],
      ['unknown', 'PROXY UNKNOWN\r\nhello'],
      ['bad', 'PROXY NONSENSE\r\nhello'],
      ['none', 'hello hello hello'],
      ['TCP6', 'PROXY TCP6 ::1 ::2 1 2\r\nhello'],
      ['too long', `PROXY TCP4 ${'1'.repeat(120)}`],
    ] as const
  ).map(([name, text]) => ({
    name: `accept-proxy, ${name}`,
    bind: 'accept-proxy',
    lines: [...TCP, 'server s1 $1 send-proxy'],
    play: async ({ client, answer, pause }: Stage) => {
      answer(() => null);
      const c = await client();
      c.send(text);
      await pause(100);
      c.fin();
      await c.end();
      await pause(30);
    },
  })),
  {
    name: 'accept-proxy in pieces',
    differs: all('HAProxy wants the header in one segment'),
    bind: 'accept-proxy',
    lines: [...TCP, 'server s1 $1 send-proxy'],
    play: async ({ client, answer, pause }) => {
      answer(() => null);
      const c = await client();
      for (const piece of ['PROX', 'Y TCP4 192.0.2.1 192', '.0.2.2 1000 2000\r', '\nhello']) {
        c.send(piece);
        await pause(20);
      }
      await pause(50);
      c.fin();
      await c.end();
      await pause(30);
    },
  },
  {
    name: 'accept-proxy, late',
    bind: 'accept-proxy',
    lines: [...TCP, 'timeout client 200ms'],
    play: async ({ client, pause }) => {
      const c = await client();
      c.send('PROXY');
      await c.end();
      await pause(30);
    },
  },
  {
    name: 'accept-proxy, closes at once',
    bind: 'accept-proxy',
    lines: TCP,
    play: async ({ client, pause }) => {
      const c = await client();
      c.fin();
      await c.end();
      await pause(30);
    },
  },
];
