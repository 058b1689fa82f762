/** How certificates are loaded: `crt-store` sections, options of crt-lists, `ssl-f-use`. */
import { execFile, execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parseModel, startRig } from '../proxy/rig.ts';
import { stapleBeside } from './authority.ts';
import { FOLDER, pemFile } from './certificates.ts';

const run = promisify(execFile);
const ROOT = pemFile({ name: 'root', ca: true });
const SITE = pemFile({ name: 'site.org', names: ['site.org'], issuer: ROOT });
const OTHER = pemFile({ name: 'other.org', names: ['other.org'] });
const [leaf, key] = readFileSync(SITE, 'latin1').split(/(?=-----BEGIN PRIVATE)/) as [string, string];

/** `a.crt` without its key, and the key, the issuer, a response, timestamps in files whose names tell nothing of it. */
function parts(): string {
  const dir = mkdtempSync(join(FOLDER, 'store-'));
  writeFileSync(join(dir, 'a.crt'), leaf);
  writeFileSync(join(dir, 'k'), key);
  writeFileSync(join(dir, 'i'), readFileSync(ROOT));
  writeFileSync(join(dir, 'whole.pem'), leaf + key);
  stapleBeside(join(dir, 'whole.pem'), ROOT);
  execFileSync('mv', [join(dir, 'whole.pem.ocsp'), join(dir, 'o')]);
  writeFileSync(join(dir, 'logs'), 'enabled_logs=\n');
  writeFileSync(join(dir, 't'), Uint8Array.of(0, 5, 0, 3, 1, 2, 3));
  return dir;
}

const bind = (...words: string[]) => `frontend f\n  mode http\n  bind 127.0.0.1:1 ssl ${words.join(' ')}\n`;
const load = (text: string) => parseModel(text).tls.certificates;

describe('crt-store', () => {
  test('names certificates by files and aliases', () => {
    const dir = parts();
    const text = `
crt-store
  crt-base ${dir}
  key-base ${dir}
  load crt a.crt key k ocsp o issuer i sctl t alias one
  load crt whole.pem
crt-store web
  crt-base ${dir}
  key-base ${dir}
  load crt a.crt key k ocsp-update on
  load crt whole.pem alias two
`;
    const model = parseModel(text + bind(`crt @/one crt ${dir}/whole.pem crt @web/a.crt crt @web/two`));
    expect(model.tls.certificates.map(({ name }) => name)).toEqual([
      '@/one',
      `${dir}/whole.pem`,
      '@web/a.crt',
      '@web/two',
    ]);
    const [one, , web] = model.tls.certificates;
    expect([one!.ocsp, one!.issuer, one!.sctl].every(part => part !== null)).toBe(true);
    expect([one!.ocspUpdate, web!.ocspUpdate]).toEqual([false, true]);
    expect(model.proxies[0]!.binds[0]!.tls!.certificates).toHaveLength(4);
  });

  test('tells what is wrong', () => {
    const dir = parts();
    const store = (lines: string) => () =>
      load(`crt-store\n  crt-base ${dir}\n  key-base ${dir}\n  ${lines}\n${bind(`crt ${SITE}`)}`);
    expect(store('load crt a.crt key nosuch')).toThrow(`unable to open '${dir}/nosuch'`);
    expect(store(`load crt a.crt key ${OTHER}`)).toThrow('inconsistencies between private key and certificate');
    expect(store('load crt a.crt')).toThrow('No Private Key found');
    expect(store('load crt a.crt key k sctl k')).toThrow('is no list of signed timestamps');
    expect(store('load crt whole.pem alias x\n  load crt whole.pem alias x')).toThrow("'@/x' is there already");
    expect(() => load(bind('crt @web/nosuch'))).toThrow("unable to open '@web/nosuch'");
  });

  test('generate-dummy makes a key and its certificate, without any file', () => {
    const dummy = (words: string) => {
      const text = `crt-store\n  load crt /no/such.pem alias d generate-dummy on ${words}\n${bind('crt @/d')}`;
      const x509 = new X509Certificate(load(text)[0]!.leaf);
      expect(x509.verify(x509.publicKey)).toBe(true);
      return { type: x509.publicKey.asymmetricKeyType, ...x509.publicKey.asymmetricKeyDetails };
    };
    expect(dummy('')).toMatchObject({ type: 'rsa', modulusLength: 2048 });
    expect(dummy('keytype RSA bits 3072')).toMatchObject({ type: 'rsa', modulusLength: 3072 });
    expect(dummy('keytype ECDSA')).toMatchObject({ type: 'ec', namedCurve: 'secp384r1' });
    expect(dummy('keytype ECDSA curves P-256')).toMatchObject({ type: 'ec', namedCurve: 'prime256v1' });
    expect(() => dummy('keytype ECDSA curves nope')).toThrow("there is no curve 'nope'");
    expect(() => load(`crt-store\n  load crt /no/such.pem generate-dummy off\n${bind(`crt ${SITE}`)}`)).toThrow(
      "unable to open '/no/such.pem'",
    );
  });

  test('ocsp-update: what a line says goes before what the process says', () => {
    const dir = parts();
    const text = `crt-store\n  crt-base ${dir}\n  load crt a.crt key ${dir}/k ocsp-update off\n${bind(`crt ${dir}/a.crt crt ${SITE}`)}`;
    const updates = (global: string) => load(`global\n  ${global}\n${text}`).map(({ ocspUpdate }) => ocspUpdate);
    expect(updates('ocsp-update.mode off')).toEqual([false, false]);
    expect(updates('ocsp-update.mode on')).toEqual([false, true]);
    expect(updates('ocsp-update.mode on\n  ocsp-update.disable on')).toEqual([false, false]);
  });
});

