/** TLS: to clients, to members, in checks, and passed on as it is. */
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { folder } from '../workers/sluice.ts';
import { certificate, getTls } from './certificates.ts';
import { V2 } from './desk.ts';
import { balancer, eventually, farm, get, PORT, site } from './farm.ts';

/** A server that speaks TLS and answers the name that it was asked for by. */
async function tlsSite(file: string): Promise<{ port: number; close(): void }> {
  const pem = fs.readFileSync(file);
  const server = https.createServer({ cert: pem, key: pem }, (_request, response) => response.end('over TLS'));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(close);
  return { port: (server.address() as { port: number }).port, close };
}

const container = (name: string) => `http://barbican.example/v1/containers/${name}`;

test('TERMINATED_HTTPS: containers, SNI, client certificates', async () => {
  const dir = folder();
  for (const name of ['one.example', 'two.example', 'client']) certificate(dir, name);
  const f = await farm(undefined, ['--certificates', dir]);
  const { vip, listener } = await balancer(f, [(await site('a')).port], {
    listener: {
      ...{ protocol: 'TERMINATED_HTTPS', default_tls_container_ref: container('one.example') },
      ...{ sni_container_refs: [`file://${dir}/two.example.pem`], tls_versions: ['TLSv1.2', 'TLSv1.3'] },
    },
  });
  expect(await getTls(vip, 'one.example')).toMatchObject({ body: 'a', subject: 'one.example' });
  expect(await getTls(vip, 'two.example')).toMatchObject({ body: 'a', subject: 'two.example' });
  const before = (await getTls(vip, 'one.example')).fingerprint;
  certificate(dir, 'one.example');
  await f.do('PUT', `${V2}/listeners/${listener}`, {
    listener: { default_tls_container_ref: container('one.example') },
  });
  await eventually(async () => {
    const { fingerprint } = await getTls(vip, 'one.example');
    expect(fingerprint, 'a new certificate under the old name').not.toBe(before);
  });
  const put = (change: object) => f.ask('PUT', `${V2}/listeners/${listener}`, { listener: change });
  expect(await put({ default_tls_container_ref: container('nobody') })).toMatchObject({ status: 400 });
  expect(await put({ default_tls_container_ref: 'file:///etc/passwd' })).toMatchObject({ status: 400 });
  const client = container('client');
  expect((await put({ client_ca_tls_container_ref: client, client_authentication: 'MANDATORY' })).status).toBe(200);
  await f.idle();
  await eventually(() => expect(getTls(vip, 'one.example')).rejects.toThrow());
  const pem = fs.readFileSync(path.join(dir, 'client.pem'));
  expect(await getTls(vip, 'one.example', { cert: pem, key: pem })).toMatchObject({ body: 'a' });
});

test.each(['HTTPS', 'TCP', 'TLS-HELLO'])('HTTPS passes through, checked by %s', async type => {
  const dir = folder();
  const { port, close } = await tlsSite(certificate(dir, 'inner.example'));
  const f = await farm();
  const https = { protocol: 'HTTPS' };
  const { vip, pool, members } = await balancer(f, [port], { listener: https, pool: https });
  await f.do('POST', `${V2}/healthmonitors`, {
    healthmonitor: { pool_id: pool, type, delay: 1, timeout: 1, max_retries: 1, max_retries_down: 1 },
  });
  const state = async () =>
    (await f.ask('GET', `${V2}/pools/${pool}/members/${members[0]}`)).body.member.operating_status;
  await eventually(async () => expect(await state()).toBe('ONLINE'));
  expect(await getTls(vip, 'inner.example')).toMatchObject({ body: 'over TLS', subject: 'inner.example' });
  close();
  await eventually(async () => expect(await state()).toBe('ERROR'));
});

test('a pool of members that speak TLS', async () => {
  const dir = folder();
  const good = await tlsSite(certificate(dir, 'member.example'));
  certificate(dir, 'other.example');
  const f = await farm(undefined, ['--certificates', dir]);
  const { vip, pool } = await balancer(f, [good.port], { pool: { tls_enabled: true } });
  expect((await get(vip, PORT)).body).toBe('over TLS');
  const put = (name: string) => f.do('PUT', `${V2}/pools/${pool}`, { pool: { ca_tls_container_ref: container(name) } });
  await put('member.example');
  await eventually(async () => expect((await get(vip, PORT)).body).toBe('over TLS'));
  await put('other.example');
  await eventually(async () => expect((await get(vip, PORT)).status).toBe(503));
});
