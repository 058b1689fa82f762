/** What needs keywords that the parser may not know yet: then it is skipped, and the API refuses it with the parser's words. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { expect, test } from 'vitest';
import { refusalOf } from '../../engine/lbaas/configuration.ts';
import { FILES } from '../../workers/lbaas/files.ts';
import { V2 } from './desk.ts';
import { type Farm, farm, freeVip, type Got, get, site, spread } from './farm.ts';

const PORT = 8080;

/** Why lines of a backend cannot be used; null = they can. */
function refused(...lines: string[]): string | null {
  const times = ['timeout connect 1s', 'timeout server 1s', 'server a 127.0.0.1:1'];
  return refusalOf(['backend b', 'mode http', ...lines, ...times, ''].join('\n'), FILES);
}

const TABLES = refused('stick-table type ipv6 size 10k', 'stick on src');
const HASH = refused('balance hash src,concat(:,txn.source_port)');
const TLS = refused('server s 127.0.0.1:2 ssl verify none');
for (const reason of [TABLES, HASH, TLS]) if (reason !== null) console.log(`skipped: ${reason}`);

interface Made {
  readonly f: Farm;
  readonly lb: string;
  readonly vip: string;
  readonly pool: string;
}

async function balancer(
  names: readonly string[],
  pool: object,
  listener: object = {},
  certificates = '',
): Promise<Made> {
  const f = await farm(undefined, certificates === '' ? [] : ['--certificates', certificates]);
  const vip = freeVip();
  const subnet = (await f.ask('GET', '/v2.0/subnets?name=local')).body.subnets[0].id;
  const { loadbalancer } = await f.do('POST', `${V2}/loadbalancers`, {
    loadbalancer: { vip_subnet_id: subnet, vip_address: vip },
  });
  const l = await f.do('POST', `${V2}/listeners`, {
    listener: { loadbalancer_id: loadbalancer.id, protocol: 'HTTP', protocol_port: PORT, ...listener },
  });
  const p = await f.do('POST', `${V2}/pools`, {
    pool: { listener_id: l.listener.id, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', ...pool },
  });
  for (const name of names) {
    const { port } = await site(name);
    await f.do('POST', `${V2}/pools/${p.pool.id}/members`, { member: { address: '127.0.0.1', protocol_port: port } });
  }
  return { f, lb: loadbalancer.id, vip, pool: p.pool.id };
}

test.skipIf(TABLES !== null)('SOURCE_IP keeps a client on its member', async () => {
  const { vip, f, pool } = await balancer(['a', 'b', 'c'], { session_persistence: { type: 'SOURCE_IP' } });
  const { body } = await get(vip, PORT);
  expect(await spread(6, () => get(vip, PORT))).toEqual({ [body]: 6 });
  const port = (await site('d')).port;
  await f.do('POST', `${V2}/pools/${pool}/members`, { member: { address: '127.0.0.1', protocol_port: port } });
  expect(await spread(6, () => get(vip, PORT)), 'also when members come').toEqual({ [body]: 6 });
});

test.skipIf(TABLES !== null)('APP_COOKIE keeps who has the cookie of the application', async () => {
  const { vip } = await balancer(['a', 'b'], { session_persistence: { type: 'APP_COOKIE', cookie_name: 'APP' } });
  expect(await spread(4, () => get(vip, PORT))).toEqual({ a: 2, b: 2 });
  expect(await spread(4, () => get(vip, PORT, '/', { cookie: 'APP=a' }))).toEqual({ a: 4 });
  expect(await spread(4, () => get(vip, PORT, '/', { cookie: 'x=1; APP=b' }))).toEqual({ b: 4 });
});

test.skipIf(HASH !== null)('SOURCE_IP_PORT spreads the connections of one client', async () => {
  const { vip } = await balancer(['a', 'b'], { lb_algorithm: 'SOURCE_IP_PORT' });
  const counts = await spread(40, () => get(vip, PORT));
  expect(Object.keys(counts).sort()).toEqual(['a', 'b']);
});

/** A certificate for `name` and its key, in `<folder>/<name>.pem`. */
function certificate(folder: string, name: string): void {
  const file = path.join(folder, `${name}.pem`);
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const made = spawnSync('openssl', [
    ...words,
    '-subj',
    `/CN=${name}`,
    '-addext',
    `subjectAltName=DNS:${name}`,
    '-keyout',
    `${file}.key`,
    '-out',
    file,
  ]);
  expect(made.status, String(made.stderr)).toBe(0);
  fs.appendFileSync(file, fs.readFileSync(`${file}.key`));
}

function getTls(
  address: string,
  servername: string,
  options: https.RequestOptions = {},
): Promise<Got & { readonly subject: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<Got & { readonly subject: string }>();
  const wanted = {
    host: address,
    port: PORT,
    servername,
    agent: false,
    rejectUnauthorized: false,
    timeout: 5_000,
    ...options,
  };
  const request = https.get(wanted as https.RequestOptions, response => {
    let body = '';
    const { subject } = (response.socket as import('node:tls').TLSSocket).getPeerCertificate();
    response.on('data', chunk => {
      body += chunk;
    });
    response.on('end', () =>
      resolve({ status: response.statusCode!, body, headers: response.headers, subject: String(subject.CN) }),
    );
  });
  request.on('timeout', () => request.destroy(new Error('no answer')));
  request.on('error', reject);
  return promise;
}

test.skipIf(TLS !== null)('TERMINATED_HTTPS: containers, SNI, client certificates', async () => {
  const folder = fs.mkdtempSync(path.join((await farm()).state, 'certificates-'));
  for (const name of ['one.example', 'two.example', 'client']) certificate(folder, name);
  const container = (name: string) => `http://barbican.example/v1/containers/${name}`;
  const { f, vip, lb } = await balancer(
    ['a'],
    {},
    {
      ...{ protocol: 'TERMINATED_HTTPS', default_tls_container_ref: container('one.example') },
      ...{ sni_container_refs: [`file://${folder}/two.example.pem`], tls_versions: ['TLSv1.2', 'TLSv1.3'] },
      ...{ insert_headers: { 'X-Forwarded-Proto': 'true' } },
    },
    folder,
  );
  expect(await getTls(vip, 'one.example')).toMatchObject({ body: 'a', subject: 'one.example' });
  expect(await getTls(vip, 'two.example')).toMatchObject({ body: 'a', subject: 'two.example' });
  const { listeners } = (await f.ask('GET', `${V2}/loadbalancers/${lb}`)).body.loadbalancer;
  const put = (listener: object) => f.ask('PUT', `${V2}/listeners/${listeners[0].id}`, { listener });
  expect(await put({ default_tls_container_ref: container('nobody') })).toMatchObject({ status: 400 });
  expect(await put({ default_tls_container_ref: 'file:///etc/passwd' })).toMatchObject({ status: 400 });
  const mandatory = { client_ca_tls_container_ref: container('client'), client_authentication: 'MANDATORY' };
  expect((await put(mandatory)).status).toBe(200);
  await f.idle();
  await expect(getTls(vip, 'one.example')).rejects.toThrow();
  const pem = fs.readFileSync(path.join(folder, 'client.pem'));
  expect(await getTls(vip, 'one.example', { cert: pem, key: pem })).toMatchObject({ body: 'a' });
});
