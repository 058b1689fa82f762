/** One `listen` section named `web` in a rig; what a test starts goes when it ends. */
import { onTestFinished } from 'vitest';
import { type Rig, startRig } from './rig.ts';
import { WireServer } from './wire.ts';

type Answer = Parameters<typeof WireServer.start>[0];

/** A server until the test ends. */
export async function origin(answer?: Answer): Promise<WireServer> {
  const server = await WireServer.start(answer);
  onTestFinished(() => server.stop());
  return server;
}

/** Time-outs of two seconds unless `lines` say otherwise; `bind` = words after the address. */
export async function listen(lines: readonly string[], bind = ''): Promise<Rig> {
  const rig = await startRig(`
defaults
  mode http
  balance roundrobin
  retries 0
  timeout client 2s
  timeout server 2s
  timeout connect 1s
listen web
  bind 127.0.0.1:1 ${bind}
${lines.map(line => `  ${line}\n`).join('')}`);
  onTestFinished(() => rig.stop());
  return rig;
}

/** Where nobody listens. */
export const DEAD = '127.0.0.1:1';

export const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
export const CLOSE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
