/** Settings of bind and server lines as openssl(1) and curl meet them: stapling, revocation, groups, authorities. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseModel, type Rig, startRig } from '../proxy/rig.ts';
import { revocationList, stapleBeside } from './authority.ts';
import { FOLDER, pemFile } from './certificates.ts';

const run = promisify(execFile);
const AUTHORITY = pemFile({ name: 'authority', ca: true });
const SITE = pemFile({ name: 'site.org', names: ['site.org', 'localhost'], issuer: AUTHORITY });
const RSA = pemFile({ name: 'rsa.org', key: 'rsa' });

let rig: Rig | null = null;

afterEach(async () => {
  await rig?.stop();
  rig = null;
});

async function front(bind: string, global = ''): Promise<number> {
  rig = await startRig(
    `global\n  ${global}\nfrontend f\n  mode http\n  timeout client 3s\n  bind 127.0.0.1:1 ${bind}\n  http-request return status 200 content-type text/plain string "fine"\n`,
  );
  return rig.port('f');
}

/** What s_client prints of a handshake. */
async function handshake(port: number, flags: string): Promise<string> {
  const words = `openssl s_client -connect 127.0.0.1:${port} ${flags} </dev/null 2>&1 || true`;
  return (await run('sh', ['-c', words])).stdout;
}

const curl = (...args: string[]) => run('curl', ['-sS', '--max-time', '5', ...args]).then(({ stdout }) => stdout);

test('the OCSP response beside a certificate is stapled, for those who ask', async () => {
  const file = pemFile({ name: 'stapled.org', names: ['stapled.org'], issuer: AUTHORITY });
  stapleBeside(file, AUTHORITY);
  const port = await front(`ssl crt ${file} crt ${SITE}`);
  for (const version of ['-tls1_2', '-tls1_3']) {
    const answer = await handshake(port, `-status -servername stapled.org ${version}`);
    expect(answer).toContain('OCSP Response Status: successful');
    expect(answer).toContain('Cert Status: good');
    expect(await handshake(port, `-status -servername site.org ${version}`)).toContain('OCSP response: no response');
    expect(await handshake(port, `-servername stapled.org ${version}`)).not.toContain('OCSP');
  }
});

describe('crl-file', () => {
  const good = pemFile({ name: 'good', issuer: AUTHORITY });
  const bad = pemFile({ name: 'bad', issuer: AUTHORITY });

  test('a client whose certificate is revoked is refused, others are not', async () => {
    const list = revocationList(AUTHORITY, [bad]);
    const port = await front(`ssl crt ${SITE} verify required ca-file ${AUTHORITY} crl-file ${list}`);
    const url = `https://127.0.0.1:${port}/`;
    expect(await curl('-k', '--cert', good, url)).toBe('fine');
    await expect(curl('-k', '--cert', bad, url)).rejects.toThrow(/revoked/);
    expect(rig!.counter('frontend', 'f', 'tls_failed')).toBe(1);
  });

  test('without a list of that authority nobody is let in', async () => {
    const other = pemFile({ name: 'other authority', ca: true });
    const list = revocationList(other, []);
    const port = await front(`ssl crt ${SITE} verify required ca-file ${AUTHORITY} crl-file ${list}`);
    await expect(curl('-k', '--cert', good, `https://127.0.0.1:${port}/`)).rejects.toThrow();
  });
});

describe('ca-verify-file', () => {
  const named = pemFile({ name: 'named-authority', ca: true });
  const client = pemFile({ name: 'client', issuer: AUTHORITY });
  const named2 = pemFile({ name: 'client-of-the-named', issuer: named });

  test.each([
    ['ca-file', named2],
    ['ca-verify-file', client],
  ])('clients of those of %s are let in, and are told only the names of ca-file', async (_, certificate) => {
    const port = await front(`ssl crt ${SITE} verify required ca-file ${named} ca-verify-file ${AUTHORITY}`);
    expect(await curl('-k', '--cert', certificate, `https://127.0.0.1:${port}/`)).toBe('fine');
    const names = /Acceptable client certificate CA names\n([\s\S]*?)\nRequested/.exec(await handshake(port, ''))![1];
    expect(names).toMatch(/^CN ?= ?named-authority$/);
  });

  test('one of ca-file that was issued by one of ca-verify-file', async () => {
    const between = pemFile({ name: 'between', ca: true, issuer: AUTHORITY });
    const port = await front(`ssl crt ${SITE} verify required ca-file ${between} ca-verify-file ${AUTHORITY}`);
    const below = pemFile({ name: 'below', issuer: between });
    expect(await curl('-k', '--cert', below, `https://127.0.0.1:${port}/`)).toBe('fine');
  });
});

describe('without a word of ciphers', () => {
  test.each([
    ['-tls1_3', 'TLS_AES_128_GCM_SHA256'],
    ['-tls1_2', 'ECDHE-RSA-AES128-GCM-SHA256'],
    ['-tls1_2 -cipher AES128-SHA', '(NONE)'],
  ])("they are those of Mozilla's intermediate profile: %s", async (flags, cipher) => {
    const port = await front(`ssl crt ${RSA}`);
    expect(await handshake(port, flags)).toContain(`Cipher is ${cipher}`);
  });
});

