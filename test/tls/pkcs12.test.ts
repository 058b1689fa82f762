import { spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { pemOfPkcs12 } from '../../engine/tls/pkcs12.ts';
import { folder } from '../workers/sluice.ts';

function openssl(...words: string[]): void {
  const { status, stderr } = spawnSync('openssl', words);
  expect(status, String(stderr)).toBe(0);
}

const KINDS = {
  rsa: ['rsa:2048'],
  ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
  ed25519: ['ed25519'],
} as const;

/** A bundle of a key of this kind, its certificate and an issuer. */
function bundle(kind: keyof typeof KINDS, password: string) {
  const dir = folder();
  const file = (name: string) => path.join(dir, name);
  const make = (name: string) =>
    openssl(
      ...['req', '-x509', '-nodes', '-days', '2', '-newkey', ...KINDS[kind], '-subj', `/CN=${name}`],
      ...['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)],
    );
  for (const name of ['site', 'issuer']) make(name);
  openssl(
    ...['pkcs12', '-export', '-in', file('site.pem'), '-inkey', file('site.key'), '-certfile', file('issuer.pem')],
    ...['-passout', `pass:${password}`, '-out', file('site.p12')],
  );
  return { p12: fs.readFileSync(file('site.p12')), key: fs.readFileSync(file('site.key')) };
}

describe.each(['rsa', 'ec', 'ed25519'] as const)('%s', kind => {
  test.each(['', 'secret'])('with the password %j', password => {
    const { p12, key } = bundle(kind, password);
    const pem = pemOfPkcs12(p12, password);
    const [own, issuer] = pem.split(/(?<=-----END CERTIFICATE-----\n)/);
    expect(new X509Certificate(own!).subject).toBe('CN=site');
    expect(new X509Certificate(issuer!).subject).toBe('CN=issuer');
    expect(createPrivateKey(pem).equals(createPrivateKey(key))).toBe(true);
  });
});

test('what is none, or has another password', () => {
  expect(() => pemOfPkcs12(Buffer.from('nothing'), '')).toThrow('PKCS #12');
  const { p12 } = bundle('ec', 'secret');
  expect(() => pemOfPkcs12(p12, '')).toThrow('mac verify failure');
  expect(() => pemOfPkcs12(p12.subarray(0, 100), 'secret')).toThrow('PKCS #12');
});
