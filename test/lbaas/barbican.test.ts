/** Containers and secrets of a Barbican, here a small server that speaks as one. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { folder } from '../workers/sluice.ts';
import { certificate, getTls } from './certificates.ts';
import { V2 } from './desk.ts';
import { balancer, eventually, farm, PORT, site, stateFolder } from './farm.ts';

interface Secret {
  readonly type: 'application/octet-stream' | 'text/plain';
  readonly payload: Buffer | string;
}

/** Only who has the token gets anything. */
class FakeBarbican {
  readonly secrets = new Map<string, Secret>();
  /** Names of secrets by what they are in the container. */
  readonly containers = new Map<string, Readonly<Record<string, string>>>();
  readonly asked: string[] = [];
  url = '';

  async start(...tokens: readonly string[]): Promise<this> {
    const server = http.createServer(({ url = '', headers }, response) => {
      this.asked.push(url);
      const [code, type, body] = tokens.includes(String(headers['x-auth-token']))
        ? this.#answer(url, headers.accept ?? '')
        : [401, 'text/plain', 'who?'];
      response.writeHead(code, { 'content-type': type }).end(body);
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    this.url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    return this;
  }

  #answer(url: string, accept: string): [number, string, Buffer | string] {
    const [, version, kind, id = '', payload] = url.split('/');
    const json = (body: object): [number, string, string] => [200, 'application/json', JSON.stringify(body)];
    const container = this.containers.get(id);
    if (version === 'v1' && kind === 'containers' && container !== undefined) {
      const refs = Object.entries(container).map(([name, secret]) => ({ name, secret_ref: this.secret(secret) }));
      return json({ type: 'certificate', name: id, secret_refs: refs });
    }
    const secret = this.secrets.get(id);
    if (version !== 'v1' || kind !== 'secrets' || secret === undefined) return [404, 'text/plain', 'Not Found'];
    if (payload !== 'payload') return json({ name: id, content_types: { default: secret.type } });
    return accept === secret.type ? [200, secret.type, secret.payload] : [406, 'text/plain', 'Not Acceptable'];
  }

  secret = (id: string) => `${this.url}/v1/secrets/${id}`;
  container = (id: string) => `${this.url}/v1/containers/${id}`;

  /** A certificate of that name in a container of two secrets. */
  put(id: string, name: string): void {
    const [cert, key] = fs.readFileSync(certificate(folder(), name), 'utf8').split(/(?=-----BEGIN PRIVATE)/);
    this.secrets.set(`${id}-cert`, { type: 'text/plain', payload: cert! });
    this.secrets.set(`${id}-key`, { type: 'text/plain', payload: key! });
    this.containers.set(id, { certificate: `${id}-cert`, private_key: `${id}-key` });
  }
}

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
