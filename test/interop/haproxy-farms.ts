/** Asks a real HAProxy which server it chooses: one `listen` section per farm, servers on loopback that answer their number. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Balance, HashType } from '../../engine/config/proxy-model.ts';
import { proxyOf, type Request } from '../balance/farm.ts';
import type { VectorSpec } from '../balance/vector-specs.ts';

/** The first line of `haproxy -v`, or null when there is none to ask. */
export function haproxyVersion(): string | null {
  const run = spawnSync('haproxy', ['-v'], { encoding: 'utf8' });
  return run.status === 0 ? run.stdout.split('\n')[0]! : null;
}

/** For each farm the servers of its requests in turn, one character each: 1..9, or ! when HAProxy refused the request. */
export async function askHaproxy(specs: readonly VectorSpec[]): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-balance-'));
  const most = Math.max(...specs.map(spec => spec.servers.length));
  const servers = await Promise.all(Array.from({ length: most }, (_, i) => startServer(`${i + 1}`)));
  let haproxy: ChildProcess | null = null;
  try {
    const ports = servers.map(server => (server.address() as AddressInfo).port);
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, `${HEAD}${specs.map((spec, i) => section(spec, join(folder, `${i}`), ports)).join('')}`);
    haproxy = spawn('haproxy', ['-f', file, '-db', '-q'], { stdio: ['ignore', 'inherit', 'inherit'] });
    await listening(join(folder, `${specs.length - 1}`));
    const chosen = await Promise.all(specs.map((spec, i) => askAll(spec, join(folder, `${i}`))));
    return Object.fromEntries(specs.map((spec, i) => [spec.name, chosen[i]!]));
  } finally {
    haproxy?.kill('SIGKILL');
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true });
  }
}

const HEAD = `global
  maxconn 500
  nbthread 1
defaults
  timeout client 5s
  timeout server 5s
  timeout connect 5s
  option http-server-close
  http-reuse never
`;

function section(spec: VectorSpec, socket: string, ports: readonly number[]): string {
  const tcp = spec.balance.algorithm === 'rdp-cookie';
  const proxy = proxyOf(spec);
  const lines = [
    `listen ${spec.name.replace(/[^a-z0-9]+/gi, '-')}`,
    `mode ${tcp ? 'tcp' : 'http'}`,
    `bind unix@${socket} ${usesProxyProtocol(spec) ? 'accept-proxy' : ''}`,
    `balance ${balanceLine(proxy.balance)}`,
    `hash-type ${hashLine(proxy.hash)}`,
    spec.allbackups ? 'option allbackups' : '',
    tcp ? 'tcp-request inspect-delay 2s' : '',
    tcp ? 'tcp-request content accept if { req.rdp_cookie_cnt gt 0 }' : '',
    ...proxy.servers.map((server, i) => {
      const flags = `${server.backup ? 'backup' : ''} ${spec.servers[i]!.disabled ? 'disabled' : ''}`;
      return `server ${server.name} 127.0.0.1:${ports[i]} id ${server.id} weight ${server.weight} ${flags}`;
    }),
  ];
  return `${lines.join('\n  ')}\n`;
}

function balanceLine(balance: Balance): string {
  const { algorithm, name } = balance;
  if (algorithm === 'url_param') return `url_param ${name} ${balance.checkPostBytes > 0 ? 'check_post' : ''}`;
  if (algorithm === 'hdr') return `hdr(${name}) ${balance.domainOnly ? 'use_domain_only' : ''}`;
  if (algorithm === 'rdp-cookie') return name === '' ? algorithm : `${algorithm}(${name})`;
  const words = [
    balance.whole ? 'whole' : '',
    balance.pathOnly ? 'path-only' : '',
    balance.lenBytes > 0 ? `len ${balance.lenBytes}` : '',
    balance.depth > 0 ? `depth ${balance.depth}` : '',
  ];
  return `${algorithm} ${words.join(' ')}`;
}

function hashLine(hash: HashType): string {
  return `${hash.method} ${hash.fn} ${hash.avalanche ? 'avalanche' : ''}`;
}

function usesProxyProtocol(spec: VectorSpec): boolean {
  return spec.requests.some(request => request.source !== undefined);
}

async function askAll(spec: VectorSpec, socket: string): Promise<string> {
  let chosen = '';
  for (const request of spec.requests) chosen += await ask(socket, bytesOf(request));
  return chosen;
}

function bytesOf(request: Request): Buffer {
  if (request.payload !== undefined) return Buffer.from(request.payload, 'latin1');
  const { source, method = 'GET', uri = '/', headers = [], body = '' } = request;
  const prologue =
    source === undefined
      ? ''
      : `PROXY TCP${source.includes('.') ? `4 ${source} 127.0.0.1` : `6 ${source} ::1`} 1 1\r\n`;
  const length = method === 'GET' || method === 'OPTIONS' ? '' : `Content-Length: ${body.length}\r\n`;
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  // X-Last: HAProxy 2.6 looks one byte past a header's value with use_domain_only; there must be no leftover of an older request.
  return Buffer.from(
    `${prologue}${method} ${uri} HTTP/1.1\r\nHost: h.example\r\n${lines}X-Last: -\r\n${length}Connection: close\r\n\r\n${body}`,
    'latin1',
  );
}

/** Sends `bytes` and gives the number of the server that answered. */
function ask(path: string, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path }, () => socket.write(bytes));
    let answer = '';
    socket.on('data', chunk => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(/server=(\d)/.exec(answer)?.[1] ?? '!'));
  });
}

/** Answers HTTP requests and anything else with its number, then closes. */
function startServer(number: string): Promise<Server> {
  return new Promise(resolve => {
    const server = createServer((socket: Socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', chunk => {
        const body = `server=${number}`;
        const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
        socket.end(chunk[0] === 3 ? body : head + body);
      });
    });
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

async function listening(path: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const open = await new Promise<boolean>(resolve => {
      const socket = connect({ path }, () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`haproxy does not listen on ${path}`);
}
