import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { allocate, contains, parseSubnet, stableId } from '../../engine/lbaas/networks.ts';
import { keystoneAuth, tokenAuth } from '../../workers/lbaas/auth.ts';
import { certificatesIn } from '../../workers/lbaas/certificates.ts';
import { parseLbaas } from '../../workers/lbaas/options.ts';
import { folder, sluice } from '../workers/sluice.ts';
import { desk, standing, V2 } from './desk.ts';
import { farm } from './farm.ts';

describe('the command line', () => {
  const good: [line: string, changes: object][] = [
    ['', { command: 'serve', listen: { host: '127.0.0.1', port: 9876 }, netns: 'none', etcd: null }],
    ['status --url http://x:1', { command: 'status', url: 'http://x:1' }],
    [
      '--listen 127.0.0.1:1 --state /s --poll=50 --quiet',
      { listen: { host: '127.0.0.1', port: 1 }, state: '/s', pollMs: 50, quiet: true },
    ],
    ['--listen [::1]:80', { listen: { host: '::1', port: 80 } }],
    ['--store etcd://db:2379 --ttl 9 --host a', { etcd: 'http://db:2379', ttlSeconds: 9, host: 'a' }],
    ['--bridge br0 --gateway 10.0.0.1', { netns: 'auto', bridge: 'br0', gateway: '10.0.0.1' }],
    ['--barbican http://b:9311 --barbican-token t', { barbican: 'http://b:9311', barbicanToken: 't' }],
    [
      '--vip-device e --keepalived /k --router-id 9',
      { keepalived: '/k', routerId: 9, keepalivedPid: '/run/keepalived.pid' },
    ],
    ['--per-process 25', { perProcess: 25 }],
    ['--listen 10.0.0.1:9876 --token x', { token: 'x' }],
    ['--listen 0.0.0.0:9876 --force --auth none', { force: true }],
  ];
  test.each(good)('%s', (line, changes) => {
    const { options, error } = parseLbaas(line === '' ? [] : line.split(' '));
    expect(error).toBeNull();
    expect(options).toMatchObject(changes);
  });

  const bad: [line: string, says: string][] = [
    ['--lisen x', "unknown option '--lisen'; did you mean '--listen' maybe ?"],
    ['--listen', "'--listen' expects <address:port> as argument."],
    ['--listen nowhere:80', 'expects an IP address and a port'],
    ['--store mysql', "expects 'sqlite' or 'etcd://host:port'"],
    ['--subnet ten', "expects a name and a prefix, as 'private=10.0.0.0/24'"],
    ['--poll 1', 'expects 50 to 60000'],
    ['--netns auto', "'--netns auto' needs a --bridge"],
    ['--bridge b --vip-device e', '--vip-device is for --netns none'],
    ['--token a --keystone b', 'exclude each other'],
    ['--auth all', "expects 'none'"],
    ['--barbican here', "expects 'http://host:9311'"],
    ['--barbican-token x', 'needs a --barbican'],
    ['--keepalived /k', "'--keepalived' needs a --vip-device"],
    ['--router-id 256', 'expects 1 to 255'],
    ['--per-process 0', 'expects 1 to 500'],
    ['--per-process 9 --bridge b', 'one network namespace'],
    ['--listen 10.0.0.1:80', 'without --token or --keystone anybody who reaches 10.0.0.1 could change everything'],
  ];
  test.each(bad)('%s', (line, says) => {
    expect(parseLbaas(line.split(' ')).error).toContain(says);
  });

  test('wrong words show the usage', () => {
    const { code, err } = sluice('lbaas', '--nothing');
    expect(code).toBe(1);
    expect(err).toContain("lbaas: unknown option '--nothing'");
    expect(err).toContain('--listen <address:port> where the API is');
  });
});

test('sluice lbaas status', async () => {
  const f = await farm();
  const subnet = (await f.ask('GET', '/v2.0/subnets')).body.subnets[0].id;
  await f.do('POST', `${V2}/loadbalancers`, { loadbalancer: { name: 'shop', vip_subnet_id: subnet } });
  const { spawn } = await import('node:child_process');
  const { LAUNCHER } = await import('../workers/sluice.ts');
  const child = spawn(LAUNCHER, ['lbaas', 'status', '--url', f.url]);
  let out = '';
  child.stdout.on('data', chunk => {
    out += chunk;
  });
  await new Promise(resolve => child.once('close', resolve));
  const [head, row] = out.split('\n');
  expect(head).toMatch(/^API +ID +NAME +VIP +PROVISIONING +OPERATING/);
  expect(row).toMatch(/^v2 +[\da-f-]{36} +shop +127\.0\.0\.10 +ACTIVE +ONLINE +0 +0$/);
});

