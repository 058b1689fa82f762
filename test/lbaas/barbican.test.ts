/** Containers and secrets of a Barbican, here a small server that speaks as one. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { folder } from '../workers/sluice.ts';
import { certificate, getTls } from './certificates.ts';
import { V2 } from './desk.ts';
import { FakeBarbican } from './fake-barbican.ts';
import { balancer, eventually, farm, PORT, site, stateFolder } from './farm.ts';

/** The same as one PKCS #12 bundle, as Octavia's own guide makes it. */
function bundle(name: string): Buffer {
  const pem = certificate(folder(), name);
  const p12 = `${pem}.p12`;
  const { status } = spawnSync('openssl', ['pkcs12', '-export', '-in', pem, '-passout', 'pass:', '-out', p12]);
  expect(status).toBe(0);
  return fs.readFileSync(p12);
}

const TOKEN = 'the-callers';

test('containers, bundles and client authorities', async () => {
  const barbican = await new FakeBarbican().start(TOKEN);
  barbican.put('one', 'one.example');
  barbican.secrets.set('two', { type: 'application/octet-stream', payload: bundle('two.example') });
  const client = fs.readFileSync(certificate(folder(), 'client'));
  const [authority] = client.toString().split(/(?=-----BEGIN PRIVATE)/);
  barbican.secrets.set('authority', { type: 'text/plain', payload: authority! });

  const state = stateFolder();
  const f = await farm(state, ['--barbican', barbican.url], TOKEN);
  const { vip, listener, lb } = await balancer(f, [(await site('a')).port], {
    listener: {
      ...{ protocol: 'TERMINATED_HTTPS', default_tls_container_ref: barbican.container('one') },
      sni_container_refs: [barbican.secret('two')],
    },
  });
  expect(await getTls(vip, 'one.example')).toMatchObject({ body: 'a', subject: 'one.example' });
  expect(await getTls(vip, 'two.example')).toMatchObject({ body: 'a', subject: 'two.example' });
  for (const file of fs.readdirSync(path.join(state, 'barbican'))) {
    expect(fs.statSync(path.join(state, 'barbican', file)).mode & 0o777).toBe(0o600);
  }

  const put = (change: object) => f.ask('PUT', `${V2}/listeners/${listener}`, { listener: change });
  // Named again it is read again.
  const { fingerprint: before } = await getTls(vip, 'one.example');
  barbican.put('one', 'one.example');
  await f.do('PUT', `${V2}/listeners/${listener}`, {
    listener: { default_tls_container_ref: barbican.container('one') },
  });
  await eventually(async () => expect((await getTls(vip, 'one.example')).fingerprint).not.toBe(before));

  const ca = { client_ca_tls_container_ref: barbican.secret('authority'), client_authentication: 'MANDATORY' };
  await f.do('PUT', `${V2}/listeners/${listener}`, { listener: ca });
  await eventually(() => expect(getTls(vip, 'one.example')).rejects.toThrow());
  expect(await getTls(vip, 'one.example', { cert: client, key: client })).toMatchObject({ body: 'a' });

  const refused = async (reference: string, why: string) =>
    expect(await put({ default_tls_container_ref: reference })).toMatchObject({
      status: 400,
      body: { faultstring: `Could not retrieve certificate: ['${reference}'] (${why})` },
    });
  await refused(barbican.container('none'), 'Barbican answered 404');
  barbican.secrets.set('junk', { type: 'application/octet-stream', payload: 'junk' });
  expect((await put({ default_tls_container_ref: barbican.secret('junk') })).body.faultstring).toContain('PKCS #12');
  barbican.containers.set('keyless', { private_key: 'one-key' });
  await refused(barbican.container('keyless'), 'it has no certificate');
  // Nowhere else: neither asked nor told the token.
  const asked = barbican.asked.length;
  expect(await put({ default_tls_container_ref: 'http://127.0.0.1:1/v1/containers/x' })).toMatchObject({ status: 400 });
  expect(barbican.asked.length).toBe(asked);

  // What it knows it needs no token for.
  await f.close();
  process.kill(f.pid(lb), 'SIGKILL');
  barbican.secrets.clear();
  await farm(state, ['--barbican', barbican.url]);
  await eventually(async () =>
    expect(await getTls(vip, 'two.example', { cert: client, key: client })).toMatchObject({ subject: 'two.example' }),
  );
});

