/** Rigs and servers that go when their test ends. */
import { untilEnd } from './ending.ts';
import { type Rig, type RigOptions, startRig } from './rig.ts';
import { WireServer } from './wire.ts';

type Answer = Parameters<typeof WireServer.start>[0];

/** A server until the test ends. */
export async function origin(answer?: Answer): Promise<WireServer> {
  return untilEnd(await WireServer.start(answer));
}

/** A rig until the test ends. */
export async function rigOf(config: string, options?: RigOptions): Promise<Rig> {
  return untilEnd(await startRig(config, options));
}

/** A rig of one `listen` section, `web`. Time-outs of two seconds unless `lines` say otherwise; `bind` = words after the address. */
export function listen(lines: readonly string[], bind = ''): Promise<Rig> {
  return rigOf(`
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
}

/** Where nobody listens. */
export const DEAD = '127.0.0.1:1';

export const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
export const CLOSE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