describe('crt-list', () => {
  const list = (dir: string, ...lines: string[]) => {
    writeFileSync(join(dir, 'list'), `${lines.join('\n')}\n`);
    return bind(`crt-list ${dir}/list`);
  };

  test('a line says how its certificate is loaded', () => {
    const dir = parts();
    const line = `${dir}/a.crt [key ${dir}/k ocsp ${dir}/o issuer ${dir}/i ocsp-update on ssl-min-ver TLSv1.3] a.org`;
    const [read] = load(list(dir, line, `${dir}/a.crt b.org`));
    expect(read!.ocspUpdate).toBe(true);
    expect(read!.ocsp).not.toBeNull();
  });

  test('all lines that say it must say the same', () => {
    const dir = parts();
    const on = `${SITE} [ocsp-update on] a.org`;
    expect(load(list(dir, on, `${SITE} [ocsp-update on] b.org`))).toHaveLength(1);
    expect(() => load(list(dir, on, `${SITE} [ocsp-update off] b.org`))).toThrow(
      'is loaded elsewhere with other parameters',
    );
    expect(() => load(list(dir, `${SITE} a.org`, on))).toThrow('is loaded elsewhere with other parameters');
  });
});

describe('ssl-f-use', () => {
  const subject = (port: number, servername: string, more: object = {}): Promise<string> =>
    new Promise((done, fail) => {
      const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false, ...more }, () => {
        done(socket.getPeerCertificate().subject.CN as string);
        socket.destroy();
      });
      socket.on('error', fail);
    });

  test('serves all bind lines, as a crt-list of its own', async () => {
    const rig = await startRig(`
frontend f
  mode http
  timeout client 5s
  bind 127.0.0.1:1 ssl
  bind 127.0.0.1:1 ssl crt ${OTHER}
  bind 127.0.0.1:1
  ssl-f-use crt ${SITE}
  ssl-f-use crt ${OTHER} ssl-min-ver TLSv1.3
  http-request return status 200
`);
    try {
      expect(rig.model.tls.lists.map(({ name, lines }) => [name, lines.map(({ settings }) => settings)])).toEqual([
        ['@f', ['', 'ssl-min-ver TLSv1.3']],
      ]);
      expect(await subject(rig.port('f'), 'nobody')).toBe('site.org');
      expect(await subject(rig.port('f'), 'other.org')).toBe('other.org');
      expect(await subject(rig.port('f', 1), 'nobody')).toBe('other.org');
      await expect(subject(rig.port('f'), 'other.org', { maxVersion: 'TLSv1.2' })).rejects.toThrow();
    } finally {
      await rig.stop();
    }
  });

  test('signed timestamps are shown to clients that ask for them', async () => {
    const dir = parts();
    const rig = await startRig(`
crt-store
  load crt ${dir}/a.crt key ${dir}/k sctl ${dir}/t alias a
frontend f
  mode http
  timeout client 5s
  bind 127.0.0.1:1 ssl crt @/a
`);
    try {
      for (const version of ['-tls1_2', '-tls1_3']) {
        const words = `s_client -connect 127.0.0.1:${rig.port('f')} ${version} -ct -ctlogfile ${dir}/logs`;
        const { stdout } = await run('sh', ['-c', `openssl ${words} </dev/null 2>&1 || true`]);
        expect(stdout, version).toContain('SCTs present (1)');
      }
    } finally {
      await rig.stop();
    }
  });
});