test('a caller without the right token gets nothing', async () => {
  const barbican = await new FakeBarbican().start(TOKEN);
  barbican.put('one', 'one.example');
  const f = await farm(undefined, ['--barbican', barbican.url], "another's");
  const subnet = (await f.ask('GET', '/v2.0/subnets')).body.subnets[0].id;
  const front = { protocol: 'TERMINATED_HTTPS', protocol_port: PORT };
  const answer = await f.ask('POST', `${V2}/loadbalancers`, {
    loadbalancer: {
      vip_subnet_id: subnet,
      listeners: [{ ...front, default_tls_container_ref: barbican.container('one') }],
    },
  });
  expect(answer).toMatchObject({ status: 400 });
  expect(answer.body.faultstring).toContain('Barbican answered 401');
  expect((await f.ask('GET', `${V2}/loadbalancers`)).body.loadbalancers).toEqual([]);
});

test('what another controller ran is asked for with the token for that', async () => {
  const barbican = await new FakeBarbican().start(TOKEN, 'the-service');
  barbican.put('one', 'one.example');
  const state = stateFolder();
  const f = await farm(state, ['--barbican', barbican.url], TOKEN);
  const { vip, lb } = await balancer(f, [(await site('a')).port], {
    listener: { protocol: 'TERMINATED_HTTPS', default_tls_container_ref: barbican.container('one') },
  });
  await f.close();
  process.kill(f.pid(lb), 'SIGKILL');
  // As on another host.
  fs.rmSync(path.join(state, 'barbican'), { recursive: true });
  fs.rmSync(path.join(state, 'lbaas'), { recursive: true });
  const none = await farm(state, ['--barbican', barbican.url]);
  await none.idle();
  const { loadbalancer } = (await none.ask('GET', `${V2}/loadbalancers/${lb}`)).body;
  expect(loadbalancer).toMatchObject({ provisioning_status: 'ERROR' });
  expect(loadbalancer.status_description).toContain('Barbican answered 401');
  await none.close();
  const other = await farm(state, ['--barbican', barbican.url, '--barbican-token', 'the-service']);
  await other.idle();
  expect((await other.ask('GET', `${V2}/loadbalancers/${lb}`)).body.loadbalancer).toMatchObject({
    provisioning_status: 'ACTIVE',
  });
  expect(await getTls(vip, 'one.example')).toMatchObject({ body: 'a', subject: 'one.example' });
});

test('a load balancer is a consumer of what it uses, as long as it does', async () => {
  const barbican = await new FakeBarbican().start(TOKEN);
  for (const name of ['one', 'two']) barbican.put(name, `${name}.example`);
  barbican.secrets.set('three', { type: 'application/octet-stream', payload: bundle('three.example') });
  const f = await farm(undefined, ['--barbican', barbican.url], TOKEN);
  const of = () => ['containers/one', 'containers/two', 'secrets/three'].map(what => barbican.consumersOf(what));
  const front = { protocol: 'TERMINATED_HTTPS', default_tls_container_ref: barbican.container('one') };
  const { lb, listener } = await balancer(f, [], { listener: front });
  expect(of()).toEqual([[lb], [], []]);
  expect([...barbican.consumers.get('containers/one')!].map(text => JSON.parse(text))).toEqual([
    { name: 'sluice', URL: `lbaas://sluice/loadbalancers/${lb}` },
  ]);
  const put = (change: object) => f.do('PUT', `${V2}/listeners/${listener}`, { listener: change });
  await put({ sni_container_refs: [barbican.container('two'), barbican.secret('three')] });
  expect(of()).toEqual([[lb], [lb], [lb]]);
  // Two listeners, one consumer: it stays until the last has let go.
  const more = await f.do('POST', `${V2}/listeners`, {
    listener: { loadbalancer_id: lb, protocol_port: PORT + 1, ...front },
  });
  await put({ default_tls_container_ref: barbican.container('two'), sni_container_refs: null });
  expect(of()).toEqual([[lb], [lb], []]);
  await f.do('DELETE', `${V2}/listeners/${more.listener.id}`);
  expect(of()).toEqual([[], [lb], []]);
  // What is refused changes nothing, here neither.
  const bad = { loadbalancer_id: lb, protocol_port: PORT, ...front };
  expect((await f.ask('POST', `${V2}/listeners`, { listener: bad })).status).toBe(409);
  expect(of()).toEqual([[], [lb], []]);

  // An older Barbican knows no consumers of secrets: that is no reason to do without the secret.
  barbican.secretConsumers = false;
  await put({ sni_container_refs: [barbican.secret('three')] });
  expect(of()).toEqual([[], [lb], []]);
  await f.do('DELETE', `${V2}/loadbalancers/${lb}?cascade=true`);
  expect(of()).toEqual([[], [], []]);
});
