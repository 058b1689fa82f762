/** TLS with Debian's HAProxy at the other end, and beside it with the same configuration. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { pemFile } from '../tls/certificates.ts';
import { ask, backend, config, folder, freePort, start } from '../workers/sluice.ts';

const run = promisify(execFile);
const HAPROXY = spawnSync('haproxy', ['-v']).status === 0;
if (!HAPROXY) console.log('tls.test: skipped, haproxy is not installed');

const FIRST = pemFile({ name: 'first.org', names: ['first.org'] });
const SITE = pemFile({ name: 'localhost', names: ['localhost', 'www.example.com'] });
const WILD = pemFile({ name: '*.example.com', names: ['*.example.com'] });
const RSA = pemFile({ name: 'both.org', names: ['both.org'], key: 'rsa' });
const EC = pemFile({ name: 'both.org', names: ['both.org'], key: 'ec' });
const DEFAULTS = 'defaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 1s\n';

type Launch = (file: string) => void;
const launchers: Record<'sluice' | 'haproxy', Launch> = {
  sluice: file => void start(['-f', file]),
  haproxy: file => {
    const child = spawn('haproxy', ['-db', '-q', '-f', file], { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
  },
};

const curl = (...args: string[]) => run('curl', ['-sS', '--max-time', '8', ...args]).then(({ stdout }) => stdout);

/** The subject that openssl sees, '' when the handshake fails. */
async function subject(port: number, name: string, ...flags: string[]): Promise<string> {
  const words = `openssl s_client -connect 127.0.0.1:${port} ${name === '' ? '-noservername' : `-servername ${name}`} ${flags.join(' ')}`;
  const { stdout } = await run('sh', ['-c', `${words} </dev/null 2>/dev/null | sed -n 's/^subject=//p'`]);
  return stdout.trim();
}

