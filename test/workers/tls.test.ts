/** TLS of the whole program: several workers, many certificates, bad files. */
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { pemFile } from '../tls/certificates.ts';
import { ask, backend, config, folder, freePort, sluice, start } from './sluice.ts';

const run = promisify(execFile);
const SITE = pemFile({ name: 'localhost', names: ['localhost'] });
const TIMEOUTS = 'timeout client 5s\n  timeout server 5s\n  timeout connect 1s';

/** What openssl says of `count` connections, each with the session of the first. */
async function resumptions(port: number, count: number, flags: string): Promise<number> {
  const dir = folder();
  const connect = (session: string) =>
    run('sh', [
      '-c',
      `(printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n'; sleep 0.2) |
       openssl s_client ${flags} -connect 127.0.0.1:${port} ${session} -ign_eof 2>/dev/null | grep -cE '^Reused' || true`,
    ]);
  await connect(`-sess_out ${dir}/s`);
  const all = await Promise.all(Array.from({ length: count }, () => connect(`-sess_in ${dir}/s`)));
  return all.filter(({ stdout }) => stdout.trim() === '1').length;
}

test('a session resumes on any worker', async () => {
  const [port, plain, server] = [await freePort(), await freePort(), await backend('one')];
  const file = config(`global
  nbthread 2
listen a
  mode http
  ${TIMEOUTS}
  bind 127.0.0.1:${port} ssl crt ${SITE} shards by-thread
  bind 127.0.0.1:${plain}
  server s 127.0.0.1:${server}
`);
  start(['-f', file]);
  await ask(plain);
  expect(await resumptions(port, 8, '-tls1_3')).toBe(8);
  expect(await resumptions(port, 8, '-tls1_2')).toBe(8);
}, 30_000);

test('a thousand certificates: each is found, and the start is quick', async () => {
  const dir = folder();
  const many = path.join(dir, 'many');
  fs.mkdirSync(many);
  // One key for all: making keys is not what is looked at.
  execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${dir}/key`]);
  const script = `for i in $(seq 1000); do openssl req -x509 -key ${dir}/key -days 9 -subj /CN=n$i.example.com -out ${dir}/c 2>/dev/null; cat ${dir}/c ${dir}/key > ${many}/$i.pem; done`;
  await run('sh', ['-c', script]);
  const [port, plain, server] = [await freePort(), await freePort(), await backend('many')];
  const file = config(
    `global
  nbthread 2
listen a
  mode http
  ${TIMEOUTS}
  bind 127.0.0.1:${port} ssl crt ${many}/ strict-sni
  bind 127.0.0.1:${plain}
  server s 127.0.0.1:${server}
`,
    dir,
  );
  const before = process.hrtime.bigint();
  start(['-f', file]);
  await ask(plain);
  const ms = Number(process.hrtime.bigint() - before) / 1e6;
  for (const n of [1, 500, 1000]) {
    const { stdout } = await run('sh', [
      '-c',
      `openssl s_client -connect 127.0.0.1:${port} -servername n${n}.example.com </dev/null 2>/dev/null | grep -m1 subject`,
    ]);
    expect(stdout).toContain(`n${n}.example.com`);
  }
  expect(ms).toBeLessThan(8_000);
}, 90_000);

describe('files that are not good end the start, and are named', () => {
  const check = (bind: string, more = '') => {
    const file = config(`${more}\nlisten a\n  mode http\n  ${TIMEOUTS}\n  bind 127.0.0.1:1 ${bind}\n`);
    return sluice('-c', '-f', file);
  };

  test.each([
    ['no certificate', 'ssl', 'no SSL certificate specified'],
    ['no such file', 'ssl crt /nowhere.pem', "'/nowhere.pem'"],
    ['bad ciphers', `ssl crt ${SITE} ciphers FOO`, "unable to set SSL cipher list to 'FOO'"],
    ['bad curves', `ssl crt ${SITE} curves FOO`, "unable to set SSL curves list to 'FOO'"],
  ])('%s', (_name, bind, message) => {
    const { code, err } = check(bind);
    expect(err).toContain(message);
    expect(code).toBe(1);
  });

  test('a broken PEM, a key of another certificate, no key', () => {
    const dir = folder();
    const pem = fs.readFileSync(SITE, 'latin1');
    const other = fs.readFileSync(pemFile({ name: 'other.org' }), 'latin1');
    const certificate = pem.slice(0, pem.indexOf('-----BEGIN PRIVATE'));
    const cases: [string, string, string][] = [
      ['broken', pem.replace(/\nMII/, '\nXXX'), 'unable to load certificate from file'],
      [
        'mixed',
        certificate + other.slice(other.indexOf('-----BEGIN PRIVATE')),
        'inconsistencies between private key and certificate',
      ],
      ['keyless', certificate, 'No Private Key found'],
      ['empty', '', 'no start line'],
    ];
    for (const [name, text, message] of cases) {
      fs.writeFileSync(`${dir}/${name}.pem`, text);
      const { code, err } = check(`ssl crt ${dir}/${name}.pem`);
      expect(err).toContain(message);
      expect(err).toContain(`${name}.pem`);
      expect(code).toBe(1);
    }
  });

  test('a crt-list: the line is told', () => {
    const dir = folder();
    fs.writeFileSync(`${dir}/list`, `# ours\n${SITE} [ssl-min-ver TLSv1.3] localhost\n${SITE} [nope]\n`);
    const { code, err } = check(`ssl crt-list ${dir}/list`);
    expect(err).toContain(`${dir}/list:3`);
    expect(err).toContain("unknown keyword 'nope'");
    expect(code).toBe(1);
  });
});
