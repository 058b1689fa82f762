/** Who is served and where: unpublished backends, the last server, privileged ports, doubtful messages. */
import net from 'node:net';
import { expect, test } from 'vitest';
import { PROXY, SERVER } from '../../engine/shm/words.ts';
import { origin, rigOf } from './listen.ts';
import { needsKernel } from './network.ts';
import type { Rig } from './rig.ts';
import { ask, connect, ok, type Wire, type WireServer } from './wire.ts';

const TIMES = 'timeout client 2s\n  timeout server 2s\n  timeout connect 1s';

let rig: Rig;

function startServer(body: string): Promise<WireServer> {
  return origin(() => ok(body));
}

function get(path: string, headers = '', version = '1.1'): string {
  return `GET ${path} HTTP/${version}\r\nHost: a\r\n${headers}\r\n`;
}

test('switching rules pass over an unpublished backend, unless they are forced', async () => {
  const [hidden, shown] = [await startServer('hidden'), await startServer('shown')];
  rig = await rigOf(`
defaults
  mode http
  ${TIMES}
frontend web
  bind 127.0.0.1:1
  force-be-switch if { req.hdr(x-test) -m found }
  use_backend new if { path_beg /a }
  use_backend %[str(new)] if { path_beg /named }
  use_backend old if { path_beg /a /named }
  default_backend new
backend new
  be-unpublished
  server s 127.0.0.1:${hidden.port}
backend old
  server s 127.0.0.1:${shown.port}
`);
  const body = async (path: string, headers = ''): Promise<string> => {
    const answer = await ask(rig.port('web'), get(path, `${headers}Connection: close\r\n`));
    return answer.startsWith('HTTP/1.1 503') ? '503' : answer.slice(answer.indexOf('\r\n\r\n') + 4);
  };
  const { memory } = rig;
  expect([await body('/a'), await body('/named'), await body('/')]).toEqual(['shown', 'shown', '503']);
  expect([await body('/a', 'X-Test: 1\r\n'), await body('/', 'X-Test: 1\r\n')]).toEqual(['hidden', 'hidden']);
  Atomics.store(memory.words, memory.proxy(1) + PROXY.at.be_unpublished, 0);
  expect([await body('/a'), await body('/')]).toEqual(['hidden', 'hidden']);
});

test('prefer-last-server stays with a server, until its queue is too long', async () => {
  const [one, two] = [await startServer('1'), await startServer('2')];
  const lines = (name: string, option: string) => `
listen ${name}
  mode http
  ${TIMES}
  ${option}
  bind 127.0.0.1:1
  server s1 127.0.0.1:${one.port} maxconn 1
  server s2 127.0.0.1:${two.port} maxconn 1
`;
  rig = await rigOf(lines('stays', 'option prefer-last-server\n  max-keep-alive-queue 0') + lines('turns', ''));
  const turns = await connect(rig.port('turns'));
  const bodies = [await next(turns), await next(turns), await next(turns), await next(turns)];
  expect(new Set(bodies)).toEqual(new Set(['1', '2']));
  const stays = await connect(rig.port('stays'));
  const first = await next(stays);
  expect([await next(stays), await next(stays), await next(stays)]).toEqual([first, first, first]);
  // Nothing but load balancing keeps it there.
  expect(rig.counter('backend', 'stays', 'cum_lb')).toBe(4);
  // Its place is taken: nobody waits for it.
  const { words } = rig.memory;
  const served = rig.memory.server(first === '1' ? 0 : 1) + SERVER.at.served;
  Atomics.add(words, served, 1);
  expect(await next(stays)).toBe(first === '1' ? '2' : '1');
  Atomics.sub(words, served, 1);
  for (const wire of [turns, stays]) wire.socket.destroy();
});

/** The body, one digit, of the answer to one more request. */
async function next(wire: Wire): Promise<string> {
  wire.send(get('/'));
  await wire.until(w => /\r\n\r\n\d$/.test(w.received));
  return wire.take().at(-1)!;
}

