/** What the global section has OpenSSL load, and how keys that are encrypted are opened. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { providers } from '../../engine/tls/providers.ts';
import { parseModel } from '../proxy/rig.ts';
import { FOLDER, pemFile } from './certificates.ts';

const SITE = pemFile({ name: 'site.org', names: ['site.org'] });
const [leaf, key] = readFileSync(SITE, 'latin1').split(/(?=-----BEGIN PRIVATE)/) as [string, string];

const load = (crt: string, global: string, ...more: string[]) =>
  parseModel(
    `global\n  ${global}\nfrontend f\n  mode http\n  bind 127.0.0.1:1 ssl crt ${[crt, ...more].join(' crt ')}\n`,
  );

describe('encrypted keys', () => {
  const dir = mkdtempSync(join(FOLDER, 'encrypted-'));
  const encrypted = (passphrase: string, ...words: string[]) =>
    execFileSync('openssl', [...words, '-passout', `pass:${passphrase}`], {
      input: key,
      encoding: 'latin1',
      stdio: 'pipe',
    });
  const pkcs8 = (passphrase: string) => encrypted(passphrase, 'pkcs8', '-topk8');
  const file = (name: string, text: string) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const one = file('one.pem', leaf + pkcs8('first'));
  const two = file('two.pem', leaf + pkcs8('first'));
  const old = file('old.crt', leaf);
  file('old.crt.key', encrypted('second', 'ec', '-aes256'));
  const asked = join(dir, 'asked');
  const ask = file('ask', `#!/bin/sh\necho "$*" >> ${asked}\ncase $1 in *old*) echo second;; *) echo first;; esac\n`);
  chmodSync(ask, 0o755);

  test('are opened by what a program says, which is asked once for each passphrase', () => {
    const model = load(one, `ssl-passphrase-cmd ${ask} a b`, two, old);
    const [open] = load(SITE, '').tls.certificates;
    expect(model.tls.certificates.map(certificate => certificate.key)).toEqual([open!.key, open!.key, open!.key]);
    expect(readFileSync(asked, 'utf8')).toBe(`${one} a b\n${old}.key a b\n`);
  });

  test('without a passphrase are told', () => {
    const problem = `unable to load private key from file '${one}':`;
    expect(() => load(one, '')).toThrow(`${problem} it is encrypted (see 'ssl-passphrase-cmd')`);
    expect(() => load(one, 'ssl-passphrase-cmd echo')).toThrow(`${problem} the passphrase is wrong: `);
    const why = `${problem} it is encrypted, and 'ssl-passphrase-cmd':`;
    expect(() => load(one, 'ssl-passphrase-cmd false')).toThrow(`${why} 'false' ended with status 1`);
    expect(() => load(one, 'ssl-passphrase-cmd /nowhere')).toThrow(`${why} '/nowhere' cannot be run: there is no such`);
    expect(() => load(one, `ssl-passphrase-cmd yes`)).toThrow(`${why} 'yes' cannot be run: it wrote more than 4096`);
  });
});

describe('providers', () => {
  const PLACES = ['/usr/lib/x86_64-linux-gnu/ossl-modules', '/usr/lib/aarch64-linux-gnu/ossl-modules'];
  const modules = PLACES.find(place => existsSync(`${place}/legacy.so`));

  test('are loaded once, in their order, beside the default one', () => {
    expect(providers()).toEqual(['default']);
    load(SITE, 'ssl-provider legacy\n  ssl-provider default');
    load(SITE, 'ssl-provider legacy');
    expect([...providers()].sort()).toEqual(['default', 'legacy']);
  });

  test.runIf(modules !== undefined)('of a folder', () => {
    const dir = mkdtempSync(join(FOLDER, 'providers-'));
    execFileSync('cp', [`${modules}/legacy.so`, join(dir, 'own.so')]);
    load(SITE, `ssl-provider-path ${dir}\n  ssl-provider own\n  ssl-provider-path /nowhere`);
    expect(providers()).toContain('own');
  });

  test('that are not there are told', () => {
    const why = 'ssl-provider nowhere: unknown provider: could not load the shared library.';
    expect(() => load(SITE, 'ssl-provider nowhere')).toThrow(why);
  });

  test('are chosen by properties, unless the configuration is not used', () => {
    expect(() => load(SITE, 'ssl-propquery ===')).toThrow("'ssl-propquery' : '===' is refused: not an identifier.");
    load(SITE, 'ssl-propquery ?provider=default');
    expect(() => load(SITE, 'ssl-propquery provider=nobody')).toThrow();
    expect(load(SITE, '').tls.certificates).toHaveLength(1);
  });
});
