/** Rings: lines through the threads' channels, kept, and sent to log servers that are there, slow or dead. */
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createIo } from '../../engine/io/choose.ts';
import { RingBuffer } from '../../engine/log/ring-buffer.ts';
import { RingFile } from '../../engine/log/ring-file.ts';
import { Rings } from '../../engine/log/rings.ts';
import { TimerWheel } from '../../engine/time.ts';
import { load } from '../config/load-text.ts';
import fc from '../properties.ts';
import { pemFile } from '../tls/certificates.ts';
import { GET, listen, start } from './world.ts';

const line = (text: string): Uint8Array => Buffer.from(text);
const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString());

describe('a ring buffer', () => {
  test('keeps the newest lines', () => {
    const ring = new RingBuffer(10);
    for (const word of ['aaaa', 'bbbb', 'cccc']) expect(ring.append(line(word))).toBe(true);
    const place = ring.open(false);
    expect([text(ring.read(place)), text(ring.read(place)), ring.read(place)]).toEqual(['bbbb', 'cccc', null]);
    expect(ring.read(ring.open(false, true))).toBeNull();
  });

  test('a reader that holds makes it drop new lines', () => {
    const ring = new RingBuffer(8);
    const place = ring.open(true);
    expect([ring.append(line('aaaa')), ring.append(line('bbbb')), ring.append(line('cccc'))]).toEqual([
      true,
      true,
      false,
    ]);
    expect(ring.dropped).toBe(1);
    expect(text(ring.read(place))).toBe('aaaa');
    expect(ring.append(line('dddd'))).toBe(true);
    expect([text(ring.read(place)), text(ring.read(place))]).toEqual(['bbbb', 'dddd']);
  });

  test('a line that never fits is dropped', () => {
    expect(new RingBuffer(3).append(line('aaaa'))).toBe(false);
  });
});

/** A log server, over TLS with a certificate; `received` is all that came over all its connections. */
async function logServer(pem: Buffer | null = null): Promise<{
  port: number;
  received: () => string;
  drop: () => void;
  connections: () => number;
}> {
  let received = '';
  let connections = 0;
  const sockets = new Set<net.Socket>();
  const accept = (socket: net.Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', bytes => (received += bytes.toString('latin1')));
  };
  const server = pem === null ? net.createServer(accept) : tls.createServer({ key: pem, cert: pem }, accept);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as net.AddressInfo).port,
    received: () => received,
    connections: () => connections,
    drop: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function startWithRings(config: string) {
  const world = await start(config);
  const io = createIo('net');
  const wheel = new TimerWheel(io.now());
  io.onTurn(now => wheel.advance(now));
  const { model, memory } = world.rig;
  const rings = new Rings({ model, memory, io, wheel, complain: () => {} });
  onTestFinished(async () => {
    rings.stop();
    await io.stop();
  });
  return { ...world, rings };
}

const config = (ring: string, log = 'log ring@r local0'): string => `
  ring r
    format rfc5424
    maxlen 200
    ${ring}
  ${listen(`${log}\n log-format "%HU"`).replace('log 127.0.0.1:$LOG local0', '')}`;

describe('lines of a ring', () => {
  test('are kept with the format of the ring, whatever the log line says, and cut', async () => {
    const { send, rings } = await startWithRings(
      config('size 1000', 'log ring@r local0\n log ring@r len 80 format raw local0'),
    );
    await send('l', GET(`/${'u'.repeat(300)}`));
    rings.look();
    const { buffer } = rings.list[0]!;
    const place = buffer.open(false);
    expect(text(buffer.read(place))).toMatch(/^<134>1 \S+ - haproxy 42 - - \/u{100}/);
    expect(text(buffer.read(place))).toMatch(/^(?=.{80}$)<134>1 \S+ - haproxy 42 - - \/u+$/);
    expect(buffer.read(place)).toBeNull();
  });

  test('are cut where one would fill the ring', async () => {
    const { send, rings } = await startWithRings(config('size 100\n maxlen 101'));
    await send('l', GET(`/${'u'.repeat(300)}`));
    rings.look();
    const { buffer } = rings.list[0]!;
    expect(buffer.read(buffer.open(false))).toHaveLength(100);
  });

  test('buf0 keeps them with their level and date', async () => {
    const { send, rings } = await startWithRings(listen('log ring@buf0 local0\n log-format "%HU"'));
    await send('l', GET('/x'));
    rings.look();
    const { buffer } = rings.list.find(({ config: { name } }) => name === 'buf0')!;
    expect(text(buffer.read(buffer.open(false)))).toMatch(/^<6>\d{4}-\d\d-\d\dT\S+ \/x$/);
  });

  test.each([
    ['log-proto octet-count', /^(\d+) (<134>1 .* \/1)(\d+) (<134>1 .* \/2)$/],
    ['', /^<134>1 .* \/1\n<134>1 .* \/2\n$/],
  ])("go to its server '%s'", async (settings, expected) => {
    const target = await logServer();
    const { send } = await startWithRings(config(`server s 127.0.0.1:${target.port} ${settings}`));
    await send('l', GET('/1'));
    await send('l', GET('/2'));
    await vi.waitFor(() => expect(target.received()).toMatch(expected));
    const [, first, message] = expected.exec(target.received())!;
    if (first !== undefined) expect(Number(first)).toBe(message!.length);
  });

  test('go over a new connection when the old one ends', async () => {
    const target = await logServer();
    const { send } = await startWithRings(config(`server s 127.0.0.1:${target.port}`));
    await send('l', GET('/1'));
    await vi.waitFor(() => expect(target.received()).toContain('/1'));
    target.drop();
    await vi.waitFor(() => expect(target.connections()).toBe(2), { timeout: 5_000 });
    await send('l', GET('/2'));
    await vi.waitFor(() => expect(target.received()).toContain('/2'));
  });

  test('go over TLS, to the server that was meant and to no other', async () => {
    const pem = pemFile({ name: 'localhost', names: ['localhost'] });
    const [target, other] = [await logServer(fs.readFileSync(pem)), await logServer(fs.readFileSync(pem))];
    const words = `ssl verify required ca-file ${pem} verifyhost`;
    const { send } = await startWithRings(
      config(
        `server s 127.0.0.1:${target.port} ${words} localhost\n server t 127.0.0.1:${other.port} ${words} nobody.org`,
      ),
    );
    await send('l', GET('/secret'));
    await vi.waitFor(() => expect(target.received()).toMatch(/^<134>1 .* \/secret\n$/));
    expect(other.received()).toBe('');
  });

  test('log tcp@: a ring of its own, with the header of the line', async () => {
    const target = await logServer();
    const { send, rings } = await startWithRings(config('', `log tcp@127.0.0.1:${target.port} local0`));
    await send('l', GET('/tcp'));
    await vi.waitFor(() => expect(target.received()).toMatch(/^<134>\w{3} .* haproxy\[42\]: \/tcp\n$/));
    expect(rings.list.map(({ config: { name } }) => name)).toEqual(['r', `tcp@127.0.0.1:${target.port}`]);
  });

  test('are dropped and counted when the server is dead; traffic is served', async () => {
    const { send, rings, rig } = await startWithRings(
      config('size 300\n timeout connect 100ms\n server s 127.0.0.1:$DEAD'),
    );
    for (let i = 0; i < 8; i++) expect(await send('l', GET('/x'))).toContain('200 OK');
    rings.look();
    const { dropped } = rings.list[0]!.buffer;
    expect(dropped).toBeGreaterThan(2);
    expect(rig.processWord('dropped_logs')).toBe(dropped);
  });
});