describe('groups of the key exchange', () => {
  test.each([
    ['curves secp384r1', 'secp384r1'],
    ['ecdhe secp521r1', 'secp521r1'],
    ['curves X25519 ecdhe secp521r1', 'X25519'],
  ])('%s', async (words, group) => {
    const port = await front(`ssl crt ${SITE} ${words}`);
    expect(await handshake(port, '-tls1_3')).toMatch(
      new RegExp(
        `(Server Temp Key|Peer Temp Key|group): .*${group.replace('secp384r1', '(secp384r1|P-384)').replace('secp521r1', '(secp521r1|P-521)')}`,
        'i',
      ),
    );
    expect(await handshake(port, '-tls1_3 -groups prime256v1')).toMatch(/alert handshake failure|handshake failure/);
  });

  const DHE = '-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256';

  test.each([
    [4000, 'rsa', 2048],
    [4000, 'rsa4096', 3072],
    [6144, 'rsa4096', 4096],
    [1024, 'rsa', 2048],
  ] as const)('tune.ssl.default-dh-param %d with a key of %s: a group of %d bits', async (bits, key, group) => {
    const file = pemFile({ name: 'dhe.org', key });
    const port = await front(`ssl crt ${file}`, `tune.ssl.default-dh-param ${bits}`);
    const answer = await handshake(port, '-tls1_2 -cipher DHE-RSA-AES256-GCM-SHA384');
    expect(answer).toContain(`DH, ${group} bits`);
  });

  test('Diffie-Hellman parameters: none, of a file for all, of the certificate', async () => {
    expect(await handshake(await front(`ssl crt ${RSA}`), DHE)).toMatch(/handshake failure/);
    await rig?.stop();
    const params = join(FOLDER, 'dh.pem');
    const text = execFileSync('openssl', ['genpkey', '-genparam', '-algorithm', 'DH', '-pkeyopt', 'group:ffdhe3072']);
    // What `openssl dhparam` writes.
    writeFileSync(params, execFileSync('openssl', ['dhparam', '-check'], { input: text, stdio: 'pipe' }));
    expect(readFileSync(params, 'latin1')).toContain('DH PARAMETERS');
    const port = await front(`ssl crt ${RSA}`, `ssl-dh-param-file ${params}`);
    expect(await handshake(port, DHE)).toContain('Temp Key: DH, 3072 bits');
    await rig?.stop();
    const own = join(FOLDER, 'own-dh.pem');
    writeFileSync(own, readFileSync(RSA, 'latin1') + readFileSync(params, 'latin1'));
    expect(await handshake(await front(`ssl crt ${own}`), DHE)).toContain('Temp Key: DH, 3072 bits');
  });
});

describe('certificates of servers', () => {
  let origin: Server;

  beforeAll(async () => {
    const pem = readFileSync(SITE);
    origin = createServer({ key: pem, cert: pem }, (_req, res) => res.end('inside'));
    await new Promise<void>(done => origin.listen(0, '127.0.0.1', done));
  });

  afterAll(() => void origin.close());

  async function status(words: string, lines = ''): Promise<string> {
    rig = await startRig(`
listen l
  mode http
  timeout client 3s
  timeout server 3s
  timeout connect 1s
  retries 0
  ${lines}
  bind 127.0.0.1:1
  server s 127.0.0.1:${(origin.address() as AddressInfo).port} ssl no-sni-auto ${words}
`);
    return curl('-o', '/dev/null', '-w', '%{http_code}', `http://127.0.0.1:${rig.port('l')}/`);
  }

  test.each([
    ['verify none', /: Success TLSv1.3 1 site.org$/],
    [`verify required ca-file ${RSA}`, /: SSL handshake failure TLSv1.3 1 $/],
    [
      `verify required ca-file ${AUTHORITY} verifyhost other.org`,
      /: Server presented .* the configured one TLSv1.3 1 $/,
    ],
    [`verify required ca-file ${AUTHORITY} sni str(other.org)`, /: Server presented .* the expected one TLSv1.3 1 $/],
  ])('what is known of the connection, also when it has been left: %s', async (words, line) => {
    const told = '%[bc_err_str] %[ssl_bc_protocol] %[ssl_bc] %[ssl_s_s_dn(cn)]';
    await status(words, `http-after-response set-header told "told: ${told}"`);
    const head = await curl('-o', '/dev/null', '-D', '-', `http://127.0.0.1:${rig!.port('l')}/`);
    expect(/^told: (.*)\r$/im.exec(head)![1]).toMatch(line);
  });

  const list = () => revocationList(AUTHORITY, [SITE]);

  test.each([
    ['its authority', () => `ca-file ${AUTHORITY}`, '200'],
    ['another authority', () => `ca-file ${RSA}`, '503'],
    ['those of the system', () => 'ca-file @system-ca', '503'],
    ['its name', () => `ca-file ${AUTHORITY} verifyhost site.org`, '200'],
    ['another name', () => `ca-file ${AUTHORITY} verifyhost other.org`, '503'],
    ['the name that is sent', () => `ca-file ${AUTHORITY} sni str(localhost)`, '200'],
    ['another name that is sent', () => `ca-file ${AUTHORITY} sni str(other.org)`, '503'],
    [
      'the name that is sent goes before another',
      () => `ca-file ${AUTHORITY} verifyhost site.org sni str(other.org)`,
      '503',
    ],
    ['revoked', () => `ca-file ${AUTHORITY} crl-file ${list()}`, '503'],
    ['not verified', () => 'verify none', '200'],
  ])('%s', async (_name, words, expected) => {
    expect(await status(words())).toBe(expected);
    expect(rig!.counter('server', 'l/s', 'tls_failed')).toBe(expected === '200' ? 0 : 1);
  });
});

test("@system-ca are the authorities that the system's file has", () => {
  const model = parseModel('backend b\n  server s 127.0.0.1:1 ssl ca-file @system-ca\n');
  expect(model.tls.authorities.map(({ name }) => name)).toEqual(['@system-ca']);
  expect(model.tls.authorities[0]!.entries.length).toBeGreaterThan(20);
});
