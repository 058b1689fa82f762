/** `ocsp-update`: `openssl ocsp` answers as the authority, `openssl s_client` looks at what is stapled. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { pemFile } from '../tls/certificates.ts';
import { config, folder, freePort, start } from '../workers/sluice.ts';
import { ask } from './cli-client.ts';

const run = promisify(execFile);
const openssl = (dir: string, ...args: string[]) =>
  execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] }).toString();

/** `site.pem` with its issuer, which says where to ask; `index` has what the authority knows of it. */
function issue(dir: string, port: number): void {
  const ca = pemFile({ name: 'ocsp authority', ca: true });
  fs.copyFileSync(ca, join(dir, 'ca.pem'));
  const request = ['req', '-new', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  openssl(dir, ...request, '-subj', '/CN=site.org', '-keyout', 'key', '-out', 'request');
  fs.writeFileSync(join(dir, 'more'), `authorityInfoAccess=OCSP;URI:http://127.0.0.1:${port}\n`);
  const sign = ['x509', '-req', '-in', 'request', '-CA', 'ca.pem', '-CAkey', 'ca.pem', '-set_serial', '4711'];
  openssl(dir, ...sign, '-days', '30', '-extfile', 'more', '-out', 'crt');
  const read = (name: string) => fs.readFileSync(join(dir, name), 'utf8');
  const issuer = read('ca.pem').replace(/-----BEGIN PRIVATE.*/s, '');
  fs.writeFileSync(join(dir, 'site.pem'), read('crt') + issuer + read('key'));
  fs.writeFileSync(join(dir, 'index'), 'V\t401231000000Z\t\t1267\tunknown\t/CN=site.org\n');
}

async function responder(dir: string, port: number, ...more: string[]): Promise<void> {
  const signer = ['-CA', 'ca.pem', '-rsigner', 'ca.pem', '-index', 'index', '-ndays', '1'];
  const child = spawn('openssl', ['ocsp', '-port', `${port}`, ...signer, ...more], { cwd: dir, stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stderr, 'data');
}

interface Site {
  readonly dir: string;
  readonly tls: number;
  cli(line: string): Promise<string>;
  /** The certificate's status in what is stapled. */
  stapled(): Promise<string>;
}

async function site(dir: string, global: string, crt: string): Promise<Site> {
  const tls = await freePort();
  const socket = join(dir, 'cli');
  const text = `global
  stats socket ${socket} level admin
  ${global}
defaults
  mode http
  timeout client 5s
frontend f
  bind 127.0.0.1:${tls} ssl ${crt}
  http-request return status 200
`;
  start(['-f', config(text, dir)]);
  for (let tries = 0; !fs.existsSync(socket); tries++) {
    expect(tries).toBeLessThan(200);
    await sleep(50);
  }
  const line = `openssl s_client -connect 127.0.0.1:${tls} -servername site.org -status </dev/null 2>/dev/null`;
  return {
    ...{ dir, tls, cli: command => ask(socket, command) },
    async stapled() {
      const { stdout } = await run('sh', ['-c', line]);
      return /Cert Status: (\w+)/.exec(stdout)?.[1] ?? (/OCSP response: no response/.exec(stdout) ? 'none' : '?');
    },
  };
}

async function eventually(look: () => Promise<string>, wanted: string | RegExp): Promise<string> {
  for (let tries = 0; ; tries++) {
    const seen = await look();
    if (typeof wanted === 'string' ? seen === wanted : wanted.test(seen)) return seen;
    if (tries === 60) expect(seen).toMatch(wanted);
    await sleep(100);
  }
}

const row = (text: string): string[] => text.trim().split('\n')[1]?.split(' | ') ?? [];

test('what is missing is fetched at the start, and asked for again when it is told', async () => {
  const dir = folder();
  const port = await freePort();
  issue(dir, port);
  await responder(dir, port);
  fs.writeFileSync(join(dir, 'list'), `${dir}/site.pem [ocsp-update on] site.org\n`);
  const { cli, stapled } = await site(dir, '', `crt-list ${dir}/list`);
  await eventually(stapled, 'good');
  const updates = await cli('show ssl ocsp-updates');
  expect(updates).toMatch(
    /^OCSP Certid \| Path \| Next Update \| Last Update \| Successes \| Failures \| Last Update Status \| /,
  );
  const [id, path, next, last, ...counts] = row(updates);
  expect(id).toMatch(/^30.*0202126[67]$/);
  expect(path).toBe(`${dir}/site.pem`);
  for (const date of [next, last]) expect(date).toMatch(/^\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}$/);
  expect(counts).toEqual(['1', '0', '1', 'Update successful']);

  const shown = await cli(`update ssl ocsp-response ${dir}/site.pem`);
  expect(shown).toContain('OCSP Response Status: successful (0x0)');
  expect(shown).toContain('Cert Status: good');
  expect(row(await cli('show ssl ocsp-updates')).slice(4)).toEqual(['2', '0', '1', 'Update successful']);
  expect(await cli(`show ssl ocsp-response ${dir}/site.pem`)).toContain('Serial Number: 1267');
  expect(await cli('update ssl ocsp-response')).toContain("'update ssl ocsp-response' expects a filename");
  expect(await cli('update ssl ocsp-response nosuch')).toContain('Unknown certificate!');
}, 30_000);

test('an authority that nobody trusts, one that is no authority, and none at all', async () => {
  const dir = folder();
  const [signed, silent] = [await freePort(), await freePort()];
  issue(dir, signed);
  fs.copyFileSync(pemFile({ name: 'somebody', ca: true }), join(dir, 'other.pem'));
  await responder(dir, signed, '-rsigner', 'other.pem');
  const junk = http.createServer((_request, response) => void response.end('hello')).listen(0, '127.0.0.1');
  onTestFinished(() => void junk.close());
  await once(junk, 'listening');
  const update = async (proxy: string): Promise<string[]> => {
    const own = fs.mkdtempSync(join(dir, 'case-'));
    fs.copyFileSync(join(dir, 'site.pem'), join(own, 'site.pem'));
    const global = `ocsp-update.mode on\n  ocsp-update.mindelay 1\n  ocsp-update.maxdelay 4${proxy}`;
    const { cli, stapled } = await site(own, global, `crt ${own}/site.pem`);
    const seen = await eventually(() => cli('show ssl ocsp-updates'), /\| [2-5] \| \w+/);
    expect(await stapled()).toBe('none');
    return row(seen).slice(6);
  };
  expect(await update('')).toEqual(['4', 'OCSP response check failure']);
  const { port } = junk.address() as AddressInfo;
  expect(await update(`\n  ocsp-update.httpproxy 127.0.0.1:${port}`)).toEqual(['3', 'Missing "ocsp-response" header']);
  expect(await update(`\n  ocsp-update.httpproxy 127.0.0.1:${silent}`)).toEqual(['2', 'HTTP error']);
}, 60_000);

test('what was revoked is stapled as such when the response is due', async () => {
  const dir = folder();
  const port = await freePort();
  issue(dir, port);
  await responder(dir, port);
  const global = 'ocsp-update.mindelay 1\n  ocsp-update.maxdelay 2';
  fs.writeFileSync(join(dir, 'list'), `${dir}/site.pem [ocsp-update on]\n`);
  const { cli, stapled } = await site(dir, global, `crt-list ${dir}/list`);
  await eventually(stapled, 'good');
  // Another file in its place: the responder would take what is written in the second of its start for what it has read.
  fs.writeFileSync(join(dir, 'revoked'), 'R\t401231000000Z\t260101000000Z\t1267\tunknown\t/CN=site.org\n');
  fs.renameSync(join(dir, 'revoked'), join(dir, 'index'));
  await eventually(stapled, 'revoked');
  expect(Number(row(await cli('show ssl ocsp-updates'))[4])).toBeGreaterThan(1);
}, 30_000);
