/** Certificates that are made for the names that clients ask for. */
import { execFile, execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { DEFAULT_BIND_SETTINGS } from '../../engine/config/tls-draft.ts';
import type { GlobalTls } from '../../engine/config/tls-model.ts';
import { Forge } from '../../engine/tls/forge.ts';
import { alive } from '../../engine/tls/handle.ts';
import { NO_HELLO } from '../../engine/tls/hello.ts';
import { TlsListener } from '../../engine/tls/listener.ts';
import { readSigner } from '../../engine/tls/signer.ts';
import { TlsStore } from '../../engine/tls/store.ts';
import fc from '../properties.ts';
import { rigOf } from '../proxy/listen.ts';
import { parseModel, type Rig } from '../proxy/rig.ts';
import { certificate, FOLDER, pemFile } from './certificates.ts';
import { NO_FILES } from './ends.ts';

const run = promisify(execFile);
const SITE = pemFile({ name: 'site.org', names: ['site.org'] });
const AUTHORITIES = {
  ecdsa: pemFile({ name: 'authority', ca: true }),
  rsa: pemFile({ name: 'authority', ca: true, key: 'rsa' }),
};

/** The authority with its key encrypted. */
function locked(password: string): string {
  const file = join(FOLDER, 'locked.pem');
  const key = execFileSync('openssl', ['pkey', '-in', AUTHORITIES.rsa, '-aes128', '-passout', `pass:${password}`]);
  const pem = readFileSync(AUTHORITIES.rsa, 'latin1');
  writeFileSync(file, pem.slice(0, pem.indexOf('-----BEGIN PRIVATE')) + key.toString());
  return file;
}

function signer(file: string, password: string | null = null) {
  const read = readSigner(file, readFileSync(file), password);
  if ('problem' in read) throw new Error(read.problem);
  return read;
}

let rig: Rig;

describe('clients are shown a certificate for their name', () => {
  test.each([
    ['ECDSA', `ca-sign-file ${AUTHORITIES.ecdsa}`, AUTHORITIES.ecdsa],
    ['RSA', `ca-sign-file ${AUTHORITIES.rsa}`, AUTHORITIES.rsa],
    ['RSA with a password', `ca-sign-file ${locked('secret')} ca-sign-pass secret`, AUTHORITIES.rsa],
    ['also with strict-sni', `strict-sni ca-sign-file ${AUTHORITIES.ecdsa}`, AUTHORITIES.ecdsa],
  ])('%s', async (_name, words, authority) => {
    rig = await rigOf(
      `frontend f\n  mode http\n  timeout client 3s\n  bind 127.0.0.1:1 ssl crt ${SITE} generate-certificates ${words}\n  http-request return status 200 content-type text/plain lf-string "%[ssl_fc_sni]"\n`,
    );
    const port = rig.port('f');
    const ask = async (name: string, ca: string) => {
      const to = ['--resolve', `${name}:${port}:127.0.0.1`, '--cacert', ca, `https://${name}:${port}/`];
      return (await run('curl', ['-sS', '--max-time', '5', ...to])).stdout;
    };
    for (const name of ['a.example.com', 'b.example.com', 'a.example.com'])
      expect(await ask(name, authority)).toBe(name);
    // The one there is goes before.
    expect(await ask('site.org', SITE)).toBe('site.org');
  });
});

test('what is made is a certificate for the name and nothing else', () => {
  const forge = new Forge(signer(AUTHORITIES.ecdsa));
  const authority = new X509Certificate(readFileSync(AUTHORITIES.ecdsa));
  const like = certificate({ name: 'site.org', names: ['site.org'] });
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 6 }), labels => {
      const name = labels.join('.');
      const made = forge.make(name, like)!;
      const x509 = new X509Certificate(made.leaf);
      expect(x509.subjectAltName).toBe(`DNS:${name}`);
      expect(x509.subject ?? '').toBe(name.length > 64 ? '' : `CN=authority\nCN=${name}`);
      expect([x509.issuer, x509.ca, x509.checkIssued(authority)]).toEqual([authority.subject, false, true]);
      expect(x509.verify(authority.publicKey)).toBe(true);
      expect(Date.parse(x509.validFrom)).toBeLessThan(Date.now());
      expect(Date.parse(x509.validTo)).toBeGreaterThan(Date.now());
    }),
    { numRuns: 50 },
  );
});

test.each(['a b', 'a..b', '-a', 'a\0b', '*.org', 'ü.org', '', `${'a'.repeat(250)}.org`, '<script>'])(
  'no certificate is made for %j',
  name => expect(new Forge(signer(AUTHORITIES.ecdsa)).make(name, certificate({ name: 'site.org' }))).toBeNull(),
);

test('as many are kept as the cache has room for, those used last', () => {
  const site = certificate({ name: 'site.org', names: ['site.org'] });
  const store = new TlsStore({ ...NO_FILES, certificates: [site] });
  const global: GlobalTls = {
    ...{
      maxConn: 0,
      maxRate: 0,
      cacheSize: 0,
      lifetimeSeconds: 300,
      maxRecordBytes: 0,
      keyUpdatesMax: 0,
      dhParams: null,
      dhBits: 0,
      madeMax: 2,
    },
    ...{
      captureBytes: 0,
      ocspMinSeconds: 300,
      ocspMaxSeconds: 3600,
      ocspProxy: null,
      crtBase: null,
      caBase: null,
      serverLines: [],
      privateCache: false,
    },
  };
  const entry = { certificate: site.name, filters: [], settings: null, isDefault: false, from: null };
  const bind = {
    ...DEFAULT_BIND_SETTINGS,
    file: '',
    line: 0,
    strictSni: false,
    certificates: [entry],
    ticketKeys: null,
    lists: [],
  };
  const tls = new TlsListener(store, { ...bind, signer: signer(AUTHORITIES.ecdsa) }, global, 'test');
  const shown = (serverName: string) => tls.choose({ ...NO_HELLO, serverName, ecdsa: true, rsa: true })!;
  const before = alive.context;
  const [a, b] = [shown('a.org'), shown('b.org')];
  expect(shown('A.org')).toBe(a);
  shown('c.org');
  expect(alive.context).toBe(before + 2);
  expect(shown('a.org')).toBe(a);
  expect(shown('b.org')).not.toBe(b);
  for (let i = 0; i < 50; i++) shown(`host${i}.org`);
  expect(alive.context).toBe(before + 2);
  // What is no name of a host gets the default.
  expect(shown('a b').certificate!.name).toBe(site.name);
  tls.free();
  expect(alive.context).toBe(before);
});

test.each([
  ['', 'no CA certificate file configured'],
  ['ca-sign-file /nowhere', "unable to open '/nowhere'"],
  [`ca-sign-file ${locked('secret')}`, 'unable to load'],
  [`ca-sign-file ${locked('secret')} ca-sign-pass wrong`, 'unable to load'],
])('an authority that is of no use: %s', (words, message) => {
  const text = `frontend f\n  mode http\n  bind 127.0.0.1:1 ssl crt ${SITE} generate-certificates ${words}\n`;
  expect(() => parseModel(text)).toThrow(message);
});
