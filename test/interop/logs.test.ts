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

/** Ends of requests and responses before their time, by path. */
const ENDS = [
  'http-request set-var(txn.p) path',
  'http-request deny if { path /deny }',
  'http-request deny deny_status 429 if { path /deny429 }',
  'http-request tarpit if { path /tarpit }',
  'http-request reject if { path /reject }',
  'http-request redirect location /x code 303 if { path /redirect }',
  'http-request return status 201 content-type a/b string hi if { path /return }',
  'http-request auth realm x if { path /auth }',
  'http-request set-log-level err if { path /level }',
  'http-request set-log-level silent if { path /silent }',
  'http-response deny if { var(txn.p) -m str /res-deny }',
  'http-response return status 202 if { var(txn.p) -m str /res-return }',
  'http-response redirect location /x if { var(txn.p) -m str /res-redirect }',
  'monitor-uri /monitor',
  'http-request set-header x-no-log 1 if { path / }',
].join('\n ');
const CAPTURES =
  'capture request header host len 3\n capture request header x-n len 9\n capture response header content-length len 9\n capture cookie SRV= len 9';

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
  ['ends', `option httplog\n ${ENDS}`],
  ['endsvars', `${lineOf('')}\n ${ENDS}`],
  ['endsclf', `option httplog clf\n ${ENDS}`],
  ['captures', `option httplog\n ${CAPTURES}`],
  ['capturesclf', `option httplog clf\n ${CAPTURES}`],
  ['capturesq', `${lineOf('{+Q,+E}', 'hr hrl hs hsl CC CS ST')}\n ${CAPTURES}`],
  ['separate', 'option httplog\n option log-separate-errors'],
  ['notnormal', 'option httplog\n option dontlog-normal'],
  ['redispatch', 'option httplog', 'balance first\n option redispatch\n server d $DEAD'],
  ['redispatchvars', lineOf('', 'rc s si ST tsc sc'), 'balance first\n option redispatch\n server d $DEAD'],
  ['redir', lineOf('', 's si sp ts ST'), '', '$SERVER redir http://other'],
  ['target', lineOf('', 'HM HP HPO HQ HU HV r B')],
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
  ...[...ENDS.matchAll(/(?<=\/)[-a-z0-9]+(?= )/g)].map(([path]) => ['ends', head(`/${path}`)] as const),
  ...['tarpit', 'deny', 'return', 'redirect', 'auth', 'monitor', 'res-deny', 'res-return', 'reject'].flatMap(path => [
    ['endsvars', head(`/${path}`)] as const,
    ['endsclf', head(`/${path}`)] as const,
  ]),
  ...['http', 'plain', 'separate', 'notnormal', 'captures'].flatMap(name =>
    ['/', '/cut', '/hang', '/junk', '/chunks', '/reset', '/never'].map(path => [name, head(path)] as const),
  ),
  ...['captures', 'capturesclf', 'capturesq'].flatMap(name => [
    [name, head('/', 'x-n: a{b|c}#\r\nx-n: second ]"\r\ncookie: a=b; SRV=1234567890\r\n')] as const,
    [name, head('/close')] as const,
    [name, 'GARBAGE\r\n\r\n'] as const,
  ]),
  ['target', 'OPTIONS * HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n'],
  ['target', head('http://h:81/p/q?r?s').replace('host: h', 'host: h:81')],
  ['target', head('/?')],
  ['proxy', `PROXY TCP4 1.2.3.4 5.6.7.8 99 80\r\n${head('/')}`],
];

/** Who has said nothing after so many waits of 60 ms says nothing. */
const SILENCE = 10;

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
  timeout tarpit 150ms
  retries 1
