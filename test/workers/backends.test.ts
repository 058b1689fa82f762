/** Backends that come and go while the process runs: `add backend`, `del backend`, in all of its threads. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ADDED_BACKENDS_MAX } from '../../engine/limits.ts';
import { cli } from './cli.ts';
import { ask, backend, config, folder, freePort, type Running, start } from './sluice.ts';

interface Process {
  readonly running: Running;
  readonly port: number;
  readonly file: string;
  say(command: string): Promise<string>;
}

async function startProcess(more = ''): Promise<Process> {
  const dir = folder();
  const socket = path.join(dir, 'sock');
  const port = await freePort();
  const file = config(
    `global
  stats socket ${socket} level admin
  nbthread 2
defaults plain
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
defaults web from plain
  acl old path_beg /old
  http-request deny deny_status 410 if old
  http-response set-header x-be %[be_name]
  balance leastconn
  default-server weight 7
  errorfile 503 ${errorFile(dir)}
defaults raw
  timeout server 5s
  timeout connect 1s
defaults lines
  mode log
defaults broken
  http-request track-sc0 src table nowhere
frontend f from plain
  bind 127.0.0.1:${port} shards by-thread
  stats uri /stats
  http-request use-service prometheus-exporter if { path /metrics }
  use_backend %[path,field(2,/)]
  default_backend fixed
backend fixed from plain
  server s1 127.0.0.1:${await backend('fixed')}
backend spare from plain
backend known from plain
frontend other from plain
  bind ${path.join(dir, 'other')}
  http-request deny if { nbsrv(known) gt 0 }
${more}`,
    dir,
  );
  const running = start(['-W', '-f', file]);
  await ask(port).catch(error => {
    throw new Error(running.output(), { cause: error });
  });
  return { running, port, file, say: command => cli(socket, command) };
}

function errorFile(dir: string): string {
  const file = path.join(dir, 'sorry.http');
  fs.writeFileSync(file, 'HTTP/1.0 503 Sorry\r\n\r\nsorry');
  return file;
}

/** What several connections, of both threads, get. */
async function answers(port: number, uri: string): Promise<Set<string>> {
  return new Set(await Promise.all(Array.from({ length: 16 }, () => ask(port, uri))));
}

test('a backend is added, reached by its name in every thread, and deleted', async () => {
  const { port, say } = await startProcess();
  const two = await backend('two');
  expect(await say('show defaults')).toBe('plain\nweb\nraw\nlines\nbroken\n\n');
  expect(await answers(port, '/blue/')).toEqual(new Set(['fixed']));
  expect(await say('add backend blue from web guid blue-1')).toBe('New backend registered.\n\n');
  expect(await say('show backend')).toBe('# name\nfixed\nspare\nknown\nblue\n\n');
  // It waits to be published.
  expect(await answers(port, '/blue/')).toEqual(new Set(['fixed']));
  expect(await say('publish backend blue')).toBe('\n');
  expect(await answers(port, '/blue/')).toEqual(new Set(['sorry']));
  expect(await say(`add server blue/s1 127.0.0.1:${two} from be:`)).toBe('New server registered.\n\n');
  expect(await say('enable server blue/s1')).toBe('\n');
  expect(await answers(port, '/blue/')).toEqual(new Set(['two']));
  // The rules, conditions and settings of the section.
  const response = await fetch(`http://127.0.0.1:${port}/blue/`);
  expect([await response.text(), response.headers.get('x-be')]).toEqual(['two', 'blue']);
  expect(await say('show servers state blue')).toMatch(/\n\d+ blue 1 s1 127\.0\.0\.1 2 0 7 7 /);
  expect(await say('set server blue/s1 weight 9;get weight blue/s1')).toBe('\n9 (initial 7)\n\n');

  const row = (await say('show stat')).split('\n').find(line => line.startsWith('blue,BACKEND,'))!;
  expect(Number(row.split(',')[7])).toBe(33);
  expect(await say('show stat json')).toContain('"value":"blue"');
  expect(await ask(port, '/stats')).toContain('>blue<');
  expect(await ask(port, '/stats;csv')).toContain('\nblue,BACKEND,');
  expect(await ask(port, '/metrics')).toContain('haproxy_backend_http_requests_total{proxy="blue"} 33');

  expect(await say('del backend blue')).toBe('Backend must be unpublished prior to its deletion.\n\n');
  expect(await say('unpublish backend blue; del backend blue')).toBe(
    '\nBackend still has servers, delete them first.\n\n',
  );
  expect(await say('disable server blue/s1; wait 2s srv-removable blue/s1; del server blue/s1')).toBe(
    '\nDone.\n\nServer deleted.\n\n',
  );
  expect(await say('wait 2s be-removable blue; del backend blue')).toBe('Done.\n\nBackend deleted.\n\n');
  expect(await say('show backend')).toBe('# name\nfixed\nspare\nknown\n\n');
  expect(await say('show stat')).not.toContain('\nblue,');
  expect(await ask(port, '/metrics')).not.toContain('"blue"');
  expect(await answers(port, '/blue/')).toEqual(new Set(['fixed']));

  // Its place is another's now, whose counters begin anew.
  expect(await say('add backend green from web mode http guid blue-1; publish backend green')).toBe(
    'New backend registered.\n\n\n',
  );
  expect(
    (await say('show stat'))
      .split('\n')
      .find(line => line.startsWith('green,'))!
      .split(',')[7],
  ).toBe('0');
  expect(await answers(port, '/green/')).toEqual(new Set(['sorry']));
});

