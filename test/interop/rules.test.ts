/**
 * Rules on a real HAProxy and here: the same configuration, the same requests, the same responses, and (as the server
 * answers with the request it got) the same requests to the server.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Rig, startRig } from '../proxy/rig.ts';
import { haproxyVersion } from './haproxy-farms.ts';
import { PROCESSING } from './processing-scenarios.ts';
import { SCENARIOS as RULES, type Scenario } from './rule-scenarios.ts';

const ASKED = process.env.SLUICE_INTEROP === '1';
const version = ASKED ? haproxyVersion() : null;
if (!ASKED) console.log('rules.test: skipped, it asks a real haproxy: set SLUICE_INTEROP=1');
else if (version === null) console.log('rules.test: skipped, there is no haproxy to ask');

const SCENARIOS = [...RULES, ...PROCESSING];

let folder = '';
let server: Server;
let haproxy: ChildProcess | null = null;

const socketOf = (i: number): string => join(folder, `${i}`);

/** A scenario's sections. `bind` is the address of its frontend. */
function sections({ front = [], back = [] }: Scenario, i: number, bind: string, port: number): string {
  return `
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 2s
  option http-server-close
frontend f${i}
  bind ${bind}
  ${front.join('\n  ')}
  default_backend b${i}
backend b${i}
  ${back.join('\n  ')}
  balance first
  server first 127.0.0.1:${port}
  server second 127.0.0.1:${port}
  http-response add-header x-by "%s"
`;
}

function others(i: number, port: number): string {
  return `backend other${i}\n  http-response add-header x-by other\n  server s 127.0.0.1:${port}\n`;
}

function textFor(scenario: Scenario, i: number, bind: string, port: number): string {
  const text = (scenario.more ?? '') + sections(scenario, i, bind, port) + others(i, port);
  return text.replaceAll('use_backend other', `use_backend other${i}`);
}

/** Sends a request and reads until the peer closes, or falls silent. */
function exchange(target: string | number, request: string): Promise<string> {
  return new Promise(resolve => {
    let got = '';
    const conn = typeof target === 'string' ? createConnection(target) : createConnection(target, '127.0.0.1');
    const quiet = setTimeout(() => conn.destroy(), 300);
    conn.on('connect', () => conn.write(request, 'latin1'));
    conn.on('data', data => {
      got += data.toString('latin1');
      quiet.refresh();
    });
    conn.on('error', () => {});
    conn.on('close', () => {
      clearTimeout(quiet);
      resolve(got);
    });
  });
}

/** Answers with the request, whole, as the body of the response. */
async function startEcho(): Promise<Server> {
  const echo = createServer(conn => {
    conn.on('data', data => {
      const head = 'HTTP/1.1 200 OK\r\nx-server: echo\r\nx-echo: hello\r\nx-order: server\r\n';
      conn.write(`${head}content-length: ${data.length}\r\n\r\n`);
      conn.write(data);
    });
    conn.on('error', () => {});
  });
  await new Promise<void>(done => echo.listen(0, '127.0.0.1', () => done()));
  return echo;
}

const portOf = (echo: Server): number => (echo.address() as { port: number }).port;

describe.skipIf(version === null)('rules, compared with HAProxy', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-rules-'));
    server = await startEcho();
    const port = portOf(server);
    const file = join(folder, 'haproxy.cfg');
    const texts = SCENARIOS.map((scenario, i) => textFor(scenario, i, `unix@${socketOf(i)}`, port));
    writeFileSync(file, `global\n nbthread 1\n${texts.join('')}`);
    const checked = spawnSync('haproxy', ['-c', '-f', file], { encoding: 'utf8' });
    expect(checked.stderr.split('\n').filter(line => line.includes('ALERT'))).toEqual([]);
    haproxy = spawn('haproxy', ['-f', file, '-db', '-q'], { stdio: ['ignore', 'inherit', 'inherit'] });
    for (let wait = 0; !existsSync(socketOf(SCENARIOS.length - 1)) && wait < 100; wait++) {
      await new Promise(done => setTimeout(done, 50));
    }
  });

  afterAll(() => {
    haproxy?.kill('SIGKILL');
    server.close();
    rmSync(folder, { recursive: true });
  });

  test.each(SCENARIOS.map((scenario, i) => ({ name: scenario.name, scenario, i })))(
    '$name',
    async ({ scenario, i }) => {
      const rig: Rig = await startRig(textFor(scenario, i, '127.0.0.1:1', portOf(server)));
      try {
        const both = await Promise.all(
          scenario.requests.map(async request => {
            const theirs = exchange(socketOf(i), request);
            const ours = exchange(rig.port(`f${i}`), request);
            return { request, theirs: await theirs, ours: await ours };
          }),
        );
        for (const { request, theirs, ours } of both) expect.soft(ours, request).toBe(theirs);
      } finally {
        await rig.stop();
      }
    },
  );
});
