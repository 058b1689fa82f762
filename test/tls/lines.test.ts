/** What bind and server lines, crt-lists and the global section may say of TLS: what is refused, and what is only warned about. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LOG_FORMATS } from '../../engine/config/environment.ts';
import { parseWarned } from '../proxy/rig.ts';
import { revocationList } from './authority.ts';
import { FOLDER, pemFile } from './certificates.ts';

const AUTHORITY = pemFile({ name: 'authority', ca: true });
const SITE = pemFile({ name: 'site.org', names: ['site.org'] });
const SSL = `ssl crt ${SITE}`;

const parse = (bind: string, server: string, global = '') =>
  parseWarned(
    `global\n  ${global}\nlisten l\n  mode http\n  timeout client 1s\n  timeout server 1s\n  timeout connect 1s\n  bind 127.0.0.1:1 ${bind}\n  server s 127.0.0.1:2 ${server}\n`,
  );
const bound = (words: string, global = '') => {
  const { model, warnings } = parse(words, '', global);
  return { tls: model.proxies[0]!.binds[0]!.tls!, warnings };
};
const served = (words: string) => {
  const { model, warnings } = parse('', words);
  return { server: model.proxies[0]!.servers[0]!, warnings };
};

describe('versions', () => {
  test.each([
    ['', 'TLSv1.2', 'TLSv1.3'],
    ['no-tlsv13', 'TLSv1.2', 'TLSv1.2'],
    ['ssl-min-ver SSLv3', 'TLSv1.0', 'TLSv1.3'],
    ['force-tlsv11', 'TLSv1.1', 'TLSv1.1'],
  ])('of clients with %j', (words, oldest, newest) => {
    const { tls, warnings } = bound(`${SSL} ${words}`);
    expect([tls.minVersion, tls.maxVersion, ...warnings]).toEqual([oldest, newest]);
  });

  test.each([
    ['ssl-max-ver TLSv1.1', 'TLSv1.1', 'TLSv1.1', 'older than the usual oldest version (TLSv1.2)'],
    ['force-tlsv12 no-tlsv12', 'TLSv1.2', 'TLSv1.2', 'are ignored beside them'],
    ['ssl-min-ver TLSv1.1 no-tlsv11', 'TLSv1.1', 'TLSv1.3', 'are ignored beside them'],
  ])('of clients with %j, which is hardly meant', (words, oldest, newest, warning) => {
    const { tls, warnings } = bound(`${SSL} ${words}`);
    expect([tls.minVersion, tls.maxVersion]).toEqual([oldest, newest]);
    expect(warnings).toEqual([expect.stringContaining(warning)]);
  });

  test('of servers have no oldest one but that of OpenSSL, and no holes', () => {
    const range = (words: string) => {
      const { server, warnings } = served(`ssl verify none ${words}`);
      return [server.tls!.minVersion, server.tls!.maxVersion, warnings.length];
    };
    expect(range('')).toEqual(['TLSv1.0', 'TLSv1.3', 0]);
    expect(range('ssl-max-ver TLSv1.1')).toEqual(['TLSv1.0', 'TLSv1.1', 0]);
    expect(range('no-tlsv12 no-tlsv13')).toEqual(['TLSv1.0', 'TLSv1.1', 0]);
    expect(range('no-tlsv12')).toEqual(['TLSv1.0', 'TLSv1.3', 1]);
  });

  test.each(['force-sslv3', 'ssl-max-ver SSLv3', 'ssl-min-ver TLSv1.3 ssl-max-ver TLSv1.2'])('none with %j', words => {
    expect(() => bound(`${SSL} ${words}`)).toThrow('all SSL/TLS versions are disabled');
    expect(() => served(`ssl verify none ${words}`)).toThrow('all SSL/TLS versions are disabled');
  });

  test('of a line of a crt-list are among those of its bind line', () => {
    expect(() => bound(`${SSL} crt-list ${list(`${SITE} [ssl-max-ver TLSv1.1]\n`)}`)).toThrow('versions are disabled');
    const { tls } = bound(`${SSL} no-tlsv13 crt-list ${list(`${SITE} [ssl-min-ver TLSv1.1]\n`)}`);
    expect(tls.certificates[1]!.settings).toMatchObject({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.2' });
  });
});

function list(text: string): string {
  const file = join(mkdtempSync(join(FOLDER, 'lines-')), 'list');
  writeFileSync(file, text);
  return file;
}

describe('files', () => {
  test.each([
    ['bind', 'ca-file'],
    ['bind', 'ca-verify-file'],
    ['bind', 'crl-file'],
    ['bind', 'tls-ticket-keys'],
    ['bind', 'crt'],
    ['server', 'ca-file'],
    ['server', 'crl-file'],
    ['server', 'crt'],
  ])('a %s line without TLS names no %s that is not there', (line, name) => {
    const words = `${name} /no/such/file`;
    expect(() => (line === 'bind' ? bound(words) : served(words))).toThrow("unable to open '/no/such/file'");
  });

  test('authorities of a folder are those of its files with the right ends', () => {
    const dir = mkdtempSync(join(FOLDER, 'authorities-'));
    const warned = (path: string) => served(`ssl verify required ca-file ${path}`).warnings;
    mkdirSync(join(dir, 'none'));
    expect(warned(join(dir, 'none'))).toEqual([expect.stringContaining('no authority was found in')]);
    writeFileSync(join(dir, 'a.pem'), readFileSync(AUTHORITY));
    for (const name of ['README', '.b.pem', 'c.key']) writeFileSync(join(dir, name), 'nothing of that kind');
    const { model, warnings } = parse('', `ssl verify required ca-file ${dir}`);
    expect(model.tls.authorities[0]!.entries).toHaveLength(1);
    expect(warnings).toEqual([]);
    writeFileSync(join(dir, 'empty.crt'), '');
    expect(warned(dir)).toEqual([expect.stringContaining(`unable to load '${dir}/empty.crt'`)]);
  });

  test('a crl-file may have certificates, too, but not nothing', () => {
    const revocations = (file: string) => {
      const { model } = parse(`${SSL} verify required ca-file ${AUTHORITY} crl-file ${file}`, '');
      return model.tls.revocations[0]!.entries.length;
    };
    const crl = revocationList(AUTHORITY, []);
    expect(revocations(crl)).toBe(1);
    expect(revocations(list(readFileSync(AUTHORITY, 'utf8') + readFileSync(crl, 'utf8')))).toBe(1);
    expect(revocations(AUTHORITY)).toBe(0);
    expect(() => revocations(list(''))).toThrow('no certificate and no revocation list in it');
  });

  test('of a crt-list and of keys have their folders only where the manual says so', () => {
    const dir = mkdtempSync(join(FOLDER, 'lines-'));
    const [leaf, key] = readFileSync(SITE, 'latin1').split(/(?=-----BEGIN PRIVATE)/) as [string, string];
    writeFileSync(join(dir, 'a.crt'), leaf);
    writeFileSync(join(dir, 'k'), key);
    const lines = (text: string) => `ssl crt-list ${list(`${text}\n`)}`;
    const bases = `crt-base ${dir}\n  key-base ${dir}`;
    expect(bound(lines(`a.crt [key ${dir}/k]`), bases).tls.certificates).toHaveLength(1);
    expect(() => bound(lines('a.crt [key k]'), bases)).toThrow("unable to open 'k'");
    writeFileSync(join(dir, 'list'), '');
    expect(() => bound('ssl crt-list list', bases)).toThrow("unable to load 'list'");
  });

  test('issuers-chain-path names a folder', () => {
    expect(() => bound(SSL, 'issuers-chain-path /no/such/folder')).toThrow('is no folder');
    expect(bound(SSL, `issuers-chain-path ${mkdtempSync(join(FOLDER, 'chains-'))}`).tls.certificates).toHaveLength(1);
  });
});

describe('crt-list', () => {
  test.each([
    ['alpn h2]', "missing '[' before the settings"],
    [']', "missing '[' before the settings"],
    ['[alpn h2] [verify none]', "too many '['"],
    ['[alpn h2] a.b [verify none]', "too many '['"],
    ['[alpn h2] a.b ]', "too many ']'"],
    ['[no-tls-tickets]', "unknown keyword 'no-tls-tickets'"],
    ['[no-tlsv12]', "unknown keyword 'no-tlsv12'"],
    ['[force-tlsv12]', "unknown keyword 'force-tlsv12'"],
  ])('%j is refused', (words, message) => {
    expect(() => bound(`${SSL} crt-list ${list(`${SITE} ${words}\n`)}`)).toThrow(message);
  });

  test('that was cut is refused', () => {
    expect(() => bound(`${SSL} crt-list ${list(`${SITE}\n${SITE}`)}`)).toThrow('missing LF on last line');
  });
});

test('empty names of protocols are passed over', () => {
  expect(bound(`${SSL} alpn ,http/1.1,,http/1.0,`).tls.alpn).toEqual(['http/1.1', 'http/1.0']);
});

test('check-ssl has its settings looked at where nothing is checked', () => {
  expect(() => served('check-ssl')).toThrow('no CA file specified');
  expect(served('check-ssl verify none').server.checkTls).toBeNull();
});

test.each(['FC', 'BC'])('HAPROXY_KEYLOG_%s_LOG_FMT is a log format with a line for each secret', side => {
  const format = LOG_FORMATS[`HAPROXY_KEYLOG_${side as 'FC' | 'BC'}_LOG_FMT`];
  const lines = format.split('\n');
  expect(lines).toHaveLength(7);
  expect(lines[3]).toBe(
    `CLIENT_TRAFFIC_SECRET_0 %[ssl_${side.toLowerCase()}_client_random,hex] %[ssl_${side.toLowerCase()}_client_traffic_secret_0]`,
  );
  const text = `global\n  tune.ssl.keylog on\nlisten l\n  mode http\n  bind 127.0.0.1:1\n  log-format '${format.replaceAll('\n', ' ')}'\n`;
  expect(parseWarned(text).model.tls.keylog).toBe(true);
});