test('what cannot be added or deleted is refused, and nothing changes', async () => {
  const { say } = await startProcess(`backend tabled from plain
  stick-table type ip size 1k
`);
  const refusals: readonly [command: string, answer: string | RegExp][] = [
    ['add backend', /^'add backend' expects <name> from <defproxy>/],
    ['add backend x', /^'add backend' expects <name> from <defproxy>/],
    ['add backend x from', /^'add backend' expects <name> from <defproxy>/],
    ['add backend x from web name y', /, not 'name'\.\n/],
    ['add backend x from web mode', "'mode' expects an argument."],
    ['add backend x from web mode tcp mode http', "'mode' is given twice."],
    ['add backend x/y from web', "character '/' is not permitted in backend name 'x/y'."],
    ['add backend fixed from web', 'Already exists a backend with the same name.'],
    ['add backend x from wep', "No such default proxy 'wep'. did you mean 'web' maybe ?"],
    ['add backend x from raw', "Mode is required as 'raw' does not define it explicitly."],
    ['add backend x from raw mode log', 'Only TCP or HTTP proxies can be created.'],
    ['add backend x from lines', 'Only TCP or HTTP proxies can be created.'],
    ['add backend x from broken mode http', /unable to find table 'nowhere'/],
    ['add backend x from web guid a/b', "'guid': character '/' is not permitted in an id."],
    ['del backend', 'Require a backend name.'],
    ['del backend x', 'No such backend.'],
    ['del backend f', 'No such backend.'],
    ['del backend fixed', "This backend cannot be removed at runtime: it is the default backend of 'f'."],
    ['del backend known', "This backend cannot be removed at runtime: the sample fetch 'nbsrv' names it."],
    ['del backend tabled', 'This backend cannot be removed at runtime: it has a stick-table.'],
    ['wait 1s be-removable', 'Require a backend name.'],
    ['wait 1s be-removable spare', 'Backend must be unpublished prior to its deletion.'],
  ];
  for (const [command, answer] of refusals) {
    const given = await say(command);
    if (typeof answer === 'string') expect(given).toBe(`${answer}\n\n`);
    else expect(given).toMatch(answer);
  }
  expect(await say('show backend')).toBe('# name\nfixed\nspare\nknown\ntabled\n\n');
  for (let n = 0; n < ADDED_BACKENDS_MAX; n++) {
    expect(await say(`add backend n${n} from raw mode tcp guid n${n}`)).toBe('New backend registered.\n\n');
  }
  expect(await say('add backend more from web')).toMatch(/^Limit reached: /);
  expect(await say('add backend more from web guid n3')).toBe("guid 'n3' is already used.\n\n");
  expect(await say('del backend n3')).toBe('Backend deleted.\n\n');
  expect(await say('add backend more from web')).toBe('New backend registered.\n\n');
  // One of the configuration can go, too.
  expect(await say('unpublish backend spare; del backend spare')).toBe('\nBackend deleted.\n\n');
  expect(await say('show backend')).not.toContain('spare');
  expect(await say('add backend spare from web')).toMatch(/^Limit reached: /);
});

test('a backend with a stream is not deleted; it is when that is over', async () => {
  const { port, say } = await startProcess();
  const held: net.Socket[] = [];
  const silent = net.createServer(socket => {
    socket.on('error', () => {});
    held.push(socket);
  });
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve));
  const { port: origin } = silent.address() as net.AddressInfo;
  await say(
    `add backend slow from web; publish backend slow; add server slow/s 127.0.0.1:${origin}; enable server slow/s`,
  );
  const answer = ask(port, '/slow/');
  while (held.length === 0) await new Promise(resolve => setTimeout(resolve, 10));
  await say('unpublish backend slow; disable server slow/s');
  expect(await say('del server slow/s')).toMatch(/^Server still has connections/);
  const waiting = say('wait 5s srv-removable slow/s; del server slow/s; wait 5s be-removable slow; del backend slow');
  held[0]!.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
  expect(await answer).toBe('ok');
  expect(await waiting).toBe('Done.\n\nServer deleted.\n\nDone.\n\nBackend deleted.\n\n');
  silent.close();
});

test('a reload forgets what the file does not have, and keeps the counts of what it has', async () => {
  const { running, port, file, say } = await startProcess();
  const two = await backend('two');
  for (const name of ['kept', 'lost']) {
    await say(`add backend ${name} from plain; publish backend ${name}; add server ${name}/s 127.0.0.1:${two}`);
    await say(`enable server ${name}/s`);
    expect(await answers(port, `/${name}/`)).toEqual(new Set(['two']));
  }
  await say('unpublish backend spare; del backend spare');
  fs.appendFileSync(file, `backend kept from plain\n  server s 127.0.0.1:${two}\n`);
  running.child.kill('SIGUSR2');
  while (!running.output().includes('Loading success.')) await new Promise(resolve => setTimeout(resolve, 20));
  expect(running.output()).toContain('backend lost: section removed');
  const stat = await say('show stat');
  expect(stat).not.toContain('\nlost,');
  expect(stat).toContain('\nspare,BACKEND,');
  expect(
    stat
      .split('\n')
      .find(line => line.startsWith('kept,BACKEND,'))!
      .split(',')[7],
  ).toBe('16');
  expect(await answers(port, '/kept/')).toEqual(new Set(['two']));
  expect(await answers(port, '/lost/')).toEqual(new Set(['fixed']));
  expect(await say('add backend lost from web')).toBe('New backend registered.\n\n');
});
