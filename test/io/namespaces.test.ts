/** `namespace`: sockets in a network namespace that this test makes; root only. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseIp } from '../../engine/io/address.ts';
import { openListener } from '../../engine/io/bind.ts';
import { createIo, probeIo } from '../../engine/io/choose.ts';
import type { Address, Handler } from '../../engine/io/contract.ts';
import { NAMESPACES_FOLDER, openNamespace, socketIn } from '../../engine/io/namespaces.ts';
import { AF_INET, closeFd, SOCK_STREAM } from '../../engine/io/native.ts';
import { field, TLV } from '../../engine/proxy/proxy-fields.ts';
import { proxyHeader } from '../../engine/proxy/proxy-protocol.ts';
import { load } from '../config/load-text.ts';
import { type RigOptions, startRig } from '../proxy/rig.ts';
import { PLAIN_SPEC } from './plain-spec.ts';

const IOS = probeIo('auto').name === 'uring' ? ['net', 'uring'] : ['net'];
const NAME = `sluice-test-${process.pid}`;
const ip = (...words: string[]) => spawnSync('ip', words).status === 0;
const POSSIBLE =
  process.platform === 'linux' && process.getuid?.() === 0 && ip('netns', 'add', NAME) && ip('netns', 'del', NAME);
const LOOPBACK = parseIp('127.0.0.1', 0)!;

/** What the thread is in now. */
const here = () => fs.readlinkSync('/proc/thread-self/ns/net');

/** A server in the namespace, which answers with what it heard: its port. */
async function echo(): Promise<number> {
  const made = openListener({ ...PLAIN_SPEC, address: LOOPBACK, namespace: NAME });
  if ('errno' in made) throw new Error(made.message);
  const server = net.createServer(socket => socket.on('error', () => {}).on('data', data => socket.end(data)));
  server.listen({ fd: made.fd });
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return made.address.port;
}

describe.runIf(POSSIBLE)('network namespaces', () => {
  beforeAll(() => {
    ip('netns', 'add', NAME);
    ip('netns', 'exec', NAME, 'ip', 'link', 'set', 'lo', 'up');
  });
  afterAll(() => void ip('netns', 'del', NAME));

  test('a socket is made there, and the thread is back', () => {
    const before = here();
    expect(openNamespace(NAME)).toBe(true);
    const fd = socketIn(NAME, AF_INET, SOCK_STREAM);
    expect(fd).toBeGreaterThan(0);
    closeFd(fd);
    expect(here()).toBe(before);
    expect(openNamespace('no-such')).toBe(false);
    expect(socketIn('no-such', AF_INET, SOCK_STREAM)).toBe(-os.constants.errno.ENOENT);
  });

  test('one that was made anew under the same name is entered', () => {
    const name = `${NAME}-2`;
    onTestFinished(() => void ip('netns', 'del', name));
    ip('netns', 'add', name);
    expect(openNamespace(name)).toBe(true);
    ip('netns', 'del', name);
    expect(openNamespace(name)).toBe(false);
    ip('netns', 'add', name);
    expect(openNamespace(name)).toBe(true);
  });

  test.each(IOS)('%s: a listener and a connection there', async name => {
    const port = await echo();
    const io = createIo(name);
    onTestFinished(() => io.stop());
    const outcome = (namespace: string) =>
      new Promise<string>(resolve => {
        const handler: Handler = {
          onOpen: conn => conn.send(Buffer.from('hello'), 0, 5),
          onData: (_conn, { bytes, start, end }) => resolve(Buffer.from(bytes.slice(start, end)).toString()),
          onEnd: conn => conn.close(),
          onDrain() {},
          onClose: (_conn, errno) => resolve(`errno ${errno}`),
        };
        io.connect({ ...LOOPBACK, port } as Address, { source: null, tfo: false, namespace }, handler);
      });
    expect(openNamespace(NAME)).toBe(true);
    expect(await outcome(NAME)).toBe('hello');
    // Outside somebody else may have the port.
    expect(await outcome('')).not.toBe('hello');
    expect(await outcome('no-such')).toBe(`errno ${os.constants.errno.ENOENT}`);
  });

  test.each(IOS)('%s: servers there, or where a PROXY header says', async name => {
    const port = await echo();
    const options: RigOptions = { io: () => createIo(name) };
    const rig = await startRig(
      `
defaults
  mode tcp
  timeout client 2s
  timeout server 2s
  timeout connect 1s
  retries 0
listen there
  bind 127.0.0.1:1
  server s 127.0.0.1:${port} namespace ${NAME}
listen told
  bind 127.0.0.1:1 accept-proxy
  server s 127.0.0.1:${port} namespace *
`,
      options,
    );
    onTestFinished(() => rig.stop());
    const ask = async (proxy: string, said: Uint8Array) => {
      const client = net.connect(rig.port(proxy), '127.0.0.1');
      client.on('error', () => {}).write(said);
      let heard = '';
      for await (const data of client) heard += data;
      return heard;
    };
    const told = (namespace: string) => {
      const header = proxyHeader(2, LOOPBACK, LOOPBACK, Buffer.concat(field(TLV.NETNS, namespace)));
      return ask('told', Buffer.concat([header, Buffer.from('hi')]));
    };
    expect(await ask('there', Buffer.from('hi'))).toBe('hi');
    expect(await told(NAME)).toBe('hi');
    expect(await told('no-such')).not.toBe('hi');
    expect(await told('')).not.toBe('hi');
  });
});

test('what the configuration may name', () => {
  const errors = (bind: string, server: string) =>
    load(`listen l\n  bind 127.0.0.1:80 ${bind}\n  server s 127.0.0.1:81 ${server}\n`, {
      folders: { [NAMESPACES_FOLDER]: ['red'] },
    })
      .diagnostics.list.filter(({ severity }) => severity === 'alert')
      .map(({ message }) => message);
  expect(errors('namespace red', 'namespace red')).toEqual([]);
  expect(errors('', 'namespace *')).toEqual([]);
  expect(errors('namespace blue', 'namespace blue')).toEqual(
    Array(2).fill(expect.stringContaining("Cannot open namespace 'blue'")),
  );
  expect(errors('namespace *', '')).toEqual([expect.stringContaining("Cannot open namespace '*'")]);
});