describe.skipIf(!HAPROXY)('HAProxy at the other end', () => {
  test.each([
    ['sluice', 'haproxy'],
    ['haproxy', 'sluice'],
  ] as const)('%s speaks TLS to %s', async (front, back) => {
    const dir = folder();
    const [outer, inner, server] = [await freePort(), await freePort(), await backend('behind')];
    const back1 = `${DEFAULTS}listen inner\n  bind 127.0.0.1:${inner} ssl crt ${SITE} accept-proxy\n  server s 127.0.0.1:${server}\n`;
    const line = `127.0.0.1:${inner} ssl verify required ca-file ${SITE} sni str(localhost) send-proxy-v2 check check-ssl`;
    const front1 = `${DEFAULTS}listen outer\n  bind 127.0.0.1:${outer}\n  server s ${line} check-sni localhost inter 100ms\n`;
    fs.writeFileSync(`${dir}/inner.cfg`, back1);
    launchers[back](`${dir}/inner.cfg`);
    launchers[front](config(front1, dir));
    // The checks may have come before the server was there.
    for (let tries = 0; (await ask(outer)) !== 'behind'; tries++) {
      expect(tries).toBeLessThan(100);
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    for (let i = 0; i < 3; i++) expect(await ask(outer)).toBe('behind');
    // The checks, too.
    await new Promise(resolve => setTimeout(resolve, 600));
    expect(await ask(outer)).toBe('behind');
  });
});

/** `openssl s_server -www`: it answers each request with what it knows of the connection. Resolves to its port. */
async function opensslServer(...flags: string[]): Promise<number> {
  const port = await freePort();
  const words = ['s_server', '-accept', `127.0.0.1:${port}`, '-cert', SITE, '-www', '-Verify', '1', '-CAfile', FIRST];
  const child = spawn('openssl', [...words, ...flags], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return port;
}

describe('openssl as the server', () => {
  test.each([
    [
      'TLSv1.2',
      '-tls1_2',
      'ECDHE-ECDSA-AES128-GCM-SHA256',
      'ssl-max-ver TLSv1.2 ciphers ECDHE-ECDSA-AES128-GCM-SHA256',
    ],
    ['TLSv1.3', '-tls1_3', 'TLS_CHACHA20_POLY1305_SHA256', 'ciphersuites TLS_CHACHA20_POLY1305_SHA256'],
  ])('%s: verified, with a certificate of ours, and resumed', async (version, flag, cipher, words) => {
    const [port, server] = [await freePort(), await opensslServer(flag)];
    const line = `127.0.0.1:${server} ssl verify required ca-file ${SITE} verifyhost localhost sni str(localhost) crt ${FIRST}`;
    start([
      '-f',
      config(`${DEFAULTS}listen l\n  bind 127.0.0.1:${port}\n  server s ${line} ${words} pool-max-conn 0\n`),
    ]);
    const first = await ask(port);
    expect(first).toContain(`New, ${version}, Cipher is ${cipher}`);
    expect(first).toMatch(/Subject: CN ?= ?first\.org/);
    expect(await ask(port)).toContain(`Reused, ${version}, Cipher is ${cipher}`);
  });

  test('without the certificate that it wants there is no answer', async () => {
    const [port, server] = [await freePort(), await opensslServer()];
    const text = `${DEFAULTS}listen l\n  bind 127.0.0.1:${port}\n  retries 0\n  server s 127.0.0.1:${server} ssl verify none\n`;
    start(['-f', config(text)]);
    expect(await ask(port)).toMatch(/50[23] /);
  });
});

describe.skipIf(!HAPROXY)('the same configuration', () => {
  test('shows the same certificates', async () => {
    const dir = folder();
    fs.writeFileSync(`${dir}/list`, `${FIRST}\n${WILD} *.example.com !secret.example.com\n${SITE}\n${RSA}\n${EC}\n`);
    const asks: [string, ...string[]][] = [
      [''],
      ['first.org'],
      ['localhost'],
      ['www.example.com'],
      ['WWW.example.com'],
      ['a.example.com'],
      ['a.b.example.com'],
      ['secret.example.com'],
      ['example.com'],
      ['both.org'],
      ['nobody.org'],
    ];
    const seen: Record<string, string[]> = {};
    for (const [name, strict] of [
      ['lax', ''],
      ['strict', 'strict-sni'],
    ] as const) {
      for (const who of ['sluice', 'haproxy'] as const) {
        const [port, plain] = [await freePort(), await freePort()];
        const file = `${dir}/${who}-${name}.cfg`;
        fs.writeFileSync(
          file,
          `${DEFAULTS}frontend f\n  bind 127.0.0.1:${port} ssl crt-list ${dir}/list ${strict}\n  bind 127.0.0.1:${plain}\n  http-request return status 200\n`,
        );
        launchers[who](file);
        await ask(plain);
        const list: string[] = [];
        for (const [host, ...flags] of asks) list.push(`${host}: ${await subject(port, host, ...flags)}`);
        seen[`${who} ${name}`] = list;
      }
      expect(seen[`sluice ${name}`]).toEqual(seen[`haproxy ${name}`]);
    }
  }, 60_000);

  test('makes the same certificates for unknown names', async () => {
    const dir = folder();
    const authority = pemFile({ name: 'authority', ca: true });
    const seen: Record<string, string[]> = {};
    for (const who of ['sluice', 'haproxy'] as const) {
      for (const strict of ['', 'strict-sni']) {
        const [port, plain] = [await freePort(), await freePort()];
        const file = `${dir}/${who}-${strict}.cfg`;
        fs.writeFileSync(
          file,
          `${DEFAULTS}frontend f\n  bind 127.0.0.1:${port} ssl crt ${FIRST} generate-certificates ca-sign-file ${authority} ${strict}\n  bind 127.0.0.1:${plain}\n  http-request return status 200\n`,
        );
        launchers[who](file);
        await ask(plain);
        const list = [];
        for (const name of ['first.org', 'a.example.com', 'b.example.com', 'A.Example.com', '']) {
          list.push(`${strict} ${name}: ${await subject(port, name)}`);
        }
        seen[who] = [...(seen[who] ?? []), ...list];
      }
    }
    expect(seen.sluice).toEqual(seen.haproxy);
  }, 60_000);

  test('tells the same of the connection', async () => {
    const dir = folder();
    const names = ['ssl_fc', 'ssl_fc_sni', 'ssl_fc_alpn', 'ssl_fc_protocol', 'ssl_fc_cipher', 'ssl_fc_alg_keysize'];
    const more = [
      'ssl_fc_use_keysize',
      'ssl_fc_is_resumed',
      'ssl_fc_has_sni',
      'ssl_fc_has_crt',
      'ssl_c_used',
      'ssl_c_verify',
      'ssl_c_err',
      'ssl_c_ca_err',
    ];
    const format = [...names, ...more].map(name => `${name}=%[${name}]`).join(' ');
    const seen: Record<string, string[]> = {};
    for (const who of ['sluice', 'haproxy'] as const) {
      const [port, plain] = [await freePort(), await freePort()];
      const file = `${dir}/${who}.cfg`;
      const ciphers = 'ciphers ECDHE-ECDSA-AES128-GCM-SHA256 ciphersuites TLS_AES_128_GCM_SHA256';
      const bind = `ssl crt ${SITE} ${ciphers} alpn http/1.1 verify optional ca-file ${SITE} ca-ignore-err all crt-ignore-err all`;
      fs.writeFileSync(
        file,
        `${DEFAULTS}frontend f\n  bind 127.0.0.1:${port} ${bind}\n  bind 127.0.0.1:${plain}\n  http-request return status 200 content-type text/plain lf-string "${format}"\n`,
      );
      launchers[who](file);
      await ask(plain);
      const url = `https://localhost:${port}/`;
      seen[who] = [
        await curl('-4', '--cacert', SITE, url),
        await curl('-k', `https://127.0.0.1:${port}/`),
        await curl('-k', '-4', '--tls-max', '1.2', url),
        await curl('-k', '-4', '--no-alpn', url),
        await curl('-k', '-4', '--cert', SITE, url),
        await curl('-k', '-4', '--cert', WILD, url),
      ];
    }
    expect(seen.sluice).toEqual(seen.haproxy);
  }, 30_000);
});
