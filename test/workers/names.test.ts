/** Names in the real process: rules that ask, servers that move under load, what the runtime API tells. */
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { NameServer } from '../resolvers/name-server.ts';
import { ask, config, folder, freePort, start } from './sluice.ts';

async function nameServer(): Promise<NameServer> {
  const ns = await new NameServer().start();
  onTestFinished(() => ns.stop());
  return ns;
}

/** A server that answers its name, on an address of the loopback; all of them on one port. */
async function serve(host: string, port: number): Promise<void> {
  const server = http.createServer((_request, response) => response.end(host));
  await new Promise<void>(resolve => server.listen(port, host, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
}

const say = (socket: string, command: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    const conn = net.connect(socket, () => conn.end(`${command}\n`)).setEncoding('utf8');
    conn.on('data', piece => {
      text += piece;
    });
    conn.on('end', () => resolve(text)).on('error', reject);
  });

function resolvers(ns: NameServer): string {
  return `
resolvers r
  nameserver n1 127.0.0.1:${ns.port}
  timeout resolve 30
  timeout retry 100
  hold valid 100
  hold nx 0`;
}

const HEAD = `
  nbthread 2
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s`;

test('do-resolve finds where a request goes', async () => {
  const ns = await nameServer();
  const [port, tcp, target] = [await freePort(), await freePort(), await freePort()];
  const dir = folder();
  await serve('127.0.0.2', target);
  await serve('127.0.0.3', target);
  ns.addresses('A', 'two.test', '127.0.0.2');
  ns.addresses('A', 'three.test', '127.0.0.3');
  const text = `global${HEAD}${resolvers(ns)}
frontend f
  bind 127.0.0.1:${port}
  http-request do-resolve(txn.ip,r,ipv4) hdr(x-to)
  http-request set-var(txn.kept) src
  http-request do-resolve(txn.kept,r,ipv4) str(none.test)
  http-request return status 503 unless { var(txn.ip) -m found } { var(txn.kept) -m ip 127.0.0.1 }
  http-request set-dst var(txn.ip)
  default_backend any
backend any
  server s 0.0.0.0:${target}
listen t
  mode tcp
  bind 127.0.0.1:${tcp}
  tcp-request content do-resolve(txn.ip,r,ipv4) str(three.test)
  tcp-request content set-dst var(txn.ip)
  server s 0.0.0.0:${target}
`;
  const running = start(['-f', config(text, dir)]);
  // Perhaps before the thread that knows the name servers is there.
  expect(await ask(tcp)).toBe('127.0.0.3');
  const get = async (to: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-to': to } });
    return response.status === 200 ? response.text() : String(response.status);
  };
  const names = ['two.test', 'three.test', 'none.test', 'two.test', 'no name', 'THREE.test.'];
  const wanted = ['127.0.0.2', '127.0.0.3', '503', '127.0.0.2', '503', '127.0.0.3'];
  for (const [i, name] of names.entries()) expect([name, await get(name)]).toEqual([name, wanted[i]]);
  // Many at a time, over kept connections: nobody gets what another asked for.
  const mixed = Array.from({ length: 60 }, (_, i) => i % names.length);
  expect(await Promise.all(mixed.map(i => get(names[i]!)))).toEqual(mixed.map(i => wanted[i]));
  expect(await ask(tcp)).toBe('127.0.0.3');
  ns.silent = true;
  expect(await get('late.test')).toBe('503');
  running.child.kill('SIGTERM');
  await running.ended;
});

test('servers move and nobody notices', async () => {
  const ns = await nameServer();
  const [port, target] = [await freePort(), await freePort()];
  const dir = folder();
  const socket = path.join(dir, 'sock');
  const hosts = Array.from({ length: 6 }, (_, i) => `127.0.0.${i + 2}`);
  for (const host of hosts) await serve(host, target);
  ns.addresses('A', 'web.test', hosts[0]!, hosts[1]!);
  const text = `global
  stats socket ${socket} level admin${HEAD}${resolvers(ns)}
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  server-template s 3 web.test:${target} resolvers r init-addr none resolve-prefer ipv4
`;
  start(['-f', config(text, dir)]);
  while ((await ask(port)).startsWith('<html>'));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  const seen = new Map<string, number>();
  let stopped = false;
  const one = (): Promise<void> =>
    new Promise<string>(resolve => {
      http
        .get({ port, host: '127.0.0.1', agent }, response => {
          let body = '';
          response.on('data', piece => {
            body += piece;
          });
          response.on('end', () => resolve(response.statusCode === 200 ? body : `status ${response.statusCode}`));
        })
        .on('error', error => resolve(error.message));
    }).then(answer => {
      seen.set(answer, (seen.get(answer) ?? 0) + 1);
      return stopped ? undefined : one();
    });
  const load = [one(), one(), one(), one()];
  for (let turn = 0; turn < 8; turn++) {
    ns.addresses('A', 'web.test', ...[0, 1, 2].slice(turn % 2).map(i => hosts[(turn + i) % hosts.length]!));
    await new Promise(resolve => setTimeout(resolve, 120));
  }
  stopped = true;
  await Promise.all(load);
  agent.destroy();
  expect([...seen.keys()].sort()).toEqual(hosts);

  expect(await say(socket, 'show resolvers r')).toMatch(
    /^Resolvers section r\n nameserver n1:\n {2}sent: {8}\d+\n {2}snd_error: {3}0\n {2}valid: {7}\d+\n {2}update: {6}\d+\n/,
  );
  expect(await say(socket, 'show resolvers x')).toBe("Can't find that resolvers section\n\n");
  const [head, row] = (await say(socket, 'show stat domain resolvers')).split('\n');
  expect(head).toBe(
    '# id,pid,sent,send_error,valid,update,cname,cname_error,any_err,nx,timeout,refused,other,invalid,too_big,truncated,outdated,',
  );
  expect(row).toMatch(/^n1,r,\d+,0,\d+,\d+,0,/);
  expect(await say(socket, 'show stat domain resolvers typed')).toMatch(
    /^N\.0\.id:CGPV:str:n1\nN\.1\.pid:CGPV:str:r\n/,
  );
  expect(JSON.parse(await say(socket, 'show stat domain resolvers json'))[0][0].value).toEqual({
    type: 'str',
    value: 'n1',
  });
  ns.addresses('A', 'other.test', hosts[5]!);
  expect(await say(socket, 'set server b/s1 fqdn other.test')).toBe(
    "b/s1 changed its FQDN from web.test to other.test by 'stats socket command'\n\n",
  );
  expect(await say(socket, 'show servers state b')).toContain(' other.test ');
});

test('a name that an operator gave a server lives on while the file says what it said', {
  timeout: 60_000,
}, async () => {
  const ns = await nameServer();
  const [port, target] = [await freePort(), await freePort()];
  const dir = folder();
  const socket = path.join(dir, 's.sock');
  for (const host of ['127.0.0.2', '127.0.0.3', '127.0.0.4']) await serve(host, target);
  ns.addresses('A', 'one.test', '127.0.0.2');
  ns.addresses('A', 'two.test', '127.0.0.3');
  const text = `global
  stats socket ${socket} level admin${HEAD}${resolvers(ns)}
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  server s1 one.test:${target} resolvers r init-addr none
`;
  const file = config(text, dir);
  const running = start(['-W', '-f', file]);
  const answers = async (name: string) => {
    for (const deadline = Date.now() + 10_000; (await ask(port)) !== name; ) {
      if (Date.now() > deadline) throw new Error(`it is not ${name} that answers`);
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  };
  const reload = async () => {
    const done = () => running.output().split('Loading success.').length;
    const before = done();
    running.child.kill('SIGUSR2');
    while (done() === before) await new Promise(resolve => setTimeout(resolve, 20));
  };
  await answers('127.0.0.2');
  await say(socket, 'set server b/s1 fqdn two.test');
  await answers('127.0.0.3');
  for (let n = 0; n < 2; n++) {
    await reload();
    expect(await ask(port)).toBe('127.0.0.3');
    expect(await say(socket, 'show servers state b')).toMatch(/^3 b 1 s1 127.0.0.3 2 64 .* two.test /m);
  }
  ns.addresses('A', 'two.test', '127.0.0.4');
  await answers('127.0.0.4');
  fs.writeFileSync(file, text.replace('one.test', 'three.test'));
  ns.addresses('A', 'three.test', '127.0.0.2');
  await reload();
  expect(await say(socket, 'show servers state b')).toContain(' three.test ');
  await answers('127.0.0.2');
});
