/** `mptcp@`: sockets of multipath TCP (RFC 8684), where the kernel has it. */
import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseIp } from '../../engine/io/address.ts';
import { flagsOf, openListener } from '../../engine/io/bind.ts';
import { createIo, probeIo } from '../../engine/io/choose.ts';
import {
  AF_INET,
  closeFd,
  getOption,
  IPPROTO_MPTCP,
  SO_PROTOCOL,
  SOCK_STREAM,
  socket,
} from '../../engine/io/native.ts';
import { startRig } from '../proxy/rig.ts';
import { PLAIN_SPEC } from './plain-spec.ts';

const IOS = probeIo('auto').name === 'uring' ? ['net', 'uring'] : ['net'];
const LOOPBACK = parseIp('127.0.0.1', 0)!;
const IPPROTO_TCP = 6;

const probe = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
if (probe >= 0) closeFd(probe);
else console.log('MPTCP is not tested: this kernel has none (net.mptcp.enabled)');

/** A server that speaks MPTCP with those who do, and answers with the protocol of the connection. */
async function mirror(): Promise<number> {
  const made = openListener({ ...PLAIN_SPEC, address: LOOPBACK, mptcp: true });
  if ('errno' in made) throw new Error(made.message);
  const server = net.createServer(conn => {
    const { fd } = (conn as unknown as { _handle: { fd: number } })._handle;
    const text = String(getOption(fd, SO_PROTOCOL));
    conn.on('error', () => {});
    conn.on('data', () => conn.end(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`));
  });
  server.listen({ fd: made.fd });
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return made.address.port;
}

describe.runIf(probe >= 0)('multipath TCP', () => {
  test('a socket listens, and is known for what it is', () => {
    for (const mptcp of [false, true]) {
      const made = openListener({ ...PLAIN_SPEC, address: LOOPBACK, mptcp });
      if ('errno' in made) throw new Error(made.message);
      expect(flagsOf(made.fd, LOOPBACK).mptcp).toBe(mptcp);
      closeFd(made.fd);
    }
  });

  test.each(IOS)('servers are called as their lines say (%s)', async io => {
    const port = await mirror();
    const rig = await startRig(
      `
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 300
listen several
  bind mptcp4@127.0.0.1:1
  server s mptcp@127.0.0.1:${port}
listen single
  bind 127.0.0.1:1
  server s 127.0.0.1:${port}
`,
      { io: () => createIo(io) },
    );
    onTestFinished(() => rig.stop());
    const ask = async (proxy: string) => Number(await (await fetch(`http://127.0.0.1:${rig.port(proxy)}/`)).text());
    expect(await ask('several')).toBe(IPPROTO_MPTCP);
    expect(await ask('single')).toBe(IPPROTO_TCP);
  });
});
