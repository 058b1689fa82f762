/** Log lines of TLS connections, good ones and failed handshakes: the same clients at Debian's HAProxy and here. */
import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { pemFile } from '../tls/certificates.ts';
import { config, freePort, start } from '../workers/sluice.ts';
import { haproxyVersion } from './haproxy-farms.ts';

const version = haproxyVersion();
if (version === null) console.log('tls-logs.test: skipped, no haproxy in PATH to compare with');

const OWN_LINES = `log-format "%ft %sslv %sslc %ST %[ssl_fc_sni] %[ssl_c_s_dn]"
  error-log-format "ERR %ft %sslv %sslc %[fc_err] %[fc_err_str] %[ssl_fc_err,hex] %[ssl_fc_err_str] %[ssl_c_err] %[ssl_c_ca_err] %[ssl_fc_is_resumed] %[ssl_c_used] %[ssl_fc_has_crt] %[ssl_c_s_dn] %[ssl_c_i_dn(CN)] %[ssl_c_serial,hex]"`;
/** Name, whether a certificate is needed, what is logged. */
const FRONTENDS = [
  ['https', 'optional', 'option httpslog'],
  ['needed', 'required', 'option httpslog'],
  ['usual', 'required', 'option httplog'],
  ['own', 'required', OWN_LINES],
  ['strict', 'required strict-sni', OWN_LINES],
] as const;

interface Side {
  readonly ports: readonly number[];
  readonly lines: string[];
}

async function side(site: string, ca: string, run: (file: string) => void): Promise<Side> {
  const log = dgram.createSocket('udp4');
  onTestFinished(() => void log.close());
  const lines: string[] = [];
  log.on('message', message => lines.push(message.toString('latin1').trim()));
  log.bind(0, '127.0.0.1');
  await once(log, 'listening');
  const ports = await Promise.all(FRONTENDS.map(() => freePort()));
  const frontends = FRONTENDS.map(
    ([name, verify, style], i) => `frontend ${name}
  bind 127.0.0.1:${ports[i]} ssl crt ${site} ca-file ${ca} verify ${verify}
  ${style}
  http-request return status 200
`,
  );
  run(
    config(`global
  log 127.0.0.1:${log.address().port} format raw local0
  maxconn 100
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
  ssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256
defaults
  log global
  mode http
  timeout client 400ms
  timeout server 5s
  timeout connect 5s
${frontends.join('')}`),
  );
  for (const port of ports) await listening(port);
  return { ports, lines };
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = net.connect(port, '127.0.0.1');
    const open = await new Promise<boolean>(done =>
      socket.once('connect', () => done(true)).once('error', () => done(false)),
    );
    socket.destroy();
    if (open) return;
    await new Promise(done => setTimeout(done, 20));
  }
}

/** Until the other side closes. */
function closed(socket: net.Socket): Promise<void> {
  return new Promise(done =>
    socket
      .on('error', () => {})
      .on('data', () => {})
      .once('close', () => done()),
  );
}

function secure(port: number, options: tls.ConnectionOptions): Promise<void> {
  const to = { port, host: '127.0.0.1', rejectUnauthorized: false, servername: 'a.org' };
  const socket = tls.connect({ ...to, ...options });
  socket.once('secureConnect', () => socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'));
  return closed(socket);
}

function plain(port: number, bytes: string, leave: boolean): Promise<void> {
  const socket = net.connect(port, '127.0.0.1', () =>
    leave ? socket.end(bytes, 'latin1') : socket.write(bytes, 'latin1'),
  );
  return closed(socket);
}

/** What differs by nature: ports, dates, times, and how many bytes an answer has. */
function stable(line: string): string {
  return line
    .replace(/127\.0\.0\.1:\d+/, 'client')
    .replace(/\[[^\]]*\]/, '[date]')
    .replace(/ (\d+)\/(-?\d+\/){3}\d+ /, ' times ')
    .replace(/ 200 \d+ /, ' 200 bytes ')
    .replace(/ \d+\/\d+\/\d+\/\d+\/\d+ /, ' counts ');
}

test.skipIf(version === null)('log lines agree', { timeout: 60_000 }, async () => {
  const ca = pemFile({ name: 'TestCA', ca: true });
  const site = pemFile({ name: 'a.org', names: ['a.org'], issuer: ca });
  const [good, bad] = [{ name: 'good', issuer: ca }, { name: 'bad' }].map(wanted => readFileSync(pemFile(wanted)));
  const clients: Readonly<Record<string, (port: number) => Promise<void>>> = {
    'no certificate': port => secure(port, {}),
    'another name': port => secure(port, { servername: 'b.org' }),
    'a certificate': port => secure(port, { cert: good, key: good }),
    'TLS 1.2': port => secure(port, { cert: good, key: good, maxVersion: 'TLSv1.2' }),
    'a certificate of a stranger': port => secure(port, { cert: bad, key: bad }),
    'no TLS': port => plain(port, 'GET / HTTP/1.1\r\n\r\n', false),
    'not a word': port => plain(port, '', true),
    'the beginning of a hello': port => plain(port, '\x16\x03\x01', true),
    silence: port => plain(port, '', false),
  };
  const spawned = (file: string) => {
    const child = spawn('haproxy', ['-f', file, '-db', '-q'], { stdio: 'ignore', cwd: path.dirname(file) });
    onTestFinished(() => void child.kill('SIGKILL'));
  };
  const sides = [await side(site, ca, file => void start(['-f', file])), await side(site, ca, spawned)];
  // Who looked whether they listen is in the logs, too.
  for (const { lines } of sides) {
    while (lines.filter(line => line.includes('Connection closed')).length < FRONTENDS.length) {
      await new Promise(done => setTimeout(done, 10));
    }
  }
  for (const [i, [frontend]] of FRONTENDS.entries()) {
    for (const [client, run] of Object.entries(clients)) {
      const told = await Promise.all(
        sides.map(async ({ ports, lines }) => {
          lines.length = 0;
          await run(ports[i]!);
          while (lines.length === 0) await new Promise(done => setTimeout(done, 10));
          return `${frontend}, ${client}: ${lines.map(stable).join('\n')}`;
        }),
      );
      expect(told[0]).toBe(told[1]);
    }
  }
});
