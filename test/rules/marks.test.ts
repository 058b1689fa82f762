/** set-fc-*, set-bc-*: what packets carry, as the kernel tells of the sockets (ss of iproute2). */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { listen, origin } from '../proxy/listen.ts';
import { connect, ok } from '../proxy/wire.ts';

const SS = ['/usr/bin/ss', '/bin/ss', '/usr/sbin/ss'].find(path => existsSync(path));
/** Marks need privileges, and sockets. */
const CAN = SS !== undefined && process.env.SLUICE_TEST_IO !== 'sim' && process.getuid?.() === 0;

/** What is known of the socket between two ports. */
function socket(from: number, to: number): string {
  const about = ['-tnHOe', '--tos', `sport = :${from} and dport = :${to}`];
  return execFileSync(SS!, about, { encoding: 'utf8' });
}

test.runIf(CAN)('packets to the client and to the server carry what the rules say', async () => {
  const s = await origin(() => ok());
  const rig = await listen([
    'http-request set-fc-tos 0x20',
    'http-request set-fc-mark int(20)',
    'http-request set-bc-tos req.hdr(x-tos)',
    'http-request set-bc-mark 0x1f',
    `server s1 127.0.0.1:${s.port}`,
  ]);
  const client = await connect(rig.port('web'));
  const ask = async (tos: number, answers: number) => {
    client.send(`GET /${tos} HTTP/1.1\r\nHost: a\r\nX-Tos: ${tos}\r\n\r\n`);
    await expect.poll(() => client.received.split('200 OK').length - 1).toBe(answers);
  };
  await ask(64, 1);
  const web = rig.port('web');
  const toClient = socket(web, (client.socket as Socket).localPort!);
  expect(toClient).toContain('tos:0x20');
  expect(toClient).toContain('fwmark:0x14');
  const first = await s.conn();
  const toServer = socket((first.socket as Socket).remotePort!, s.port);
  expect(toServer).toContain('tos:0x40');
  expect(toServer).toContain('fwmark:0x1f');
  // Another value is another connection; the same one is the pooled connection again.
  await ask(96, 2);
  await ask(64, 3);
  expect(s.conns.length).toBe(2);
  client.socket.destroy();
});
