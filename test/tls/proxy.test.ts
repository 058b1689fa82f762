/** TLS before HTTP and TCP proxies: curl, openssl(1) and our own server side are the other ends. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { NO_EVENTS } from '../../engine/proxy/events.ts';
import { TLS_LOOKUPS, TLS_MISSES } from '../../engine/shm/counters.ts';
import { alive } from '../../engine/tls/handle.ts';
import { parseModel, type Rig, startRig } from '../proxy/rig.ts';
import { FOLDER, pemFile } from './certificates.ts';

const run = promisify(execFile);
const SITE = pemFile({ name: 'localhost', names: ['localhost', '*.example.com'] });

let origin: Server;
let secure: Server;
let rig: Rig | null = null;

const port = (server: Server): number => (server.address() as AddressInfo).port;

beforeAll(async () => {
  const answer = (
    req: { url?: string; headers: Record<string, unknown> },
    res: { end(text: string | Buffer): void },
  ) => {
    if (req.url === '/big') res.end(Buffer.alloc(1 << 20, 'x'));
    else res.end(`hello ${req.url} ${req.headers['x-ssl'] ?? ''}`);
  };
  origin = createServer(answer as never);
  const pem = readFileSync(SITE);
  secure = createTlsServer({ key: pem, cert: pem, SNICallback: undefined }, answer as never) as never;
  await Promise.all([origin, secure].map(server => new Promise<void>(done => server.listen(0, '127.0.0.1', done))));
});

afterEach(async () => {
  await rig?.stop();
  rig = null;
});

afterAll(() => {
  origin.close();
  secure.close();
});

const curl = (...args: string[]) => run('curl', ['-sS', '--max-time', '8', ...args]).then(({ stdout }) => stdout);

async function http(bind: string, more = '', server = ''): Promise<Rig> {
  rig = await startRig(`
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 2s
frontend f
  bind 127.0.0.1:1 ${bind}
  ${more}
  default_backend b
backend b
  server s 127.0.0.1:${server === '' ? port(origin) : port(secure)} ${server}
`);
  return rig;
}

describe('TLS to clients', () => {
  test('curl gets a page, with its certificate checked', async () => {
    const { port: of } = await http(`ssl crt ${SITE}`);
    const url = `https://localhost:${of('f')}/a`;
    expect(await curl('--cacert', SITE, '-4', url)).toBe('hello /a ');
  });

  test('a body of a megabyte, both ways', async () => {
    const { port: of } = await http(`ssl crt ${SITE}`);
    const base = `https://127.0.0.1:${of('f')}`;
    expect((await curl('-k', `${base}/big`)).length).toBe(1 << 20);
    expect(await curl('-k', '--data-binary', `@${process.execPath}`, '-H', 'Expect:', `${base}/up`)).toBe('hello /up ');
  }, 20_000);

  test('plain HTTP to a TLS address fails, and is counted', async () => {
    const { port: of, counter } = await http(`ssl crt ${SITE}`);
    await expect(curl(`http://127.0.0.1:${of('f')}/`)).rejects.toThrow();
    expect(counter('frontend', 'f', 'tls_failed')).toBe(1);
  });

  test('versions below the oldest are refused', async () => {
    const { port: of } = await http(`ssl crt ${SITE} ssl-min-ver TLSv1.3`);
    const url = `https://127.0.0.1:${of('f')}/`;
    await expect(curl('-k', '--tls-max', '1.2', url)).rejects.toThrow();
    expect(await curl('-k', url)).toBe('hello / ');
  });

  test.each([
    ['one key of ours', 0],
    ['keys of 48 bytes', 48],
    ['keys of 80 bytes', 80],
  ])('TLS 1.2 and 1.3, and sessions that are resumed: %s', async (_name, bytes) => {
    const keys = join(FOLDER, `keys-${bytes}`);
    const lines = [1, 2, 3].map(n => Buffer.alloc(bytes, n).toString('base64'));
    writeFileSync(keys, `${lines.join('\n')}\n`);
    const { port: of, counter } = await http(`ssl crt ${SITE} ${bytes > 0 ? `tls-ticket-keys ${keys}` : ''}`);
    for (const version of ['-tls1_2', '-tls1_3']) {
      const { stdout } = await run('sh', [
        '-c',
        `d=$(mktemp); req() { printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n'; sleep 0.3; }
         req | openssl s_client ${version} -connect 127.0.0.1:${of('f')} -sess_out $d -ign_eof 2>&1 >/dev/null
         req | openssl s_client ${version} -connect 127.0.0.1:${of('f')} -sess_in $d -ign_eof 2>/dev/null | grep -E '^(New|Reused)'; rm $d`,
      ]);
      expect(stdout).toMatch(/^Reused/m);
    }
    expect(counter('frontend', 'f', 'tls_reused')).toBe(2);
    expect(counter('frontend', 'f', 'tls_sess')).toBe(4);
  });

  test('sessions of clients without tickets: found, and looked for in vain', async () => {
    const { port: of, memory } = await http(`ssl crt ${SITE} ssl-max-ver TLSv1.2 no-tls-tickets`);
    const { port: other } = await http(`ssl crt ${SITE} ssl-max-ver TLSv1.2 no-tls-tickets`);
    const session = join(FOLDER, 'session');
    const ask = (to: number, how: string) =>
      run('sh', ['-c', `openssl s_client -tls1_2 -connect 127.0.0.1:${to} ${how} ${session} 2>/dev/null </dev/null`]);
    await ask(of('f'), '-sess_out');
    expect((await ask(of('f'), '-sess_in')).stdout).toMatch(/^Reused/m);
    await ask(other('f'), '-sess_out');
    expect((await ask(of('f'), '-sess_in')).stdout).toMatch(/^New/m);
    expect([TLS_LOOKUPS, TLS_MISSES].map(counter => memory.sum('process', 0, counter))).toEqual([2, 1]);
  });

  test('after a PROXY header', async () => {
    const { port: of } = await http(
      `accept-proxy ssl crt ${SITE}`,
      'http-request return status 200 content-type text/plain lf-string %[src]',
    );
    expect(await curl('-k', '--haproxy-protocol', `https://127.0.0.1:${of('f')}/`)).toBe('127.0.0.1');
  });
});

describe('TLS to servers', () => {
  test('without verification', async () => {
    const { port: of, counter } = await http('', '', 'ssl verify none');
    expect(await curl(`http://127.0.0.1:${of('f')}/x`)).toBe('hello /x ');
    expect(counter('server', 'b/s', 'tls_sess')).toBe(1);
  });

  test('verified, with the right name and with a wrong one', async () => {
    const { port: of } = await http('', '', `ssl verify required ca-file ${SITE} sni str(localhost)`);
    expect(await curl(`http://127.0.0.1:${of('f')}/x`)).toBe('hello /x ');
    await rig?.stop();
    const { port: again, counter } = await http(
      '',
      'retries 0',
      `ssl verify required ca-file ${SITE} verifyhost other.org`,
    );
    expect(await curl('-o', '/dev/null', '-w', '%{http_code}', `http://127.0.0.1:${again('f')}/x`)).toBe('503');
    expect(counter('server', 'b/s', 'tls_failed')).toBeGreaterThan(0);
  });

  test('sessions are resumed', async () => {
    const { port: of, counter } = await http('', '', 'ssl verify none pool-max-conn 0');
    for (let i = 0; i < 3; i++) expect(await curl(`http://127.0.0.1:${of('f')}/x`)).toBe('hello /x ');
    expect(counter('server', 'b/s', 'tls_reused')).toBe(2);
  });

  test('a big body through both', async () => {
    const { port: of } = await http(`ssl crt ${SITE}`, '', 'ssl verify none');
    expect((await curl('-k', `https://127.0.0.1:${of('f')}/big`)).length).toBe(1 << 20);
  });
});

describe('fetches and rules', () => {
  test('what the connection tells', async () => {
    const tells = ['ssl_fc', 'ssl_fc_sni', 'ssl_fc_alpn', 'ssl_fc_protocol', 'ssl_fc_cipher', 'ssl_fc_use_keysize'];
    const more = ['ssl_fc_is_resumed', 'ssl_fc_has_sni', 'ssl_c_used', 'ssl_c_verify'];
    const list = [...tells, ...more].map(name => `%[${name}]`).join('|');
    const { port: of } = await http(
      `ssl crt ${SITE} alpn h2,http/1.1`,
      `http-request return status 200 content-type text/plain lf-string ${list}`,
    );
    expect(await curl('--cacert', SITE, '-4', `https://localhost:${of('f')}/`)).toBe(
      '1|localhost|http/1.1|TLSv1.3|TLS_AES_128_GCM_SHA256|128|0|1|0|0',
    );
  });

  test('what peers are verified against is not sent to them', async () => {
    const authority = pemFile({ name: 'authority', ca: true });
    const signed = pemFile({ name: 'localhost', issuer: authority });
    const { port: of } = await http(`ssl crt ${signed} verify optional ca-file ${authority}`);
    const args = ['s_client', '-connect', `127.0.0.1:${of('f')}`, '-showcerts'];
    const { stdout } = await run('sh', ['-c', `openssl ${args.join(' ')} < /dev/null 2> /dev/null || true`]);
    expect(stdout.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
  });

  test('redirect to https', async () => {
    const { port: of } = await http('', 'redirect scheme https if !{ ssl_fc }');
    const out = await curl(
      '-o',
      '/dev/null',
      '-w',
      '%{redirect_url}',
      '-H',
      'Host: x.org',
      `http://127.0.0.1:${of('f')}/a`,
    );
    expect(out).toBe('https://x.org/a');
  });

  test('certificates of clients', async () => {
    const { port: of } = await http(
      `ssl crt ${SITE} verify optional ca-file ${SITE} crt-ignore-err all ca-ignore-err all`,
      'http-request return status 200 content-type text/plain lf-string %[ssl_c_used]/%[ssl_c_verify]/%[ssl_c_err]',
    );
    const other = pemFile({ name: 'stranger' });
    const url = `https://127.0.0.1:${of('f')}/`;
    expect(await curl('-k', url)).toBe('0/0/0');
    expect(await curl('-k', '--cert', SITE, url)).toBe('1/0/0');
    expect(await curl('-k', '--cert', other, url)).toMatch(/^1\/(18|20|21)\/(18|20)$/);
  });

  test('clients without a certificate that is asked for', async () => {
    const { port: of, counter } = await http(`ssl crt ${SITE} verify required ca-file ${SITE}`);
    const url = `https://127.0.0.1:${of('f')}/`;
    await expect(curl('-k', url)).rejects.toThrow();
    expect(await curl('-k', '--cert', SITE, url)).toBe('hello / ');
    expect(counter('frontend', 'f', 'tls_failed')).toBe(1);
  });
});

describe('connections that fail', () => {
  async function failing(bind: string, doing: (port: number) => Promise<unknown>): Promise<string[]> {
    const said: string[] = [];
    rig = await startRig(
      `frontend f\n  mode http\n  timeout client 300ms\n  bind 127.0.0.1:1 ${bind}\n  http-request return status 200\n`,
      { events: () => ({ ...NO_EVENTS, sessionFailed: (_session, why) => void said.push(why) }) },
    );
    await doing(rig.port('f')).catch(() => {});
    for (let tries = 0; said.length === 0 && tries < 100; tries++)
      await new Promise(resolve => setTimeout(resolve, 20));
    return said;
  }

  const speak = (text: string) => (to: number) =>
    new Promise<void>(resolve => {
      const socket = connect(to, '127.0.0.1', () => (text === '' ? socket.end() : socket.write(text)));
      socket.resume();
      socket.on('close', () => resolve());
      socket.on('error', () => resolve());
    });

  test.each([
    ['nothing is said', '', 'Connection closed during SSL handshake'],
    ['something else is spoken', 'GET / HTTP/1.0\r\n\r\n', 'SSL handshake failure'],
    ['a hello that does not go on', '\x16\x03\x01', 'Timeout during SSL handshake'],
  ])('%s', async (_name, text, why) => {
    expect(await failing(`ssl crt ${SITE}`, speak(text))).toEqual([why]);
  });

  test('a certificate that nobody vouches for', async () => {
    const other = pemFile({ name: 'stranger' });
    const bind = `ssl crt ${SITE} verify required ca-file ${SITE}`;
    const said = await failing(bind, to => curl('-k', '--cert', other, `https://127.0.0.1:${to}/`));
    expect(said).toEqual(['SSL client certificate not trusted']);
  });
});

test('maxsslconn bounds TLS connections', async () => {
  rig = await startRig(
    `global\n  maxsslconn 1\nfrontend f\n  mode http\n  timeout client 2s\n  bind 127.0.0.1:1 ssl crt ${SITE}\n  http-request return status 200\n`,
  );
  const of = rig.port('f');
  const first = connectTls({ port: of, host: '127.0.0.1', rejectUnauthorized: false });
  await once(first, 'secureConnect');
  await expect(curl('-k', `https://127.0.0.1:${of}/`)).rejects.toThrow();
  first.destroy();
  for (let tries = 0; rig.processWord('tls_conns') > 0 && tries < 100; tries++)
    await new Promise(done => setTimeout(done, 10));
  expect(await curl('-k', '-o', '/dev/null', '-w', '%{http_code}', `https://127.0.0.1:${of}/`)).toBe('200');
});

test('maxsslrate: the connection after those of a second waits', async () => {
  rig = await startRig(
    `global\n  maxsslrate 1\nfrontend f\n  mode http\n  timeout client 2s\n  bind 127.0.0.1:1 ssl crt ${SITE}\n  http-request return status 200\n`,
  );
  const url = `https://127.0.0.1:${rig.port('f')}/`;
  const ask = () => curl('-k', '-o', '/dev/null', '-w', '%{http_code}', url);
  const began = performance.now();
  for (let i = 0; i < 3; i++) expect(await ask()).toBe('200');
  // A sliding second: two of the three would fit around its edge.
  expect(performance.now() - began).toBeGreaterThan(500);
});

test('checks over TLS', async () => {
  // What they find is in test/interop/tls.test.ts; here: their steps are understood.
  const model = parseModel(`backend b
  option tcp-check
  tcp-check connect ssl sni a.org alpn http/1.1
  server s 127.0.0.1:1 check verify none
  server t 127.0.0.1:1 check ssl verify none
  server u 127.0.0.1:1 check check-ssl check-sni b.org verify none
`);
  const [s, t, u] = model.proxies[0]!.servers;
  expect([s!.tls, s!.check!.tls, s!.checkTls === null]).toEqual([null, false, false]);
  expect([t!.tls === null, t!.check!.tls]).toEqual([false, true]);
  expect([u!.tls, u!.check!.tls, u!.checkTls!.sniName]).toEqual([null, true, 'b.org']);
});

test('no connection is left', () => {
  expect(alive.connection).toBe(0);
});
