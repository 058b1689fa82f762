/**
 * The same configuration and the same traffic on HAProxy and on Sluice: the log lines must agree field by field. Ports,
 * dates and times differ by nature; bytes in HTTP mode too, because HAProxy counts its own form of the messages.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { config, freePort, start } from '../workers/sluice.ts';
import { haproxyVersion } from './haproxy-farms.ts';

const ASKED = process.env.SLUICE_INTEROP === '1';
const version = haproxyVersion();
if (!ASKED) console.log('logs.test: skipped, it runs a real haproxy for half a minute: set SLUICE_INTEROP=1');
else if (version === null) console.log('logs.test: skipped, no haproxy in PATH to compare with');

const VARIABLES =
  'ms ST U ac b bc bi bq ci f fc fi ft hr hrl hs hsl rc s sc si sq sslc sslv ts Th T Tl t tr trg trl Ti TR CC CS H HM HP HPO HQ HU HV r tsc ID';
const lineOf = (flags: string, names = VARIABLES): string =>
  `log-format "${names
    .split(' ')
    .map(name => `${name}=%${flags}${name}`)
    .join('|')}"`;

/** What rules keep for the expressions of log lines. */
const RULES = [
  'declare capture request len 40',
  'http-request set-var(txn.p) path',
  'http-request set-header x-f "<%[path,url_dec]>"',
  'http-request capture req.hdr(x-f) id 0',
  'http-request set-var-fmt(txn.f) "%[path,url_dec] %HM %ci"',
  'http-request deny deny_status 429 if { path /deny }',
  'http-request allow',
].join('\n ');
const EXPRESSIONS =
  'log-format "%[src] %[capture.req.method] %[capture.req.uri] %[var(txn.p)] %[var(txn.f)] %[var(txn.none)]| %[capture.req.hdr(0)] %[capture.res.ver] %[str(a]b)] %[bool(1)] B=%B %ST"';

/** Name, lines of the frontend, lines of its backend beside its server, and which server. */
const FRONTENDS: readonly (readonly [string, string, string?, string?])[] = [
  ['http', 'option httplog'],
  ['clf', 'option httplog clf'],
  ['plain', lineOf('')],
  ['quoted', lineOf('{+Q}')],
  ['hex', lineOf('{+X}', 'ST lc b ci fi bi si s ts HU')],
  ['escaped', lineOf('{+E}')],
  ['both', lineOf('{+Q,+E}')],
  ['spaces', 'log-format "a  b %hr  %hs  c %% %ST%HM (%ci) x"'],
  ['early', 'log-format "%ci %f"'],
  ['nothing', ''],
  ['asap', 'option httplog\n option logasap'],
  ['tcp', 'mode tcp\n option tcplog'],
  ['tcpvars', `mode tcp\n ${lineOf('', 'ST U B ac b bc ci f fc fi ft rc s sc si ts Th bq sq')}`],
  ['error', 'option httplog\n error-log-format "E %ci %ST %tsc %r %HM %{+Q}b/%s"'],
  ['dead', 'option httplog', '', '$DEAD'],
  ['tcpdead', 'mode tcp\n option tcplog', '', '$DEAD'],
  ['none', 'option httplog', '', '$SERVER disabled'],
  ['insert', 'option httplog', 'cookie SRV insert indirect nocache', '$SERVER cookie x'],
  ['rewrite', 'option httplog', 'cookie SRV rewrite', '$SERVER cookie x'],
  ['preserve', 'option httplog', 'cookie SRV insert preserve', '$SERVER cookie x'],
  ['stats', 'option httplog\n stats enable\n stats uri /s'],
  ['exprs', `${RULES}\n ${EXPRESSIONS}`],
  ['exprsq', `${RULES}\n ${EXPRESSIONS.replaceAll('%[', '%{+Q,+E}[')}`],
  [
    'exprstcp',
    'mode tcp\n log-format "%[src] %[dst_port,mul(0)] %[var(sess.a)] %{+Q}[var(sess.none)] %[be_name]/%[srv_name] B=%B"\n tcp-request connection set-var(sess.a) src',
  ],
  ['unique', 'unique-id-format "%{+X}o %ci  %[req.hdr(host)]-%[path]"\n unique-id-header x-u\n log-format "%ID %ST"'],
  ['proxy', 'option httplog'],
];