`;
  for (const [name, front, back = '', at = '$SERVER'] of FRONTENDS) {
    const port = await freePort();
    ports.set(name, port);
    const where = at.replace('$SERVER', `127.0.0.1:${server}`).replace('$DEAD', `127.0.0.1:${dead}`);
    const mode = front.startsWith('mode tcp') ? 'mode tcp' : 'mode http';
    const accept = name === 'proxy' ? ' accept-proxy' : '';
    text += `frontend ${name}\n bind 127.0.0.1:${port}${accept}\n ${front}\n default_backend b-${name}\n`;
    text += `backend b-${name}\n ${mode}\n ${back.replace('$DEAD', `127.0.0.1:${dead}`)}\n server s ${where}\n`;
  }
  run(config(text));
  // All listen at once, and whoever tries a port makes lines.
  await reachable(ports.get('http')!);
  const drain = async (): Promise<string[]> => {
    for (let [seen, waits] = [-1, 0]; seen !== lines.length || (seen === 0 && waits < SILENCE); waits++) {
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

/** Responses that are not whole, or none. */
const PARTS: Readonly<Record<string, string>> = {
  '/cut': 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc',
  '/hang': 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc',
  '/junk': 'JUNK\r\n\r\n',
  '/chunks': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n',
};

async function answering(): Promise<number> {
  const server = net.createServer(socket => {
    socket.on('error', () => {});
    socket.on('data', data => {
      const uri = data.toString().split(' ')[1]!;
      if (uri === '/close') socket.destroy();
      else if (uri === '/reset') socket.resetAndDestroy();
      else if (Object.hasOwn(PARTS, uri))
        socket.write(PARTS[uri]!, () => uri === '/hang' || setTimeout(() => socket.destroy(), 50));
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
      .replace(/" (-1|\d{3}) \d+ "" "" \d+ \d{3} (.*?)( [-\d]+){5} /, '" $1 BYTES "" "" PORT MS $2 TIMES ')
      .replace(/\b(ms|U|TR|Th|H|B)=\d+/g, '$1=N')
      // The manual says -1 where nothing was received; HAProxy 2.6 writes the time.
      .replace(/\bTi=-?\d+/, 'Ti=N')
  );
}

describe.skipIf(!ASKED || version === null)(`beside ${version}`, () => {
  test('the same lines', { timeout: 240_000 }, async () => {
    const server = await answering();
    const dead = await freePort();
    const theirs = await side(haproxy, server, dead);
    const ours = await side(file => void start(['-db', '-f', file]), server, dead);
    for (const [frontend, data, leave = false] of TRAFFIC) {
      await Promise.all([theirs, ours].map(({ ports }) => send(ports.get(frontend)!, data, leave)));
      const [expected, got] = await Promise.all([theirs.drain(), ours.drain()]);
      for (let more = 0; more < 3 && got.length < expected.length; more++) got.push(...(await ours.drain()));
      expect(got.map(comparable), `${frontend}: ${data}`).toEqual(expected.map(comparable));
    }
  });

  test('halog says the same of both', { timeout: 60_000 }, async () => {
    const server = await answering();
    const dead = await freePort();
    const sides = [
      await side(haproxy, server, dead),
      await side(file => void start(['-db', '-f', file]), server, dead),
    ] as const;
    const traffic: readonly (readonly [string, string])[] = [
      ...['/', '/', '/', '/close', '/close', '/a?b', '/a?c', '/never', '/cut'].map(uri => ['http', head(uri)] as const),
      ['http', 'GARBAGE\r\n\r\n'],
      ...['/deny', '/redirect', '/return', '/tarpit'].map(uri => ['ends', head(uri)] as const),
      ['insert', head('/')],
      ['insert', head('/', 'cookie: SRV=x\r\n')],
      ['insert', head('/', 'cookie: SRV=other\r\n')],
      ['captures', head('/', 'x-n: one\r\n')],
      ['dead', head('/')],
      ['none', head('/')],
      ['tcp', head('/')],
    ];
    for (const [frontend, data] of traffic) {
      await Promise.all(sides.map(({ ports }) => send(ports.get(frontend)!, data, false)));
    }
    // halog reads what a syslog daemon writes: without the priority, with a host name.
    const [theirs, ours] = await Promise.all(
      sides.map(async ({ drain }) =>
        (await drain()).map(line => line.replace(/^<\d+>(.{15})/, '$1 localhost')).join(''),
      ),
    );
    const halog = (args: string, input: string) =>
      spawnSync('halog', args.split(' '), { input, encoding: 'utf8' }).stdout.trim().split('\n').sort();
    for (const args of HALOG) expect(halog(args, ours!), args).toEqual(halog(args, theirs!));
    for (const args of HALOG_OF_TIMES) {
      const [got, expected] = [ours, theirs].map(text => halog(args, text!).map(withoutTimes).sort());
      expect(got, args).toEqual(expected);
    }
    expect(halog('-tc', ours!)).toContain('PT 1');
  });
});

/** What it counts, all lines or some: by error, time, status, cause, queue or captured header. */
const HALOG: readonly string[] = [
  ...[
    '-c',
    '-st',
    '-tc',
    '-cc',
    '-e -c',
    '-E -c',
    '-H -c',
    '-Q -c',
    '-QS -c',
    '-hs 400:499 -c',
    '-HS 200 -c',
    '-hs 500: -st',
  ],
  ...['-tcn SH -c', '-TCN -- -tc', '-rt 140 -c', '-hdr 1:1', '-hdr 1:2', '-hdr 2:1', '-q -st', '-E -cc', '-H -tc'],
];
/** Tables with times and sizes, which differ: by server, URL and client. */
const HALOG_OF_TIMES: readonly string[] = ['-srv', '-u', '-uc', '-ue', '-query -u', '-ic', '-e -u', '-E -srv'];

function withoutTimes(row: string): string {
  const cells = row.split(' ');
  return cells[0]!.includes('/') ? cells.slice(0, -2).join(' ') : [cells[0], cells[1], cells.at(-1)].join(' ');
}
