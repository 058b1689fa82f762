/**
 * `npm start`: three small HTTP servers, one of them slow, and Sluice before them, with what to open and what to try.
 * Ends on Ctrl-C and leaves nothing behind.
 *
 * SLUICE_DEMO_PORT and SLUICE_DEMO_STATS_PORT choose other ports than 8080 and 8404.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const PORT = Number(process.env.SLUICE_DEMO_PORT ?? 8080);
const STATS_PORT = Number(process.env.SLUICE_DEMO_STATS_PORT ?? 8404);
const LAUNCHER = path.join(import.meta.dirname, 'sluice');
const SITE = `http://127.0.0.1:${PORT}`;
const STATS = `http://127.0.0.1:${STATS_PORT}`;

/** How long a server stays ill when the request does not say. */
const ILL_SECONDS = 15;
/** How often, and how long at most, Sluice is asked whether it serves. */
const ASK_EVERY_MS = 20;
const START_MAX_MS = 10_000;
/** Width of what to type, in the help. */
const COLUMN = 46;

interface DemoServer {
  readonly name: string;
  readonly delayMs: number;
  /** Wall clock, ms: it answers 503 to everything until then. */
  illUntil: number;
}

const SERVERS: readonly DemoServer[] = [
  { name: 'blue', delayMs: 0, illUntil: 0 },
  { name: 'green', delayMs: 0, illUntil: 0 },
  { name: 'snail', delayMs: 300, illUntil: 0 },
];

function configuration(ports: readonly number[], socket: string): string {
  const servers = SERVERS.map(({ name }, i) => `  server ${name} 127.0.0.1:${ports[i]} check`);
  return `global
  stats socket ${socket} level admin

defaults
  mode http
  timeout connect 2s
  timeout client 10s
  timeout server 10s

frontend www
  bind 127.0.0.1:${PORT}
  default_backend colours

backend colours
  balance roundrobin
  option httpchk GET /health
  default-server inter 500ms fall 2 rise 2
${servers.join('\n')}

listen stats
  bind 127.0.0.1:${STATS_PORT}
  stats enable
  stats uri /
  stats refresh 2s
  stats show-legends
`;
}

function help(config: string, socket: string): string {
  const rows = (list: readonly (readonly [string, string])[]) =>
    list.map(([what, doc]) => `  ${what.padEnd(COLUMN)}  ${doc}\n`).join('');
  return `
Sluice serves. Open

${rows([
  [`${SITE}/`, 'three servers in turn: blue, green, and snail, which is slow'],
  [`${STATS}/`, 'the statistics page'],
])}
and try

${rows([
  [`curl ${SITE}/`, 'a few times'],
  [`curl ${SITE}/fail/blue`, `blue fails its checks for ${ILL_SECONDS} s: watch it go DOWN, and UP again`],
  [`npx autocannon -d 5 ${SITE}/`, 'five seconds of load'],
  [`curl '${STATS}/;csv'`, 'the statistics as CSV'],
])}  echo 'show stat' | socat - ${socket}

The configuration: ${config}
Ctrl-C ends all of it.
`;
}

/** What a server answers: its name, 503 while it is ill; `/fail/<server>[/<seconds>]` makes one ill, whoever is asked. */
function answer(me: DemoServer, request: http.IncomingMessage, response: http.ServerResponse): void {
  const [, verb, name, seconds = ILL_SECONDS] = request.url!.split('/');
  const victim = verb === 'fail' ? SERVERS.find(server => server.name === name) : undefined;
  response.setHeader('content-type', 'text/plain');
  if (victim !== undefined && Number(seconds) > 0) {
    victim.illUntil = Date.now() + Number(seconds) * 1000;
    response.end(`${victim.name} fails for ${seconds} s\n`);
  } else if (Date.now() < me.illUntil) {
    response.writeHead(503).end(`${me.name} is ill\n`);
  } else if (verb === 'fail') {
    response.writeHead(404).end(`try /fail/${SERVERS.map(server => server.name).join(' or /fail/')}\n`);
  } else setTimeout(() => response.end(`hello from ${me.name}\n`), verb === 'health' ? 0 : me.delayMs);
}

/** Starts one on a port that the kernel chooses. */
async function startServer(me: DemoServer): Promise<http.Server> {
  const server = http.createServer((request, response) => answer(me, request, response));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Resolves to true once Sluice answers on its stats socket, to false when it ended or never did. */
async function serving(sluice: ChildProcess, socket: string): Promise<boolean> {
  for (const deadline = Date.now() + START_MAX_MS; Date.now() < deadline; ) {
    if (sluice.exitCode !== null || sluice.signalCode !== null) return false;
    if (await answers(socket)) return true;
    await new Promise(resolve => setTimeout(resolve, ASK_EVERY_MS));
  }
  return false;
}

function answers(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const client = net.connect(socket, () => client.end('show info\n'));
    client.once('data', () => resolve(true));
    client.once('error', () => resolve(false));
    client.once('close', () => resolve(false));
  });
}

/** Sluice shares a port with another Sluice, as HAProxy does: whether one is free, it does not tell. */
function taken(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = net.createServer();
    probe.once('error', () => resolve(true));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(false)));
  });
}

/** Until it is told to stop, or Sluice ends by itself. Resolves to the exit code. */
async function demo(folder: string): Promise<number> {
  let told = false;
  const stop = new Promise<void>(resolve => {
    const tell = () => {
      told = true;
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, tell);
  });
  const config = path.join(folder, 'demo.cfg');
  const socket = path.join(folder, 'stats.sock');
  const servers = await Promise.all(SERVERS.map(startServer));
  const ports = servers.map(server => (server.address() as net.AddressInfo).port);
  fs.writeFileSync(config, configuration(ports, socket));
  const sluice = spawn(LAUNCHER, ['-f', config], { stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = new Promise<void>(resolve => sluice.once('close', () => resolve()));
  sluice.once('error', () => {}); // 'close' follows

  const ready = serving(sluice, socket);
  if ((await Promise.race([ready, stop])) === true) process.stdout.write(help(config, socket));
  if (await ready) await Promise.race([stop, ended]);
  sluice.kill('SIGTERM');
  await ended;
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  return told ? 0 : 1;
}

async function main(): Promise<number> {
  for (const [port, name] of [
    [PORT, 'SLUICE_DEMO_PORT'],
    [STATS_PORT, 'SLUICE_DEMO_STATS_PORT'],
  ] as const) {
    if (!(await taken(port))) continue;
    process.stderr.write(`Port ${port} is taken. To use another one: ${name}=${port + 1} npm start\n`);
    return 1;
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-demo-'));
  try {
    return await demo(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
