/** Early data of TLS 1.3 (`allow-0rtt`): `openssl s_client` sends a request with its hello. */
import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { rigOf } from '../proxy/listen.ts';
import type { Rig } from '../proxy/rig.ts';
import { FOLDER, pemFile } from './certificates.ts';

const run = promisify(execFile);
const SITE = pemFile({ name: 'localhost', names: ['localhost'] });
const BODY_BYTES = 200_000;

let origin: Server;
let rig: Rig;

beforeAll(async () => {
  origin = createServer((req, res) => {
    const early = `early: ${req.headers['early-data'] ?? 'no'}`;
    res.end(req.url === '/big' ? early + 'x'.repeat(BODY_BYTES) : early);
  });
  await new Promise<void>(done => origin.listen(0, '127.0.0.1', done));
});

afterAll(() => void origin.close());

async function listen(bind: string, rule = ''): Promise<number> {
  rig = await rigOf(`
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 2s
frontend f
  bind 127.0.0.1:1 ssl crt ${SITE} ${bind}
  ${rule}
  default_backend b
backend b
  server s 127.0.0.1:${(origin.address() as AddressInfo).port}
`);
  return rig.port('f');
}

/** What `openssl s_client` prints until the server closes, after `ms` at the latest. It is told `input`, and its input stays open. */
async function client(port: number, words: readonly string[], input = '', ms = 5_000): Promise<string> {
  const line = `s_client -connect 127.0.0.1:${port} -tls1_3 -servername localhost -alpn http/1.1 -ign_eof`;
  const asking = run('openssl', [...line.split(' '), ...words], { maxBuffer: 1 << 24, timeout: ms });
  asking.child.stdin!.write(input);
  return (await asking.catch((error: { stdout: string }) => error)).stdout;
}

/** Connects, comes back with the ticket, and sends a request for `url` as early data; what s_client prints then. */
async function asked(port: number, url = '/', ms?: number): Promise<string> {
  const dir = mkdtempSync(join(FOLDER, 'early-'));
  const [session, request] = [join(dir, 'session'), join(dir, 'request')];
  const head = `GET ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
  writeFileSync(request, head);
  await client(port, ['-sess_out', session], head);
  return client(port, ['-sess_in', session, '-early_data', request], '', ms);
}

test('a request is answered before the handshake is complete, and the server is told', async () => {
  const answer = await asked(await listen('allow-0rtt'));
  expect(answer).toContain('Early data was accepted');
  expect(answer).toContain('early: 1');
}, 15_000);

test('a long answer goes on when the handshake is complete', async () => {
  const answer = await asked(await listen('allow-0rtt'), '/big');
  expect(answer).toContain('Early data was accepted');
  expect(answer.match(/x{1000}/g)?.length).toBeGreaterThan((BODY_BYTES / 1000) * 0.9);
}, 15_000);

test('wait-for-handshake: it is a request like all others', async () => {
  const answer = await asked(await listen('allow-0rtt', 'http-request wait-for-handshake'));
  expect(answer).toContain('Early data was accepted');
  expect(answer).toContain('early: no');
}, 15_000);

test('a rule refuses it: 425', async () => {
  const port = await listen('allow-0rtt', 'http-request deny deny_status 425 if { ssl_fc_has_early }');
  const answer = await asked(port);
  expect(answer).toContain('HTTP/1.1 425 Too Early');
  expect(answer).not.toContain('early: ');
}, 15_000);

test('without allow-0rtt it is refused, and nothing is lost but time', async () => {
  // Nobody sends it again: the client waits for nothing.
  expect(await asked(await listen(''), '/', 500)).toContain('Early data was not sent');
}, 15_000);

test('others are served as before', async () => {
  const port = await listen('allow-0rtt');
  for (const version of ['1.2', '1.3']) {
    const { stdout } = await run('curl', [
      '-sSk',
      '--max-time',
      '5',
      '--tls-max',
      version,
      `https://127.0.0.1:${port}/`,
    ]);
    expect(stdout).toBe('early: no');
  }
}, 15_000);

describe('to the server', () => {
  /** Lets connections through to the port that `choose` says, counted from 1. */
  async function relay(choose: (n: number) => number): Promise<number> {
    let n = 0;
    const server = createTcpServer(from => {
      const to = connect(choose(++n), '127.0.0.1');
      from.pipe(to).pipe(from);
      for (const end of [from, to]) end.on('error', () => {});
    });
    onTestFinished(() => void server.close());
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
    return (server.address() as AddressInfo).port;
  }

  /** A server that takes early data, or has done so until the `refuses`-th connection; the ports of a proxy before it. */
  async function serving(refuses: number, backend: string): Promise<{ plain: number; tls: number }> {
    const answer = 'http-request return status 200 content-type text/plain lf-string "early: %[ssl_fc_early_rcvd]"';
    const behind: Rig = await rigOf(`
defaults
  mode http
  timeout client 5s
frontend takes
  bind 127.0.0.1:1 ssl crt ${SITE} allow-0rtt
  ${answer}
frontend refuses
  bind 127.0.0.1:1 ssl crt ${SITE}
  ${answer}
`);
    const to = await relay(n => behind.port(n >= refuses ? 'refuses' : 'takes'));
    rig = await rigOf(`
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 2s
frontend f
  bind 127.0.0.1:1
  bind 127.0.0.1:1 ssl crt ${SITE} allow-0rtt
  default_backend b
backend b
  http-reuse never
  ${backend}
  server s 127.0.0.1:${to} ssl verify none allow-0rtt
`);
    return { plain: rig.port('f'), tls: rig.port('f', 1) };
  }

  const curl = async (port: number, ...more: string[]): Promise<string> =>
    (await run('curl', ['-sS', '--max-time', '5', ...more, `http://127.0.0.1:${port}/`])).stdout;

  test('retry-on 0rtt-rejected: requests go with the hello', async () => {
    const { plain } = await serving(99, 'retry-on 0rtt-rejected');
    const answers = [await curl(plain), await curl(plain), await curl(plain)];
    expect(answers).toEqual(['early: 0', 'early: 1', 'early: 1']);
    const body = 'x'.repeat(100_000);
    writeFileSync(join(FOLDER, 'body'), body);
    expect(await curl(plain, '--data-binary', `@${join(FOLDER, 'body')}`)).toBe('early: 1');
    expect(rig.ends.map(({ status, retries }) => [status, retries])).toEqual(Array(4).fill([200, 0]));
  });

  test('retry-on 0rtt-rejected: what the server would not read goes once more', async () => {
    const { plain } = await serving(3, 'retry-on 0rtt-rejected');
    const answers = [await curl(plain), await curl(plain), await curl(plain)];
    expect(answers).toEqual(['early: 0', 'early: 1', 'early: 0']);
    expect(rig.ends.map(({ status, retries }) => [status, retries])).toEqual([
      [200, 0],
      [200, 0],
      [200, 1],
    ]);
  });

  test('clients that send no early data have none sent for them', async () => {
    const { plain } = await serving(99, '');
    expect([await curl(plain), await curl(plain)]).toEqual(['early: 0', 'early: 0']);
  });

  test('early data of a client goes on as such', async () => {
    const { tls } = await serving(99, '');
    expect(await asked(tls)).toContain('early: 1');
  }, 15_000);

  test('a server that refuses it: the client is told 425', async () => {
    const { tls } = await serving(2, '');
    expect(await asked(tls)).toContain('HTTP/1.1 425 Too Early');
    expect(rig.ends.at(-1)).toMatchObject({ status: 425, state: 'SH' });
  }, 15_000);
});