const head = (uri: string, more = ''): string => `GET ${uri} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n${more}\r\n`;

/** What is sent: to which frontend, what, and whether the client leaves at once. */
const TRAFFIC: readonly (readonly [string, string, boolean?])[] = [
  ...FRONTENDS.map(([name]) => [name, head('/a/b?x=1&y={}|]~"\\')] as const),
  ...['http', 'plain', 'error'].flatMap(name => [
    [name, 'GARBAGE\r\n\r\n'] as const,
    [name, 'GET / HTTP/1.1\r\nHo'] as const,
    [name, 'GET / HTTP/1.1\r\nHo', true] as const,
    [name, '', true] as const,
    [name, ''] as const,
    [name, head('http://h/p?q#'.replace('#', ''))] as const,
    [name, 'GET /a/b HTTP/1.0\r\n\r\n'] as const,
    [name, head('/close')] as const,
    [name, head('/never')] as const,
    [name, `${head('/1').replace('connection: close\r\n', '')}${head('/2')}`] as const,
  ]),
  ['http', head(`/${'u'.repeat(1500)}`)],
  ['insert', head('/', 'cookie: SRV=x\r\n')],
  ['insert', head('/', 'cookie: SRV=other\r\n')],
  ['insert', head('/close', 'cookie: SRV=x\r\n')],
  ['preserve', head('/', 'cookie: SRV=other\r\n')],
  ['stats', head('/s')],
  ['tcp', head('/close')],
  ...['exprs', 'exprsq', 'unique'].flatMap(name => [
    [name, head('/deny')] as const,
    [name, head('/a%0A%22b%7b%ff')] as const,
    [name, head('/close')] as const,
    [name, 'GARBAGE\r\n\r\n'] as const,
  ]),
  ['proxy', `PROXY TCP4 1.2.3.4 5.6.7.8 99 80\r\n${head('/')}`],
];

interface Side {
  readonly ports: ReadonlyMap<string, number>;
  /** All lines since the last call; waits until it has been quiet. */
  readonly drain: () => Promise<string[]>;
}

async function side(run: (file: string) => void, server: number, dead: number): Promise<Side> {
  const syslog = dgram.createSocket('udp4');
  await new Promise<void>(resolve => syslog.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void syslog.close());
  let lines: string[] = [];
  syslog.on('message', line => lines.push(line.toString('latin1')));
  const ports = new Map<string, number>();
  let text = `
global
  log 127.0.0.1:${syslog.address().port} len 4096 local0
  nbthread 1
defaults
  mode http
  log global
  timeout client 2s
  timeout server 300ms
  timeout connect 200ms
  timeout http-request 300ms
  retries 1
`;
  for (const [name, front, back = '', at = '$SERVER'] of FRONTENDS) {
    const port = await freePort();
    ports.set(name, port);
    const where = at.replace('$SERVER', `127.0.0.1:${server}`).replace('$DEAD', `127.0.0.1:${dead}`);
    const mode = front.startsWith('mode tcp') ? 'mode tcp' : 'mode http';
    const accept = name === 'proxy' ? ' accept-proxy' : '';
    text += `frontend ${name}\n bind 127.0.0.1:${port}${accept}\n ${front}\n default_backend b-${name}\n`;
    text += `backend b-${name}\n ${mode}\n ${back}\n server s ${where}\n`;
  }
  run(config(text));
  await Promise.all([...ports.values()].map(reachable));
  const drain = async (): Promise<string[]> => {
    for (let seen = -1; seen !== lines.length || seen === 0; ) {
      seen = lines.length;
      await new Promise(resolve => setTimeout(resolve, 60));
    }
    const all = lines;
    lines = [];
    return all;
  };
  // Whoever answers has also seen the connections that only tried the ports, and logs them before it is quiet.
  await send(ports.get('http')!, head('/'), false);
  await new Promise(resolve => setTimeout(resolve, 1000));
  lines = [];
  return { ports, drain };
}

async function reachable(port: number): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const up = await new Promise<boolean>(resolve => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true));
      socket.on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (up) return;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  throw new Error(`nobody listens on ${port}`);
}