test('what is wrong in a configuration', () => {
  const messages = (lines: string): string[] => load(lines).diagnostics.list.map(d => d.message);
  expect(messages('global\n log ring@x local0')).toContain("unknown ring 'x'");
  expect(messages('global\n log ring@buf0 local0\n')).toEqual([]);
  expect(messages('ring r\n size 100\n maxlen 101\n')).toEqual([
    "ring 'r' event max length '101' exceeds size, forced to size '100'",
  ]);
  expect(messages('ring r\n size 0')).toContain("invalid size '0' for new sink buffer");
  expect(messages('ring r\n server s 127.0.0.1:1 ssl verify none sni src\n')).toContain(
    "'server r/s': 'sni' has no stream to look at here. Write 'sni str(<name>)'.",
  );
  expect(messages('ring r\n backing-file /x\n backing-file /y')).toContain("'backing-file': this ring has one already");
});

describe('a backing file', () => {
  const file = () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-ring-'));
    onTestFinished(() => fs.rmSync(dir, { recursive: true }));
    return path.join(dir, 'ring');
  };

  /** The whole lines in it, the oldest first. */
  const linesIn = (name: string): string[] => {
    const whole = fs.readFileSync(name, 'latin1');
    const seam = whole.indexOf('\0');
    const behind = whole.slice(seam + 1);
    const older = behind.replaceAll('\0', '');
    const first = behind !== '' && older === '';
    // Of the oldest only the rest is there, once it has begun anew.
    const [, ...lines] = `${first ? '\n' : ''}${older}${whole.slice(0, seam)}`.split('\n');
    return lines.slice(0, -1);
  };

  test('has the newest lines, whatever their lengths', () => {
    const lengths = fc.array(fc.nat(40), { maxLength: 60 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 45, max: 200 }), (all, size) => {
        const name = file();
        const ring = new RingFile(name, size);
        const lines = all.map((length, i) => `${i}-${'x'.repeat(length)}`).filter(text => text.length + 2 <= size);
        for (const text of lines) ring.append(line(text));
        ring.close();
        expect(fs.statSync(name)).toMatchObject({ size });
        const found = linesIn(name);
        expect(found).toEqual(lines.slice(lines.length - found.length));
        // At most one line and a half have given way to the newest.
        const room = lines.slice(lines.length - found.length - 1).reduce((sum, text) => sum + text.length + 1, 1);
        if (found.length < lines.length) expect(room).toBeGreaterThanOrEqual(size);
      }),
      { numRuns: 50 },
    );
  });

  test('is for its owner, and the one before it is kept', () => {
    const name = file();
    new RingFile(name, 100).close();
    fs.writeFileSync(name, 'old');
    new RingFile(name, 100).close();
    expect(fs.statSync(name).mode & 0o777).toBe(0o600);
    expect(fs.readFileSync(`${name}.bak`, 'utf8')).toBe('old');
  });

  test('of a ring at work', async () => {
    const name = file();
    const { send, rings } = await startWithRings(config(`size 1000\n backing-file ${name}`));
    await send('l', GET('/1'));
    await send('l', GET('/2'));
    rings.look();
    expect(linesIn(name)).toEqual([expect.stringMatching(/^<134>1 .* \/1$/), expect.stringMatching(/^<134>1 .* \/2$/)]);
  });
});
