/** Programs that operators point at HAProxy's statistics and runtime API, unchanged, at Sluice. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ask, backend, config, folder, freePort, start } from '../workers/sluice.ts';

const INTEROP = process.env.SLUICE_INTEROP !== undefined;

interface Started {
  readonly socket: string;
  /** Of the statistics page. */
  readonly url: string;
  readonly port: number;
}

/** Two backends, the second one's only server is down. */
async function startSluice(): Promise<Started> {
  const dir = folder();
  const socket = path.join(dir, 'sock');
  const [port, statsPort] = [await freePort(), await freePort()];
  const file = config(
    `global
  stats socket ${socket} mode 600 level admin
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
frontend web
  bind 127.0.0.1:${port}
  default_backend b
backend b
  server s1 127.0.0.1:${await backend('one')} check inter 100ms
  server s2 127.0.0.1:${await backend('two')} check inter 100ms
backend dead
  server d1 127.0.0.1:1 check inter 100ms rise 1 fall 1
listen stats
  bind 127.0.0.1:${statsPort}
  stats enable
  stats uri /haproxy?stats
`,
    dir,
  );
  start(['-f', file]);
  await ask(port);
  await until(() =>
    run('socat', [socket, '-'], 'show stat\n').out.includes('dead,d1,0,0,0,0,,0,0,0,,0,,0,0,0,0,DOWN,'),
  );
  return { socket, url: `http://127.0.0.1:${statsPort}/haproxy?stats`, port };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setTimeout(resolve, 20));
}

function run(program: string, args: readonly string[], input = '', env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    input,
    encoding: 'utf8',
    timeout: 20_000,
    env: { ...process.env, ...env },
  });
  return { code: status, out: stdout, err: stderr };
}

/** Tests that need `program`, skipped with the reason when it is not there. */
function withProgram(program: string, name: string, body: (sluice: () => Promise<Started>) => Promise<void>): void {
  const there = program.startsWith('/') ? fs.existsSync(program) : spawnSync('which', [program]).status === 0;
  if (!INTEROP) console.log(`clients.test: ${name} skipped, SLUICE_INTEROP is not set`);
  else if (!there) console.log(`clients.test: ${name} skipped, ${program} is not installed`);
  test.skipIf(!INTEROP || !there)(name, { timeout: 60_000 }, () => body(startSluice));
}

describe('socat, as HAProxy’s management guide uses it', () => {
  withProgram('socat', 'one-liners, several commands, a half-close, a terminal', async sluice => {
    const { socket } = await sluice();
    expect(run('socat', [socket, 'stdio'], 'show info;show stat\n').out).toMatch(
      /^Name: .*\n[\s\S]*\n\n# pxname,svname,[\s\S]*\nstats,BACKEND,.*\n\n$/,
    );
    expect(run('socat', ['-t', '9', `unix-connect:${socket}`, 'stdio'], 'wait 300ms; get weight b/s1\n').out).toBe(
      '\n1 (initial 1)\n\n',
    );
    const terminal = run('socat', [socket, 'stdio'], 'prompt\nset weight b/s1 5\nget weight b/s1\nquit\n').out;
    expect(terminal).toBe('\n> \n> 5 (initial 1)\n\n> ');
    const drained =
      'disable server b/s1; shutdown sessions server b/s1; wait 2s srv-removable b/s1; enable server b/s1\n';
    expect(run('socat', [socket, 'stdio'], drained).out).toBe('\n\nDone.\n\n\n');
  });
});

withProgram('socat', 'a frontend gives its port away and takes it back', async sluice => {
  const { socket, port } = await sluice();
  const say = (command: string) => run('socat', [socket, '-'], `${command}\n`).out;
  expect(say('disable frontend web')).toBe('\n');
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  expect(say('enable frontend web')).toBe('\n');
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toMatch(/one|two/);
  expect(say('shutdown frontend web')).toBe('\n');
  const other = net.createServer().listen(port, '127.0.0.1');
  onTestFinished(() => void other.close());
  await new Promise((resolve, reject) => other.once('listening', resolve).once('error', reject));
});

