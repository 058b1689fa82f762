/** Commands that the traffic workers have a part in, on a real data path of two workers. */

import http from 'node:http';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dynamicName } from '../../engine/balance/dynamic-cookies.ts';
import { ASK_TIMEOUT_MS } from '../../engine/limits.ts';
import { CUM_REQ } from '../../engine/shm/counters.ts';
import { monotonicMs } from '../../engine/time.ts';
import { type CliRig, startCliRig } from './rig.ts';

let cli: CliRig;
let rig: CliRig['rig'];
let stuck: CliRig['stuck'];
let ask: CliRig['ask'];
let logged: CliRig['logged'];
let servers: http.Server[];

async function startServer(name: string): Promise<number> {
  const server = http.createServer((request, response) => {
    if (request.url === '/bad') request.socket.end('HTTP/1.1 200 OK\r\nbad header: x\r\n\r\n');
    else if (request.url !== '/hang') response.end(name);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return (server.address() as net.AddressInfo).port;
}

beforeEach(async () => {
  servers = [];
  cli = await startCliRig(
    `defaults
  mode http
  timeout client 9s
  timeout server 9s
  timeout connect 2s
frontend f
  bind 127.0.0.1:1
  default_backend b
frontend raw
  mode tcp
  bind 127.0.0.1:2
  default_backend t
backend b
  http-reuse always
  server s1 127.0.0.1:${await startServer('one')}
backend t
  mode tcp
  server s1 127.0.0.1:${await startServer('raw')}
frontend g
  bind 127.0.0.1:3
  default_backend d
backend d
  cookie SRV insert dynamic
  dynamic-cookie-key secret
  server s1 127.0.0.1:${await startServer('sticky')}
`,
    2,
  );
  ({ rig, stuck, ask, logged } = cli);
});

afterEach(async () => {
  await cli.stop();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/** The body, or the error's code. */
function get(uri = '/'): Promise<string> {
  return new Promise(resolve => {
    http
      .get({ port: rig.port('f'), host: '127.0.0.1', path: uri, agent: false }, response => {
        let body = '';
        response.on('data', data => {
          body += data;
        });
        response.on('end', () => resolve(body));
      })
      .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/** Asks until the answer has so many lines. */
async function sessions(n: number): Promise<string[]> {
  for (;;) {
    const lines = (await ask('show sess')).split('\n').filter(line => line !== '');
    if (lines.length === n) return lines;
    await sleep(5);
  }
}

test('show sess lists the streams of all workers, in short and in full, filtered', async () => {
  expect(await ask('show sess')).toBe('\n');
  const hanging = [get('/hang'), get('/hang'), get('/hang')];
  const raw = net.connect(rig.port('raw'), '127.0.0.1');
  raw.on('error', () => {});
  await sessions(4);
  while (/step=connect/.test(await ask('show sess'))) await sleep(5);
  const lines = await sessions(4);
  for (const line of lines) {
    expect(line).toMatch(
      /^0x[12]000000000[0-9a-f]+: proto=tcpv4 src=127\.0\.0\.1:\d+ fe=(f be=b|raw be=t) srv=s1 tid=[12] age=0s step=(waiting|tunnel) rq\[i=0,tot=\d+\] rp\[i=0,tot=0\] exp=[78]s rc=0$/,
    );
  }
  expect((await ask('show sess frontend raw')).trim().split('\n')).toHaveLength(1);
  expect((await ask('show sess server b/s1')).trim().split('\n')).toHaveLength(3);
  expect(await ask('show sess older 1h')).toBe('\n');
  const id = lines.find(l => l.includes('fe=f'))!.split(':')[0]!;
  const full = await ask(`show sess ${id}`);
  expect(full).toContain('\n  backend=b (id=3 mode=http)\n');
  expect(full).toContain('\n  txn method=GET uri=/hang status=-1\n');
  expect((await ask('show sess all')).match(/^0x/gm)).toHaveLength(4);
  expect(await ask('show sess 0x10000000fff')).toBe('Session not found.\n\n');

  expect(await ask(`shutdown session ${id}`)).toBe('\n');
  await sessions(3);
  expect(await ask(`shutdown session ${id}`)).toBe("No such session (use 'show sess').\n\n");
  expect(rig.ends.map(end => end.state)).toEqual(['KH']);
  expect(await ask('shutdown sessions server b/s1;show sess')).toMatch(/^\n0x.* fe=raw .*\n\n$/);
  for (const answer of await Promise.all(hanging)) expect(answer).toContain('502 Bad Gateway');
  raw.destroy();
});

test('many streams come page by page', async () => {
  const sockets = Array.from({ length: 1200 }, () => net.connect(rig.port('raw'), '127.0.0.1').on('error', () => {}));
  const lines = await sessions(1200);
  expect(new Set(lines.map(line => line.split(':')[0])).size).toBe(1200);
  for (const socket of sockets) socket.destroy();
});

test('set server addr: the next request goes there, over no old connection', async () => {
  const other = await startServer('two');
  expect(await get()).toBe('one');
  expect(await ask(`set server b/s1 addr 127.0.0.1 port ${other}`)).toContain(`to '${other}'`);
  for (let i = 0; i < 8; i++) expect(await get()).toBe('two');
});

test('show errors keeps the last bad message of each direction', async () => {
  const socket = net.connect(rig.port('f'), '127.0.0.1');
  socket.end('GET /\x01 HTTP/1.1\r\n\\\r\n\r\n');
  socket.resume();
  await new Promise(resolve => socket.once('close', resolve));
  await get('/bad');
  const all = await ask('show errors');
  expect(all).toMatch(/^Total events captured on \[\d\d\/\w{3}\/\d{4}:[\d:.]{12}\] : 2\n \n/);
  expect(all).toContain(
    'frontend f (#1): invalid request\n  backend <NONE> (#-1), server <NONE> (#-1), event #0, src 127.0.0.1:',
  );
  expect(all).toMatch(/\n {2}len 22, error at position 5: /);
  expect(all).toMatch(/\n {2}len 34, error at position 20: /);
  expect(all).toContain('\n  00000  GET /\\x01 HTTP/1.1\\r\\n\n  00017  \\\\\\r\\n\n  00020  \\r\\n\n');
  expect(all).toContain('backend b (#3): invalid response\n  frontend f (#1), server s1 (#1), event #');
  expect(await ask('show errors f request')).not.toContain('invalid response');
  expect(await ask('show errors 3 response')).toContain('  00017  bad header: x\\r\\n\n');
  expect(await ask('show errors raw')).toMatch(/: 2\n\n$/);
});

test('clear counters: the maxima, or all that is not there now', async () => {
  await Promise.all([get(), get(), get()]);
  const stat = async (field: string) => {
    const [head, ...rows] = (await ask('show stat')).slice(2).split('\n');
    return rows.find(row => row.startsWith('f,FRONTEND'))!.split(',')[head!.split(',').indexOf(field)];
  };
  expect([await stat('stot'), await stat('req_tot')]).toEqual(['3', '3']);
  expect(Number(await stat('rate_max'))).toBeGreaterThan(0);
  expect(Number(await stat('ttime_p50_us'))).toBeGreaterThan(0);
  await sleep(1100);
  expect(await ask('clear counters')).toBe('\n');
  expect([await stat('smax'), await stat('req_tot'), await stat('ttime_p50_us')]).toEqual(['0', '3', '']);
  const hanging = get('/hang');
  await sessions(1);
  expect(await ask('clear counters all')).toBe('\n');
  expect([await stat('scur'), await stat('stot'), await stat('req_tot'), await stat('bin')]).toEqual([
    '1',
    '0',
    '0',
    '0',
  ]);
  expect(rig.memory.sum('process', 0, CUM_REQ)).toBe(4);
  await ask('shutdown sessions server b/s1');
  await hanging;
});

test('a frontend rests, accepts again, stops for good', async () => {
  expect(await get()).toBe('one');
  expect(await ask('disable frontend f;disable frontend f')).toBe('\nAll sockets are already disabled.\n\n');
  expect(await ask('show stat')).toContain('f,FRONTEND,');
  let answered = false;
  const waiting = get().then(body => {
    answered = true;
    return body;
  });
  await sleep(50);
  expect(answered).toBe(false);
  expect(await ask('enable frontend f;enable frontend f')).toBe('\nAll sockets are already enabled.\n\n');
  expect(await waiting).toBe('one');
  expect(await ask('shutdown frontend f;shutdown frontend f')).toBe('\nFrontend was already shut down.\n\n');
  expect(await ask('enable frontend f')).toBe('Frontend was previously shut down, cannot enable.\n\n');
  expect(await get()).toBe('ECONNREFUSED');
  expect(logged.splice(0)).toEqual([
    'Paused frontend f.',
    'Resumed frontend f.',
    expect.stringMatching(/^Proxy f stopped \(cumulated conns: FE: [23], BE: 0\)\.$/),
  ]);
});

test('set maxconn frontend lets the waiting in', async () => {
  expect(await ask('set maxconn frontend raw 1')).toBe('\n');
  const sockets = [1, 2, 3].map(() => net.connect(rig.port('raw'), '127.0.0.1').on('error', () => {}));
  await sessions(1);
  await sleep(50);
  await sessions(1);
  await ask('set maxconn frontend raw 2');
  await sessions(2);
  for (const socket of sockets) socket.destroy();
});

test('a worker that is stuck holds nobody up for long, and is named', async () => {
  stuck.add(1);
  const before = monotonicMs();
  expect(await ask('set maxconn frontend f 5')).toBe(
    'Thread 2 did not answer in time: it will follow when it can.\n\n',
  );
  expect(monotonicMs() - before).toBeLessThan(ASK_TIMEOUT_MS * 2);
  expect(rig.word('f', 'fe_maxconn')).toBe(5);
  expect(await ask('show threads')).toMatch(/Thread 1 : alive=1 stuck=0 .*\n {2}Thread 2 : alive=1 stuck=1 /);
});

test('what the process tells of itself', async () => {
  await get();
  expect(await ask('show activity')).toMatch(/^threads: 2 \(1\.\.2\)\n[\s\S]*\naccepted: 1 \[ [01] [01] \]\n/);
  expect(await ask('show pools')).toMatch(/Pool stream : 1 allocated, 0 used\n[\s\S]*\nTotal: \d+ bytes resident/);
  if (process.platform === 'linux') expect(await ask('show fd')).toMatch(/ : socket:\[\d+\] l\.st=RDY fam=ipv4 /);
});

test('dynamic cookies: another key, none, and again', async () => {
  const cookies = async () => {
    const found = new Set<string>();
    for (let i = 0; i < 6; i++) {
      const response = await fetch(`http://127.0.0.1:${rig.port('g')}/`, { headers: { connection: 'close' } });
      found.add(/^SRV=(\w+);/.exec(response.headers.get('set-cookie') ?? '')?.[1] ?? 'none');
    }
    return [...found];
  };
  const at = rig.model.proxies.find(({ name }) => name === 'd')!.servers[0]!.address;
  expect(await cookies()).toEqual([dynamicName('secret', at)]);
  expect(await ask('set dynamic-cookie-key backend d other')).toBe('\n');
  expect(await cookies()).toEqual([dynamicName('other', at)]);
  expect(await ask('show stat d 4 -1')).toContain(`,${dynamicName('other', at)},`);
  expect(await ask('disable dynamic-cookie backend d')).toBe('\n');
  expect(await cookies()).toEqual(['none']);
  expect(await ask('enable dynamic-cookie backend d')).toBe('\n');
  expect(await cookies()).toEqual([dynamicName('other', at)]);
  expect(await ask('set dynamic-cookie-key backend d')).toBe('String value expected.\n\n');
  expect(await ask('enable dynamic-cookie backend x')).toBe('No such backend.\n\n');
  expect(await ask('enable dynamic-cookie backend')).toBe('A backend name is expected.\n\n');
});

test('set server name: while it is in maintenance, and nothing names it', async () => {
  expect(await ask('set server b/s1 name blue')).toBe('Only servers in maintenance mode can be renamed.\n\n');
  expect(await ask('set server b/s1 state maint;set server b/s1 name b@d')).toContain('expects a name of letters');
  expect(await ask('set server b/s1 name blue')).toBe('\n');
  expect(await ask('set server b/s1 state ready')).toBe('No such server.\n\n');
  expect(await ask('set server b/blue state ready')).toBe('\n');
  expect(await get()).toBe('one');
  expect(await ask('show stat b 4 -1')).toMatch(/\nb,blue,/);
});

test('set server ssl: only where there are settings', async () => {
  const message = "'set server <srv> ssl' cannot be set.  default-server should define ssl settings\n\n";
  expect(await ask('set server b/s1 ssl off')).toBe(message);
});