function haproxy(file: string): void {
  const child: ChildProcess = spawn('haproxy', ['-db', '-q', '-f', file], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
}

async function answering(): Promise<number> {
  const server = net.createServer(socket => {
    socket.on('error', () => {});
    socket.on('data', data => {
      const uri = data.toString().split(' ')[1];
      if (uri === '/close') socket.destroy();
      else if (uri !== '/never') {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\nset-cookie: SRV=theirs\r\n\r\nhello');
        if (!data.includes('keep')) setTimeout(() => socket.end(), 30);
      }
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as net.AddressInfo).port;
}

function send(port: number, data: string, leave: boolean): Promise<void> {
  return new Promise(resolve => {
    const client = net.connect(port, '127.0.0.1');
    client.on('error', () => {});
    client.on('data', () => {});
    client.on('close', () => resolve());
    if (leave) client.end(data);
    else client.write(data);
  });
}

/** What must be equal. */
function comparable(line: string): string {
  return (
    line
      .trimEnd()
      .replace(/^(<\d+>)[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (\w+)\[\d+\]: /, '$1 $2: ')
      .replace(/(\d+\.\d+\.\d+\.\d+):\d+/g, '$1:PORT')
      .replace(/\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d(\.\d{3})?/g, 'DATE$1')
      .replace(/(DATE)\.\d{3}/g, '$1.MS')
      .replace(/ [-+\d]+(?:\/[-+\d]+){2} (?=\d+ ..( |$))/, times => times.replace(/(?<!-|\d)\d+/g, 'T'))
      .replace(/ [-+\d]+(?:\/[-+\d]+){4} (\d{3}) (\+?)\d+ /, (all, status, plus) => {
        const times = all.slice(0, all.indexOf(' ', 1)).replace(/(?<!-|\d)\d+/g, 'T');
        return `${times} ${status} ${plus}BYTES `;
      })
      .replace(/" (\d{3}) \d+ "" "" \d+ \d{3} (.*?)( [-\d]+){5} /, '" $1 BYTES "" "" PORT MS $2 TIMES ')
      .replace(/\b(ms|U|TR|Th|H|B)=\d+/g, '$1=N')
      // The manual says -1 where nothing was received; HAProxy 2.6 writes the time.
      .replace(/\bTi=-?\d+/, 'Ti=N')
  );
}

describe.skipIf(!ASKED || version === null)(`beside ${version}`, () => {
  test('the same lines', { timeout: 120_000 }, async () => {
    const server = await answering();
    const dead = await freePort();
    const theirs = await side(haproxy, server, dead);
    const ours = await side(file => void start(['-db', '-f', file]), server, dead);
    for (const [frontend, data, leave = false] of TRAFFIC) {
      await Promise.all([theirs, ours].map(({ ports }) => send(ports.get(frontend)!, data, leave)));
      const [expected, got] = await Promise.all([theirs.drain(), ours.drain()]);
      expect(got.map(comparable), `${frontend}: ${data}`).toEqual(expected.map(comparable));
    }
  });

  test('halog reads them', { timeout: 30_000 }, async () => {
    const server = await answering();
    const ours = await side(file => void start(['-db', '-f', file]), server, await freePort());
    const uris = ['/', '/', '/', '/close', '/close'];
    for (const uri of uris) await send(ours.ports.get('http')!, head(uri), false);
    await send(ours.ports.get('http')!, 'GARBAGE\r\n\r\n', false);
    // halog reads what a syslog daemon writes: without the priority, with a host name.
    const lines = (await ours.drain()).map(line => line.replace(/^<\d+>(.{15})/, '$1 localhost'));
    const halog = (...args: string[]) => spawnSync('halog', args, { input: lines.join(''), encoding: 'utf8' });
    expect(halog('-st').stdout.trim().split('\n').sort()).toEqual(['200 3', '400 1', '502 2']);
    expect(halog('-tc').stdout.trim().split('\n').sort()).toEqual(['-- 3', 'PR 1', 'SH 2']);
    const servers = halog('-srv').stdout;
    expect(servers).toMatch(/^b-http\/s 0 3 0 0 2 0 5 /m);
  });
});
