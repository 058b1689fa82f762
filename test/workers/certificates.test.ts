/** Certificates that are replaced while the real process serves: in all workers, without a reload, and for those that come later. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import type { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { createStickMemory } from '../../engine/stick/tables.ts';
import { withMaxconn } from '../../workers/facts.ts';
import { openListeners } from '../../workers/listeners.ts';
import { Master } from '../../workers/master.ts';
import { ask as command } from '../interop/cli-client.ts';
import { parseModel } from '../proxy/rig.ts';
import { pemFile } from '../tls/certificates.ts';
import { folder, freePort } from './sluice.ts';

interface Client {
  /** Common name of the certificate that it was shown. */
  readonly shown: string;
  /** Number of the worker that answers a request. */
  ask(): Promise<string>;
  end(): void;
}

async function client(port: number, servername: string): Promise<Client> {
  const socket = tls.connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false });
  await new Promise<void>((done, fail) => socket.once('secureConnect', done).once('error', fail));
  return {
    shown: String(socket.getPeerCertificate().subject.CN),
    ask: () =>
      new Promise(done => {
        socket.once('data', data => done(/<(.*)>/.exec(data.toString())![1]!));
        socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      }),
    end: () => void socket.destroy(),
  };
}

/** What clients are shown, until each of the workers has answered one of them. */
async function shownByAll(port: number, servername: string, workers: number): Promise<Set<string>> {
  const threads = new Set<string>();
  const shown = new Set<string>();
  for (let i = 0; threads.size < workers || i < 8; i++) {
    const one = await client(port, servername);
    shown.add(one.shown);
    threads.add(await one.ask());
    one.end();
  }
  return shown;
}

test('a certificate is replaced in all workers, and stays so when they die', { timeout: 60_000 }, async () => {
  const threads: Worker[] = [];
  const note = (thread: Worker) => void threads.push(thread);
  process.on('worker', note);
  onTestFinished(() => void process.off('worker', note));
  const dir = folder();
  const [site, socket, port] = [path.join(dir, 'site.pem'), path.join(dir, 'socket'), await freePort()];
  fs.copyFileSync(pemFile({ name: 'old.org', names: ['site.org'] }), site);
  fs.writeFileSync(path.join(dir, 'list'), `${site}\n`);
  const model = withMaxconn(
    parseModel(`
global
  nbthread 2
  stats socket ${socket} level admin
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 1s
listen web
  bind 127.0.0.1:${port} ssl crt-list ${dir}/list shards by-thread
  http-request return status 200 content-type text/plain lf-string "<%[thread]>"
`),
  );
  const said: string[] = [];
  const say = Object.assign((_: string, text: string) => void said.push(text), {
    raw() {},
    begin() {},
    said: () => '',
  });
  const serving = Promise.withResolvers<void>();
  const life = { ready() {}, serving: serving.resolve, done() {}, failed: () => serving.reject(said) };
  const plan = {
    model,
    workers: 2,
    memoryMb: 0,
    environment: {},
    startupLogs: '',
    warnings: 0,
    io: 'net',
    succeeds: false,
  };
  const master = new Master(
    { ...plan, stick: createStickMemory(model, 2), listeners: openListeners(model, 2, say)! },
    0,
    life,
    say,
  );
  master.start();
  onTestFinished(async () => void (await Promise.all(threads.map(thread => thread.terminate()))));
  await serving.promise;

  expect(await shownByAll(port, 'site.org', 2)).toEqual(new Set(['old.org']));
  const lasting = await client(port, 'site.org');

  // What is broken changes nothing, and the reason is told.
  const old = fs.readFileSync(site, 'utf8');
  const broken = old.replace(/(BEGIN CERTIFICATE-----\n)..../, '$1AAAA');
  expect(await command(socket, `set ssl cert ${site} <<\n${broken}`)).toMatch(
    /^unable to load certificate from file .*: .+\.\n/,
  );
  const stranger = fs.readFileSync(pemFile({ name: 'other.org', key: 'rsa' }), 'utf8');
  const mixed =
    old.slice(0, old.indexOf('-----BEGIN PRIVATE')) + stranger.slice(stranger.indexOf('-----BEGIN PRIVATE'));
  expect(await command(socket, `set ssl cert ${site} <<\n${mixed}`)).toContain('Transaction created');
  expect(await command(socket, `commit ssl cert ${site}`)).toMatch(
    /^inconsistencies between private key and certificate/,
  );
  expect(await command(socket, `abort ssl cert ${site}`)).toContain('Transaction aborted');
  expect(await shownByAll(port, 'site.org', 2)).toEqual(new Set(['old.org']));

  const renewed = fs.readFileSync(pemFile({ name: 'new.org', names: ['site.org'], key: 'rsa' }), 'utf8');
  expect(await command(socket, `set ssl cert ${site} <<\n${renewed}`)).toContain('Transaction created');
  expect(await shownByAll(port, 'site.org', 2)).toEqual(new Set(['old.org']));
  expect(await command(socket, `commit ssl cert ${site}`)).toBe(`Committing ${site}.\nSuccess!\n\n`);
  expect(await shownByAll(port, 'site.org', 2)).toEqual(new Set(['new.org']));
  // The connection from before is still served.
  expect(await lasting.ask()).toMatch(/^\d$/);
  lasting.end();

  // A new one in the list, with settings of its own.
  const added = path.join(dir, 'added.pem');
  const more = fs.readFileSync(pemFile({ name: 'added.org' }), 'utf8');
  // As the file has it; `*` is the transaction, of which there is none.
  const dumped = await command(socket, `dump ssl cert ${site}`);
  expect(dumped).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  expect(new X509Certificate(dumped.slice(dumped.indexOf('-----BEGIN CERTIFICATE'))).raw).toEqual(
    new X509Certificate(renewed).raw,
  );
  expect(createPrivateKey(dumped).equals(createPrivateKey(renewed))).toBe(true);
  for (const name of [`*${site}`, 'none']) {
    expect(await command(socket, `dump ssl cert ${name}`)).toMatch(/^Can't dump the certificate: Not found/);
  }
  await command(socket, `new ssl cert ${added}`);
  await command(socket, `set ssl cert ${added} <<\n${more}`);
  await command(socket, `commit ssl cert ${added}`);
  expect(await shownByAll(port, 'a.added.org', 2)).toEqual(new Set(['new.org']));
  expect(
    await command(socket, `add ssl crt-list ${dir}/list <<\n${added} [ssl-min-ver TLSv1.3] *.added.org\n`),
  ).toContain('Success!');
  expect(await shownByAll(port, 'a.added.org', 2)).toEqual(new Set(['added.org']));

  // Workers that die, and the control thread: all know what was changed.
  for (let death = 0; death < 3; death++) {
    const before = said.length;
    await threads[death]!.terminate();
    while (!said.slice(before).some(text => text.includes('serves again')))
      await new Promise(done => setTimeout(done, 5));
  }
  expect(await shownByAll(port, 'site.org', 2)).toEqual(new Set(['new.org']));
  expect(await shownByAll(port, 'a.added.org', 2)).toEqual(new Set(['added.org']));
  expect(await command(socket, `show ssl cert ${site}`)).toContain('Algorithm: RSA2048');
  expect(await command(socket, `del ssl crt-list ${dir}/list ${added}`)).toContain('deleted in crtlist');
  expect(await shownByAll(port, 'a.added.org', 2)).toEqual(new Set(['new.org']));
});
