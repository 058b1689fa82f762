/** Which files are read for a certificate, and what is made of them. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NO_EVENTS } from '../../engine/proxy/events.ts';
import { parseModel, startRig } from '../proxy/rig.ts';
import { stapleBeside } from './authority.ts';
import { FOLDER, pemFile } from './certificates.ts';

const ROOT = pemFile({ name: 'root', ca: true });
const MIDDLE = pemFile({ name: 'middle', ca: true, issuer: ROOT });
const SITE = pemFile({ name: 'site.org', names: ['site.org'], issuer: MIDDLE });

const blocks = (file: string) => readFileSync(file, 'latin1').split(/(?=-----BEGIN PRIVATE)/) as [string, string];

const [leaf, key] = blocks(SITE);
const [middle] = blocks(MIDDLE);
const [root] = blocks(ROOT);

function load(crt: string, global = '', words = '') {
  return parseModel(`global\n  ${global}\nfrontend f\n  mode http\n  bind 127.0.0.1:1 ssl crt ${crt} ${words}\n`).tls
    .certificates;
}

/** A folder with `site.crt` without its key, and what `files` says beside it. */
function folder(files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(FOLDER, 'files-'));
  writeFileSync(join(dir, 'site.crt'), leaf);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

describe('files beside a certificate', () => {
  test('are found by the whole name, or without .crt', () => {
    expect(load(`${folder({ 'site.crt.key': key })}/site.crt`)).toHaveLength(1);
    expect(load(`${folder({ 'site.key': key })}/site.crt`, 'ssl-load-extra-del-ext')).toHaveLength(1);
    expect(() => load(`${folder({ 'site.key': key })}/site.crt`)).toThrow('No Private Key found');
    expect(load(`${folder({ 'site.crt.key': key, 'site.issuer': middle })}/site.crt`)[0]!.issuer).toBeNull();
    // `key-base` is for `key` only.
    const based = load(`${folder({ 'site.crt.key': key })}/site.crt`, 'key-base /no/such/folder');
    expect(based).toHaveLength(1);
    const moved = load(`${folder({ 'site.key': key, 'site.issuer': middle })}/site.crt`, 'ssl-load-extra-del-ext');
    expect(moved[0]!.issuer).not.toBeNull();
  });

  test('are read as far as they are wanted', () => {
    const stapled = join(mkdtempSync(join(FOLDER, 'files-')), 'site.pem');
    copyFileSync(SITE, stapled);
    stapleBeside(stapled, MIDDLE);
    expect(load(stapled)[0]!.ocsp).not.toBeNull();
    expect(load(stapled, 'ssl-load-extra-files ocsp key')[0]!.ocsp).not.toBeNull();
    expect(load(stapled, 'ssl-load-extra-files key issuer')[0]!.ocsp).toBeNull();
    expect(load(stapled, 'ssl-load-extra-files none')[0]!.ocsp).toBeNull();
    const dir = folder({ 'site.crt.key': key });
    expect(() => load(`${dir}/site.crt`, 'ssl-load-extra-files ocsp')).toThrow('No Private Key found');
  });

  test('one per kind of key only where bundles are', () => {
    const dir = mkdtempSync(join(FOLDER, 'files-'));
    copyFileSync(SITE, join(dir, 'pair.ecdsa'));
    copyFileSync(pemFile({ name: 'site.org', key: 'rsa' }), join(dir, 'pair.rsa'));
    expect(load(`${dir}/pair`).map(({ keyType }) => keyType)).toEqual(['rsa', 'ecdsa']);
    expect(() => load(`${dir}/pair`, 'ssl-load-extra-files key')).toThrow(`${dir}/pair`);
  });
});

describe('a folder without certificates', () => {
  const empty = mkdtempSync(join(FOLDER, 'empty-'));
  const bind = (words: string) => parseModel(`frontend f\n  mode http\n  bind 127.0.0.1:1 ssl ${words}\n`);

  test('can be filled at run time with strict-sni', () => {
    const model = bind(`crt ${empty} strict-sni`);
    expect(model.tls.lists).toEqual([{ name: empty, folder: true, lines: [] }]);
    expect(model.proxies[0]!.binds[0]!.tls!.lists).toEqual([empty]);
  });

  test('is not enough without', () => {
    expect(() => bind(`crt ${empty}`)).toThrow("no SSL certificate specified (use 'crt')");
  });
});

test.each(['verify required', 'verify optional', 'verify required crl-file x'])('%s needs authorities', words => {
  const why = "verify is enabled but no CA file specified (use 'ca-file')";
  expect(() => load(SITE, '', words)).toThrow(why);
});

describe('chains', () => {
  const dir = join(FOLDER, 'issuers');
  mkdirSync(dir);
  writeFileSync(join(dir, 'middle'), middle + root);
  writeFileSync(join(dir, 'other'), root);
  writeFileSync(join(dir, 'README'), 'no certificate');

  test('are completed out of a folder, unless they are there', () => {
    expect(load(SITE)[0]!.chain).toHaveLength(0);
    expect(load(SITE, `issuers-chain-path ${dir}`)[0]!.chain).toHaveLength(2);
    const own = join(FOLDER, 'own-chain.pem');
    writeFileSync(own, leaf + middle + key);
    expect(load(own, `issuers-chain-path ${dir}`)[0]!.chain).toHaveLength(1);
  });

  test('go without their root where that is wanted', () => {
    expect(load(SITE, `issuers-chain-path ${dir}\n  ssl-skip-self-issued-ca`)[0]!.chain).toHaveLength(1);
  });
});

test('ssl-security-level: what is weaker is refused', async () => {
  const weak = `frontend f\n  mode http\n  bind 127.0.0.1:1 ssl crt ${pemFile({ name: 'weak.org', key: 'rsa' })}\n`;
  expect(parseModel(`global\n  ssl-security-level 2\n${weak}`).proxies).toHaveLength(1);
  // RSA keys of 2,048 bits have 112 bits of security: level 3 wants 128.
  expect(() => parseModel(`global\n  ssl-security-level 3\n${weak}`)).toThrow('ee key too small');
});

test('timeout client-hs ends a handshake that does not go on', async () => {
  const said: string[] = [];
  const rig = await startRig(
    `frontend f\n  mode http\n  timeout client 1m\n  timeout client-hs 100ms\n  bind 127.0.0.1:1 ssl crt ${SITE}\n`,
    { events: () => ({ ...NO_EVENTS, sessionFailed: (_session, why) => void said.push(why) }) },
  );
  const socket = connect(rig.port('f'), '127.0.0.1', () => socket.write('\x16\x03\x01'));
  socket.resume();
  await new Promise(resolve => socket.on('close', resolve));
  expect(said).toEqual(['Timeout during SSL handshake']);
  await rig.stop();
});