test('clients of privileged ports are not served where that is asked for', async context => {
  needsKernel(context, 'a client with a port of its own');
  const server = await startServer('x');
  rig = await rigOf(`
global
  harden.reject-privileged-ports.tcp on
listen web
  mode http
  ${TIMES}
  bind 127.0.0.1:1
  server s 127.0.0.1:${server.port}
`);
  if (process.getuid?.() !== 0) context.skip('only root may use such a port');
  const heard = (localPort: number): Promise<string> =>
    new Promise(resolve => {
      let text = '';
      const socket = net.connect({ port: rig.port('web'), host: '127.0.0.1', localAddress: '127.0.0.1', localPort });
      socket.on('connect', () => socket.write(get('/', 'Connection: close\r\n')));
      socket.on('data', bytes => {
        text += bytes;
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(text));
    });
  expect(await heard(1019)).toBe('');
  expect(await heard(0)).toMatch(/^HTTP\/1\.1 200 /);
});

test('what is doubtful in HTTP/1 is accepted where that is asked for', async () => {
  const server = await startServer('x');
  const lines = `
listen web
  mode http
  ${TIMES}
  bind 127.0.0.1:1
  server s 127.0.0.1:${server.port}
`;
  const TWO_LENGTHS = 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n';
  const statuses = async (): Promise<string[]> => {
    const payload = await ask(rig.port('web'), `${get('/', 'Content-Length: 2\r\n', '1.0')}ab`);
    const wire = await connect(rig.port('web'));
    wire.send(`POST / HTTP/1.1\r\nHost: a\r\n${TWO_LENGTHS}\r\n0\r\n\r\n`);
    await wire.until(w => /\r\n\r\nx/.test(w.received));
    const doubtful = wire.take();
    wire.socket.destroy();
    return [payload.slice(9, 12), /connection: close/i.test(doubtful) ? 'closes' : 'stays'];
  };
  rig = await rigOf(lines);
  expect(await statuses()).toEqual(['413', 'closes']);
  await rig.stop();
  rig = await rigOf(
    `global\n  h1-accept-payload-with-any-method\n  h1-do-not-close-on-insecure-transfer-encoding\n${lines}`,
  );
  expect(await statuses()).toEqual(['200', 'stays']);
});

test('persist rdp-cookie: a client comes back to the server that its cookie names', async () => {
  const pair = [await origin(), await origin()];
  rig = await rigOf(`
listen rdp
  mode tcp
  ${TIMES}
  bind 127.0.0.1:1
  tcp-request inspect-delay 1s
  tcp-request content accept if { req.rdp_cookie_cnt(msts) gt 0 }
  persist rdp-cookie
  server s1 127.0.0.1:${pair[0]!.port}
  server s2 127.0.0.1:${pair[1]!.port}
`);
  const cookie = (port: number): string => `16777343.${((port & 255) << 8) | (port >> 8)}.0000`;
  const served = async (value: string): Promise<string> => {
    const line = `Cookie: msts=${value}\r\n`;
    const length = 11 + line.length;
    const head = String.fromCharCode(3, 0, length >> 8, length & 255, length - 5, 0xe0, 0, 0, 0, 0, 0);
    const before = pair.map(({ conns }) => conns.length);
    const wire = await connect(rig.port('rdp'));
    wire.send(head + line);
    const chosen = (): number => pair.findIndex(({ conns }, n) => conns.length > before[n]!);
    await wire.until(() => chosen() >= 0);
    await (await pair[chosen()]!.conn(before[chosen()]!)).has(line);
    wire.socket.destroy();
    return `s${chosen() + 1}`;
  };
  const [first, second] = pair.map(({ port }) => cookie(port));
  expect([await served(second!), await served(second!), await served(first!)]).toEqual(['s2', 's2', 's1']);
  // Nobody's: the algorithm chooses.
  expect(['s1', 's2']).toContain(await served(cookie(1)));
});
