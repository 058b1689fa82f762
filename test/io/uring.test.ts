/** What only the uring io promises: libuv as its guest, an idle worker's cost, what a dead worker leaves, running out of blocks. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { addressText } from '../../engine/io/address.ts';
import { openListener } from '../../engine/io/bind.ts';
import type { Chunk, Conn, Handler } from '../../engine/io/contract.ts';
import { ring } from '../../engine/shm/doorbell.ts';
import { Memory } from '../../engine/shm/memory.ts';
import { PLAIN_SPEC } from './plain-spec.ts';
import { Recorder } from './recorder.ts';
import { LOOPBACK, SCARCE, URING_HERE, uringIo } from './worlds.ts';

const sleep = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms));

async function until(done: () => boolean, patience = 5_000): Promise<void> {
  const limit = performance.now() + patience;
  while (!done()) {
    if (performance.now() > limit) throw new Error('waited too long');
    await sleep(1);
  }
}

function listener() {
  const made = openListener({ ...PLAIN_SPEC, address: LOOPBACK });
  if (!('fd' in made)) throw new Error(made.message);
  return { fd: made.fd, port: made.address.port };
}

async function startWorker(memory?: Memory) {
  const { fd, port } = listener();
  const worker = new Worker(new URL('./uring-worker.ts', import.meta.url), {
    workerData: { fd, memory: memory?.buffer },
  });
  await once(worker, 'message');
  const ask = async (question: string) => {
    worker.postMessage(question);
    return (await once(worker, 'message'))[0];
  };
  return { worker, port, ask };
}

/** What /proc says is open in this process: what each descriptor names. */
const openFiles = () =>
  fs
    .readdirSync('/proc/self/fd')
    .map(fd => {
      try {
        return fs.readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    })
    .filter(name => name.startsWith('socket:') || name.includes('io_uring'));

/** Sockets of the machine that have `port` on our side and are not merely waiting out their time. */
function socketsOn(port: number): number {
  const state = 3;
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return fs
    .readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(words => words[1]?.endsWith(`:${hex}`) && words[state] !== '06').length;
}

describe.runIf(URING_HERE)('uring', () => {
  test('messages, timers, immediates and doorbells go on in its thread', async () => {
    const memory = Memory.create({
      workers: 1,
      proxies: 0,
      listeners: 0,
      servers: 0,
      rings: 0,
      nameservers: 0,
      ports: 0,
    });
    const { worker, port, ask } = await startWorker(memory);
    const start = performance.now();
    for (let i = 0; i < 50; i++) expect(await ask('ping')).toBe('pong');
    expect(performance.now() - start).toBeLessThan(1_000);

    for (let i = 0; i < 3; i++) expect(await ask('timer')).toBeLessThan(150);

    const rings = performance.now();
    for (let i = 0; i < 50; i++) {
      ring(memory, 0);
      expect((await once(worker, 'message'))[0]).toBe('rung');
    }
    expect(performance.now() - rings).toBeLessThan(1_000);

    const socket = net.connect(port, '127.0.0.1');
    socket.write('I');
    const [laps] = await once(worker, 'message');
    expect(laps).toBeLessThan(300);
    expect(String((await once(socket, 'data'))[0])).toBe('I');
    socket.destroy();
    expect(await ask('stop')).toBe('stopped');
    await worker.terminate();
  });

  test('an idle worker wakes fewer than 60 times a second, with connections open too', async () => {
    const { worker, port, ask } = await startWorker();
    const sockets = Array.from({ length: 20 }, () => net.connect(port, '127.0.0.1'));
    await Promise.all(sockets.map(socket => once(socket, 'connect')));
    await sleep(50);
    const before = await ask('enters');
    await sleep(1_000);
    const entered = (await ask('enters')) - before;
    // The two questions wake it as well.
    expect(entered).toBeLessThan(60 + 6);
    for (const socket of sockets) socket.destroy();
    await worker.terminate();
  });

  test('a worker terminated under load leaves no socket and no ring behind', async () => {
    const before = openFiles().length;
    const { worker, port, ask } = await startWorker();
    const sockets = Array.from({ length: 50 }, () => net.connect(port, '127.0.0.1'));
    let echoed = 0;
    let closed = 0;
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.on('close', () => closed++);
      socket.on('data', data => {
        echoed += data.length;
        socket.write(data);
      });
      socket.write(Buffer.alloc(1_000, 'x'));
    }
    await until(() => echoed > 500_000);
    expect(await ask('conns')).toBe(50);
    expect(socketsOn(port)).toBe(51);

    await worker.terminate();
    // Each client is told, and the kernel has let go of all of it.
    await until(() => closed === 50);
    await until(() => socketsOn(port) === 0);
    expect(openFiles()).toHaveLength(before);
    const refused = net.connect(port, '127.0.0.1');
    expect((await once(refused, 'error'))[0].code).toBe('ECONNREFUSED');
    let ss = '';
    try {
      ss = execFileSync('ss', ['-Htan', 'state', 'all', `sport = :${port}`], { encoding: 'utf8' });
    } catch {
      // Not every machine has it; /proc/net/tcp has said it already.
    }
    expect(ss.split('\n').filter(line => line !== '' && !line.startsWith('TIME-WAIT'))).toEqual([]);
  });

  test('stop gives everything back, many times over', async () => {
    const before = openFiles().length;
    for (let i = 0; i < 40; i++) {
      const io = uringIo();
      const { fd } = listener();
      io.listen(fd, 64, conn => conn.abort(true));
      await io.stop();
      await io.stop();
    }
    expect(openFiles()).toHaveLength(before);
  });

  test('those who keep chunks or are paused cannot take the last blocks from the others, and lose nothing', async () => {
    const io = uringIo(SCARCE);
    const { fd, port } = listener();
    const inner: { conn: Conn; heard: Recorder; kept: Chunk[] }[] = [];
    io.listen(fd, 64, conn => {
      const heard = new Recorder();
      const kept: Chunk[] = [];
      conn.handler = heard;
      const role = inner.length % 4;
      // Paused before data, paused by data, and keeping what comes; the last of four only reads.
      if (role === 0) conn.pause();
      if (role === 1) heard.react = { onData: c => (heard.chunks === 1 ? c.pause() : undefined) };
      if (role === 2) {
        heard.react = {
          onData(_conn, chunk) {
            chunk.keep();
            kept.push(chunk);
          },
        };
      }
      inner.push({ conn, heard, kept });
    });
    const data = Uint8Array.from({ length: 60_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
    const sockets: net.Socket[] = [];
    for (let i = 0; i < 40; i++) {
      const socket = net.connect(port, '127.0.0.1');
      sockets.push(socket);
      socket.end(data);
      await until(() => inner.length === i + 1);
    }
    await until(() => inner.every(({ heard }, i) => i % 4 < 2 || heard.ended));
    expect(inner.every(({ heard }, i) => i % 4 !== 0 || heard.calls.length === 0)).toBe(true);
    expect(inner.every(({ heard }, i) => i % 4 !== 1 || heard.chunks === 1)).toBe(true);
    expect(io.received.copied).toBeGreaterThan(0);
    for (const { conn } of inner) conn.resume();
    await until(() => inner.every(({ heard }) => heard.ended));
    for (const { heard, kept } of inner) {
      expect(heard.broken).toEqual([]);
      expect(Buffer.compare(Buffer.from(heard.received), data)).toBe(0);
      if (kept.length === 0) continue;
      const bytes = kept.map(chunk => chunk.bytes.slice(chunk.start, chunk.end));
      expect(Buffer.compare(Buffer.concat(bytes), data)).toBe(0);
      for (const chunk of kept) chunk.release();
    }
    for (const socket of sockets) socket.destroy();
    await io.stop();
  });

  test('a reset right behind data is heard', async () => {
    const io = uringIo();
    const { fd, port } = listener();
    const heard: Recorder[] = [];
    io.listen(fd, 64, conn => {
      const recorder = new Recorder();
      conn.handler = recorder;
      heard.push(recorder);
    });
    const socket = net.connect(port, '127.0.0.1');
    await until(() => heard.length === 1);
    socket.write(Buffer.alloc(10_000));
    // Both arrive while this thread is busy: the ring meets them at once.
    setImmediate(() => socket.resetAndDestroy());
    await until(() => heard[0]!.closed);
    expect(heard[0]!.errno).toBe(os.constants.errno.ECONNRESET);
    await io.stop();
  });

  test('more connections than places wait in the kernel', async () => {
    const io = uringIo();
    const { fd, port } = listener();
    let accepted = 0;
    const listening = io.listen(fd, 4, conn => {
      conn.handler = new Recorder();
      accepted++;
      // As a listener at its limit: some accepts are complete by now.
      if (accepted === 5) listening.pause();
    });
    const sockets = Array.from({ length: 30 }, () => net.connect(port, '127.0.0.1'));
    await until(() => accepted === 5);
    await sleep(30);
    expect(accepted).toBe(5);
    listening.resume();
    await until(() => accepted === 30);
    for (const socket of sockets) socket.destroy();
    await io.stop();
  });

  test('a step before the connect that fails is what the connect fails with', async () => {
    const io = uringIo();
    const { fd, port } = listener();
    io.listen(fd, 64, conn => conn.abort(true));
    const heard = new Recorder();
    // TEST-NET-3 (RFC 5737): nobody's own address.
    const source = { family: 4, bytes: Uint8Array.of(203, 0, 113, 1), port: 0 } as const;
    io.connect({ ...LOOPBACK, port }, { source, tfo: false }, heard);
    await until(() => heard.closed);
    expect([heard.errno, ...heard.calls]).toEqual([os.constants.errno.EADDRNOTAVAIL, 'close']);
    await io.stop();
  });

  test('where a connection arrived is asked of the kernel when the listener is bound to any address', async () => {
    const io = uringIo();
    const made = openListener({ ...PLAIN_SPEC, address: { family: 6, bytes: new Uint8Array(16), port: 0 } });
    if (!('fd' in made)) throw new Error(made.message);
    const names: string[] = [];
    io.listen(made.fd, 64, conn => {
      conn.handler = new Recorder();
      names.push(addressText(conn.local()!), addressText(conn.peer()!));
    });
    const socket = net.connect(made.address.port, '::1');
    await until(() => names.length === 2);
    expect(names).toEqual([`::1:${made.address.port}`, `::1:${socket.localPort}`]);
    socket.destroy();
    await io.stop();
  });

  test('a large table of connections: all are served, and all places come back', async () => {
    const io = uringIo();
    const { fd, port } = listener();
    const echo: Handler = {
      onOpen() {},
      onData: (conn, chunk) => conn.forward(chunk, chunk.start, chunk.end),
      onEnd: conn => conn.close(),
      onDrain() {},
      onClose() {},
    };
    io.listen(fd, 64, conn => {
      conn.handler = echo;
    });
    for (let round = 0; round < 2; round++) {
      const heard = Array.from({ length: 300 }, () => new Recorder());
      for (const h of heard) {
        h.react = { onOpen: conn => conn.send(Buffer.from('hello'), 0, 5), onData: conn => conn.shutdown() };
        io.connect({ ...LOOPBACK, port }, { source: null, tfo: false }, h);
      }
      await until(() => heard.every(h => h.closed));
      expect(heard.every(h => h.text() === 'hello' && h.errno === 0)).toBe(true);
    }
    await io.stop();
  });
});