describe('who may ask', () => {
  test('the one token', async () => {
    const auth = tokenAuth('sesame');
    expect(await auth.caller('sesame')).toMatchObject({ admin: true });
    for (const wrong of ['', 'sesam', 'sesame ', 'SESAME']) expect(await auth.caller(wrong)).toBeNull();
    const d = await desk({ auth });
    expect((await d.ask('GET', `${V2}/pools`)).status).toBe(401);
    expect((await d.ask('GET', `${V2}/pools`, undefined, { 'x-auth-token': 'sesame' })).status).toBe(200);
    expect((await d.ask('GET', '/')).status, 'versions are open').toBe(200);
  });

  test('whom Keystone knows, asked once', async () => {
    let asked = 0;
    const keystone = http.createServer((request, response) => {
      asked++;
      const { 'x-subject-token': token } = request.headers;
      if (token === 'broken') response.writeHead(500).end();
      else if (!['brief', 'mine', 'root'].includes(String(token))) response.writeHead(401).end();
      else
        response.end(
          JSON.stringify({
            token: {
              expires_at: token === 'brief' ? '2020-01-01T00:00:00Z' : '2999-01-01T00:00:00Z',
              project: { id: 'p' },
              roles: [{ name: token === 'root' ? 'admin' : 'member' }],
            },
          }),
        );
    });
    await new Promise<void>(resolve => keystone.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void keystone.close());
    const auth = keystoneAuth(`http://127.0.0.1:${(keystone.address() as { port: number }).port}/v3/`);
    for (let i = 0; i < 3; i++) {
      expect(await auth.caller('mine')).toEqual({ projectId: 'p', admin: false });
      expect(await auth.caller('wrong')).toBeNull();
    }
    expect(asked).toBe(2);
    expect(await auth.caller('root')).toEqual({ projectId: 'p', admin: true });
    expect(await auth.caller('')).toBeNull();
    // Not believed for longer than it lives.
    asked = 0;
    for (let i = 0; i < 2; i++) await auth.caller('brief');
    expect(asked).toBe(2);
    const d = await desk({ auth });
    expect(await d.ask('GET', `${V2}/pools`, undefined, { 'x-auth-token': 'broken' })).toMatchObject({
      status: 503,
      body: { faultcode: 'Server', faultstring: 'The Keystone service is temporarily unavailable.' },
    });
    await expect(standing(d)).rejects.toThrow('401');
  });
});

test('certificates are files of their folder only', () => {
  const dir = folder();
  fs.mkdirSync(path.join(dir, 'in'));
  fs.writeFileSync(path.join(dir, 'in/a.pem'), '');
  fs.writeFileSync(path.join(dir, 'secret.pem'), '');
  fs.symlinkSync(path.join(dir, 'secret.pem'), path.join(dir, 'in/link.pem'));
  const find = certificatesIn(path.join(dir, 'in'), null);
  const file = path.join(fs.realpathSync(dir), 'in/a.pem');
  expect(find('http://barbican/v1/containers/a')).toBe(file);
  expect(find(`file://${file}`)).toBe(file);
  for (const wrong of [
    'b',
    '../secret',
    `file://${dir}/secret.pem`,
    `file://${dir}/in/../secret.pem`,
    `file://${dir}/in/link.pem`,
    'file://%00',
  ]) {
    expect(find(wrong), wrong).toBeNull();
  }
});

test('subnets', () => {
  const subnet = parseSubnet('a=10.1.2.0/29')!;
  expect(contains(subnet, '10.1.2.7')).toBe(true);
  expect(contains(subnet, '10.1.2.8')).toBe(false);
  expect(contains(subnet, '::1')).toBe(false);
  expect(allocate(subnet, () => false)).toBe('10.1.2.6');
  expect(allocate(parseSubnet('a=fd00::/64')!, ip => ip === 'fd00::a')).toBe('fd00::b');
  expect(allocate(subnet, () => true)).toBeNull();
  expect(stableId('x')).toMatch(/^[\da-f]{8}-[\da-f]{4}-5[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  for (const wrong of ['a', 'a=', 'a=10.0.0.0/33', 'a=x/8', '=10.0.0.0/8', 'a b=10.0.0.0/8'])
    expect(parseSubnet(wrong), wrong).toBeNull();
});
