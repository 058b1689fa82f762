/** The configurations that OpenStack operators write, run as they run them, with real servers and real traffic. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import type net from 'node:net';
import path from 'node:path';
import autocannon from 'autocannon';
import { expect, onTestFinished, test } from 'vitest';
import { ask, config, folder, freePort, sluice, start } from './sluice.ts';

const DEFAULTS = `
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
`;

/** A server that can be killed and revived on the same port. */
class Site {
  readonly name: string;
  port = 0;
  #server: http.Server | null = null;

  constructor(name: string) {
    this.name = name;
  }

  async start(): Promise<this> {
    const server = http.createServer((request, response) => {
      // What a cache may keep: then `nocache` has something to do.
      response.setHeader('etag', '"1"');
      response.end(request.url === '/test' ? 'fine' : this.name);
    });
    await new Promise<void>(resolve => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as net.AddressInfo).port;
    this.#server = server;
    return this;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
    this.#server = null;
  }
}

async function sites(...names: string[]): Promise<Site[]> {
  const made = await Promise.all(names.map(name => new Site(name).start()));
  onTestFinished(() => {
    for (const site of made) site.stop();
  });
  return made;
}

/** The rows of `;csv` by `pxname/svname`, each by column name. */
async function statistics(port: number, uri: string): Promise<Map<string, Record<string, string>>> {
  const [head, ...lines] = (await ask(port, `${uri};csv`)).trim().split('\n');
  const names = head!.replace('# ', '').split(',');
  return new Map(
    lines.map(line => {
      const cells = line.split(',');
      return [`${cells[0]}/${cells[1]}`, Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']))];
    }),
  );
}

async function eventually<T>(look: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  for (let i = 0; ; i++) {
    const value = await look();
    if (good(value)) return value;
    if (i === 200) throw new Error(`still ${JSON.stringify(value)}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

const STATS = (port: number) => `
listen stats
  bind 127.0.0.1:${port}
  stats enable
  stats uri /haproxy?stats
`;

test('a listen proxy with httpchk: a server that is killed and revived goes DOWN and UP, and nobody notices', async () => {
  const [a, b, c] = (await sites('a', 'b', 'c')) as [Site, Site, Site];
  const [port, stats] = [await freePort(), await freePort()];
  const servers = [a, b, c].map(s => `  server ${s.name} 127.0.0.1:${s.port} check inter 100 fall 2 rise 2`).join('\n');
  const { output } = start([
    '-f',
    config(`global\n  nbthread 2\n${DEFAULTS}
listen web
  bind 127.0.0.1:${port}
  balance roundrobin
  option httpchk GET /test
  option redispatch 1
${servers}
${STATS(stats)}`),
  ]);
  await ask(port);
  const row = async () => (await statistics(stats, '/haproxy?stats')).get('web/b')!;
  await eventually(row, r => r.check_status === 'L7OK');
  b.stop();
  const down = await eventually(row, r => r.status === 'DOWN');
  expect(down).toMatchObject({ check_status: 'L4CON', last_chk: 'Connection refused', chkdown: '1', act: '1' });
  const seen = new Set<string>();
  for (let i = 0; i < 12; i++) seen.add(await ask(port));
  expect([...seen].sort()).toEqual(['a', 'c']);
  await b.start();
  const up = await eventually(row, r => r.status === 'UP');
  expect(up).toMatchObject({ check_status: 'L7OK', check_code: '200', check_desc: 'Layer7 check passed' });
  for (let i = 0; i < 6; i++) seen.add(await ask(port));
  expect([...seen].sort()).toEqual(['a', 'b', 'c']);
  expect(output()).not.toContain('ALERT');
});

test('a frontend with two binds before a leastconn backend: exact totals over the workers under load', async () => {
  const [a, b] = (await sites('a', 'b')) as [Site, Site];
  const [one, two, stats] = [await freePort(), await freePort(), await freePort()];
  start([
    '-f',
    config(`global\n  nbthread 2\n${DEFAULTS}
frontend http-in
  bind 127.0.0.1:${one}
  bind 127.0.0.1:${two}
  option socket-stats
  default_backend http-backend
backend http-backend
  balance leastconn
  server a 127.0.0.1:${a.port}
  server b 127.0.0.1:${b.port}
${STATS(stats)}`),
  ]);
  await ask(one);
  const runs = await Promise.all(
    [one, two].map(p => autocannon({ url: `http://127.0.0.1:${p}/`, connections: 8, amount: 500 })),
  );
  for (const run of runs) expect([run.errors, run.non2xx, run['2xx']]).toEqual([0, 0, 500]);
  const rows = await statistics(stats, '/haproxy?stats');
  expect(rows.get('http-in/FRONTEND')).toMatchObject({ req_tot: '1001', hrsp_2xx: '1001', hrsp_5xx: '0', scur: '0' });
  expect(rows.get('http-backend/BACKEND')).toMatchObject({ stot: '1001', lbtot: '1001', hrsp_2xx: '1001', scur: '0' });
  const [sa, sb] = ['a', 'b'].map(s => Number(rows.get(`http-backend/${s}`)!.stot));
  expect(sa! + sb!).toBe(1001);
  expect(Math.min(sa!, sb!)).toBeGreaterThan(300);
  const listeners = ['sock-1', 'sock-2'].map(s => Number(rows.get(`http-in/${s}`)!.stot));
  expect(listeners[0]! + listeners[1]!).toBe(Number(rows.get('http-in/FRONTEND')!.stot));
});

test('cookie SERVERID: the client keeps its server, also while its weight is served to others', async () => {
  const [a, b] = (await sites('a', 'b')) as [Site, Site];
  const port = await freePort();
  start([
    '-f',
    config(`global\n  nbthread 2\n${DEFAULTS}
listen horizon
  bind 127.0.0.1:${port}
  cookie SERVERID insert indirect nocache
  server a 127.0.0.1:${a.port} cookie a check
  server b 127.0.0.1:${b.port} cookie b check
`),
  ]);
  await ask(port);
  for (let i = 0; i < 4; i++) {
    const first = await fetch(`http://127.0.0.1:${port}/`);
    const name = await first.text();
    expect(first.headers.get('set-cookie')).toBe(`SERVERID=${name}; path=/`);
    expect(first.headers.get('cache-control')).toBe('private');
    const again = await fetch(`http://127.0.0.1:${port}/`, { headers: { cookie: `SERVERID=${name}` } });
    expect(await again.text()).toBe(name);
    expect(again.headers.get('set-cookie')).toBe(null);
  }
});

test('the statistics page asks for its password and shows itself, CSV and JSON', async () => {
  const port = await freePort();
  start([
    '-f',
    config(`${DEFAULTS}
listen stats
  bind 127.0.0.1:${port}
  stats enable
  stats uri /haproxy?stats
  stats realm Haproxy\\ Statistics
  stats auth admin:secret
`),
  ]);
  await ask(port, '/haproxy?stats');
  const page = `http://127.0.0.1:${port}/haproxy?stats`;
  const refused = await fetch(page);
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="Haproxy Statistics"']);
  const headers = { authorization: `Basic ${btoa('admin:secret')}` };
  const shown = await fetch(page, { headers });
  expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'text/html']);
  expect(await shown.text()).toContain('Statistics Report');
  expect((await (await fetch(`${page};csv`, { headers })).text()).startsWith('# pxname,svname,')).toBe(true);
  const json = (await (await fetch(`${page};json`, { headers })).json()) as unknown[];
  expect(json.length).toBe(2);
  expect((await fetch(`http://127.0.0.1:${port}/elsewhere`, { headers })).status).toBe(503);
});

test('daemon, maxconn, user and group: it serves in the background, writes its pid, and ends', async () => {
  const [a] = (await sites('a')) as [Site];
  const port = await freePort();
  const dir = folder();
  const pidfile = path.join(dir, 'pid');
  const file = config(
    `global\n  daemon\n  maxconn 4000\n  user nobody\n  group nogroup\n  pidfile ${pidfile}\n${DEFAULTS}
listen web
  bind 127.0.0.1:${port}
  server a 127.0.0.1:${a.port}
`,
    dir,
  );
  const root = process.getuid?.() === 0;
  const started = sluice(
    '-f',
    root ? file : config(fs.readFileSync(file, 'utf8').replace(/ {2}(user|group).*\n/g, ''), dir),
  );
  expect([started.code, started.err]).toEqual([0, '']);
  const pid = Number(fs.readFileSync(pidfile, 'utf8'));
  onTestFinished(() => {
    spawnSync('kill', ['-9', String(pid)]);
  });
  expect(await ask(port)).toBe('a');
  if (root) expect(fs.readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/Uid:\t65534\t65534\t65534/);
  process.kill(pid, 'SIGTERM');
  await eventually(
    async () => fs.existsSync(`/proc/${pid}`),
    alive => !alive,
  );
});
