/** Peers and log servers: the words of their lines say how they are reached, as those of servers do. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import net from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { Reach } from '../../engine/config/server-model.ts';
import { parseIp } from '../../engine/io/address.ts';
import { createIo, probeIo } from '../../engine/io/choose.ts';
import type { Handler } from '../../engine/io/contract.ts';
import { callOf } from '../../engine/proxy/streamless.ts';
import { tlsStore } from '../../engine/tls/store.ts';
import { load } from '../config/load-text.ts';

const IOS = probeIo('auto').name === 'uring' ? ['net', 'uring'] : ['net'];
const SS = ['/usr/bin/ss', '/bin/ss', '/usr/sbin/ss'].find(existsSync);
const SILENT: Handler = { onOpen() {}, onData() {}, onEnd() {}, onDrain() {}, onClose() {} };
const HELLO = Buffer.from('hello');

/** The three kinds of lines, with these words; `port` is where they lead. */
function linesWith(words: string, port: number): Readonly<Record<string, Reach>> {
  const { model } = load(`
global
  localpeer me
ring r
  server s 127.0.0.1:${port} ${words}
backend logs
  mode log
  server s tcp@127.0.0.1:${port} ${words}
peers p
  peer me 127.0.0.1:1
  default-server ${words}
  server other 127.0.0.1:${port}
`);
  expect(model).not.toBeNull();
  const { rings, peers } = model!;
  const ring = (name: string) => rings.find(one => one.name === name)!.servers[0]!;
  return { ring: ring('r'), backend: ring('logs/s'), peer: peers[0]!.peers[1]! };
}

/** What a server hears first of a line with the words, and from whom. */
async function heard(io: string, kind: string, words: string, look: (port: number) => void = () => {}) {
  const server = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const reach = linesWith(words.replace('$PORT', String(port)), port)[kind]!;
  const { model } = load('');
  const ours = createIo(io);
  const accepted = once(server, 'connection');
  const address = parseIp('127.0.0.1', port)!;
  const call = callOf(reach, model!.global.tune, tlsStore(model!.tls));
  call(ours, address, { ...SILENT, onOpen: conn => conn.send(HELLO, 0, HELLO.length) });
  const [socket] = (await accepted) as [net.Socket];
  onTestFinished(async () => {
    await ours.stop();
    socket.destroy();
    server.close();
  });
  const [data] = (await once(socket, 'data')) as [Buffer];
  look(port);
  return { from: socket.remoteAddress, text: data.toString('latin1') };
}

for (const io of IOS) {
  for (const kind of ['ring', 'backend', 'peer']) {
    test(`${io}, ${kind}: source and send-proxy`, async () => {
      expect(await heard(io, kind, 'source 127.0.0.7')).toEqual({ from: '127.0.0.7', text: 'hello' });
      expect((await heard(io, kind, 'send-proxy')).text).toBe('PROXY UNKNOWN\r\nhello');
      const { text } = await heard(io, kind, 'send-proxy-v2 proxy-v2-options crc32c');
      const [head, rest] = [text.slice(0, -9), text.slice(-5)];
      expect([head, rest]).toEqual(['\r\n\r\n\0\r\nQUIT\n \0\0\x07\x03\0\x04', 'hello']);
      expect((await heard(io, kind, 'send-proxy no-send-proxy')).text).toBe('hello');
    });

    test(`${io}, ${kind}: socks4`, async () => {
      const { text } = await heard(io, kind, 'socks4 127.0.0.1:$PORT');
      // Behind the first two bytes: the port.
      expect([text.slice(0, 2), text.slice(4)]).toEqual(['\x04\x01', '\x7f\0\0\x01HAProxy\0']);
    });

    test.runIf(SS !== undefined)(`${io}, ${kind}: cc`, async () => {
      const options = (port: number) => {
        const shown = execFileSync(SS!, ['-Htino', 'state', 'established', 'dport', '=', String(port)]).toString();
        expect(shown).toContain('reno');
      };
      await heard(io, kind, 'cc reno', options);
    });
  }
}