/** Waits for a server in hatop's table, then types a command on its last screen, as an operator would. */
const HATOP = `
import os, sys, pexpect
child = pexpect.spawn('hatop', ['-s', sys.argv[1], '-i', '1'], env={**os.environ, 'TERM': 'xterm'},
                      dimensions=(40, 140), encoding='utf-8', timeout=15)
child.expect('s1')
for screen in '234':
    child.send(screen)
    child.expect('dead|BACKEND|s1')
child.send('5')
child.expect('help')
child.send('disable server b/s1\\r')
child.expect('disable server b/s1')
child.send('show servers state b\\r')
child.expect('srv_admin_state')
child.send('\\t')
child.expect('MAINT')
child.send('q')
child.expect(pexpect.EOF)
child.close()
sys.exit(child.exitstatus)
`;

withProgram('hatop', 'hatop shows all its screens and disables a server', async sluice => {
  const { socket } = await sluice();
  const { code, err } = run('python3', ['-c', HATOP, socket]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(run('socat', [socket, '-'], 'show stat\n').out).toMatch(/\nb,s1,[^\n]*,MAINT,/);
});

withProgram(
  'prometheus-haproxy-exporter',
  'prometheus-haproxy-exporter, from the page and the socket',
  async sluice => {
    const { socket, url } = await sluice();
    for (const uri of [`${url};csv`, `unix:${socket}`]) {
      const port = await freePort();
      const exporter = spawn('prometheus-haproxy-exporter', [
        `--web.listen-address=127.0.0.1:${port}`,
        `--haproxy.scrape-uri=${uri}`,
      ]);
      onTestFinished(() => void exporter.kill());
      const metrics = await ask(port, '/metrics');
      expect(metrics).toMatch(/^haproxy_up 1$/m);
      expect(metrics).toMatch(/^haproxy_exporter_csv_parse_failures(_total)? 0$/m);
      expect(metrics).toMatch(/^haproxy_server_up\{backend="b",server="s1"\} 1$/m);
      expect(metrics).toMatch(/^haproxy_server_up\{backend="dead",server="d1"\} 0$/m);
      if (uri.startsWith('unix'))
        expect(metrics).toMatch(/^haproxy_version_info\{release_date="[^"]+",version="[^"]+"\} 1$/m);
      exporter.kill();
    }
  },
);

const NAGIOS = '/usr/lib/nagios/plugins';

withProgram(`${NAGIOS}/check_haproxy`, 'check_haproxy finds the server that is down', async sluice => {
  const { url } = await sluice();
  const { code, out } = run(`${NAGIOS}/check_haproxy`, ['-u', `${url};csv`]);
  expect(out).toContain("Active service 'd1' is DOWN on 'dead' proxy");
  expect(code).toBe(2);
});

withProgram(`${NAGIOS}/check_haproxy_stats`, 'check_haproxy_stats, from the page and the socket', async sluice => {
  const { socket, url } = await sluice();
  for (const from of [
    ['-s', socket],
    ['-U', url],
  ]) {
    const down = run(`${NAGIOS}/check_haproxy_stats`, from);
    expect(down.out).toContain('server: dead:d1 is DOWN');
    expect(down.code).toBe(2);
    const fine = run(`${NAGIOS}/check_haproxy_stats`, [...from, '-p', 'b']);
    expect(fine.out).toMatch(/^Check haproxy OK/);
    expect(fine.code).toBe(0);
  }
});

const MUNIN = '/usr/share/munin/plugins/haproxy_ng';

withProgram(MUNIN, 'munin’s haproxy_ng', async sluice => {
  const { url } = await sluice();
  const env = { url: `${url};csv;norefresh`, MUNIN_CAP_MULTIGRAPH: '1', MUNIN_LIBDIR: '/usr/share/munin' };
  const { out, err } = run('perl', [MUNIN], '', env);
  expect(err).toBe('');
  expect(out).toMatch(/^multigraph HAPActive\nb_act\.value 2$/m);
  expect(out).toMatch(/^multigraph HAPBandwidthBack\.b\ns1_bin\.value \d+$/m);
  expect(run('perl', [MUNIN, 'config'], '', env).out).toContain('b_act.label');
});
