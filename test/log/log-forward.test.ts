/** A section at work: real sockets on both sides. */
import dgram from 'node:dgram';
import fs from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openDatagramSocket, openListener } from '../../engine/io/bind.ts';
import { createIo } from '../../engine/io/choose.ts';
import { startLogForwards } from '../../engine/log/log-forward.ts';
import { Sinks } from '../../engine/log/sinks.ts';
import { PatternBooks } from '../../engine/sample/book.ts';
import { outside } from '../../engine/sample/outside.ts';
import { ProcVars } from '../../engine/sample/proc-vars.ts';
import { ChangeLog, createChanges } from '../../engine/shm/change-log.ts';
import { Memory, shapeOf } from '../../engine/shm/memory.ts';
import { PROCESS } from '../../engine/shm/words.ts';
import { TimerWheel, wallMs } from '../../engine/time.ts';
import { load } from '../config/load-text.ts';
import { PLAIN_SPEC } from '../io/plain-spec.ts';
import { pemFile } from '../tls/certificates.ts';

interface Forwarding {
  /** Of its one `bind` line. */
  readonly tcp: number;
  /** Of its one `dgram-bind` line. */
  readonly udp: number;
  /** All that has come to the log server. */
  readonly lines: string[];
  readonly word: (name: keyof typeof PROCESS.at) => number;
  readonly stop: () => void;
}

/** Starts a section with these lines; `$LOG` is the port of the log server. */
async function forward(section: string, bind = '', files: Record<string, string> = {}): Promise<Forwarding> {
  const server = dgram.createSocket('udp4');
  await new Promise<void>(resolve => server.bind(0, '127.0.0.1', resolve));
  const lines: string[] = [];
  server.on('message', bytes => void lines.push(bytes.toString('latin1')));
  const text = `log-forward f\n bind 127.0.0.1:1 ${bind}\n dgram-bind 127.0.0.1:1\n ${section}\n`;
  const { model, diagnostics } = load(text.replaceAll('$LOG', `${server.address().port}`), { files });
  expect(diagnostics.list).toEqual([]);
  const { binds, dgramBinds } = model!.logForwards[0]!;
  const memory = Memory.create(shapeOf(model!, 1));
  const io = createIo('net');
  const wheel = new TimerWheel(io.now());
  io.onTurn(now => wheel.advance(now));
  const changes = new ChangeLog(createChanges(2), 1);
  const there = outside(model!, new PatternBooks([], changes), new ProcVars([], changes));
  const sinks = new Sinks(model!, memory, null, io, () => {});
  sinks.evaluate(() => there);
  const here = { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: 0 } as const;
  const open = (make: typeof openListener) => {
    const made = make({ ...PLAIN_SPEC, address: here });
    if ('errno' in made) throw new Error(made.message);
    return made;
  };
  const [tcp, udp] = [open(openListener), open(openDatagramSocket)];
  const running = startLogForwards(
    {
      ...{ model: model!, memory, io, wheel, wall: wallMs, outside: there },
      ...{ facts: { pid: 1, hostname: 'h' }, sinks },
    },
    [
      { fd: tcp.fd, bind: binds[0]!, section: 0, datagrams: false },
      { fd: udp.fd, bind: dgramBinds[0]!, section: 0, datagrams: true },
    ],
  );
  onTestFinished(async () => {
    running.stop();
    await io.stop();
    server.close();
  });
  const word = (name: keyof typeof PROCESS.at) => Atomics.load(memory.words, memory.process + PROCESS.at[name]);
  return { tcp: tcp.address.port, udp: udp.address.port, lines, word, stop: () => running.stop() };
}

async function datagram(port: number, text: string): Promise<void> {
  const socket = dgram.createSocket('udp4');
  await new Promise<void>(resolve => socket.send(text, port, '127.0.0.1', () => resolve()));
  socket.close();
}

/** A client that sends a text and waits; `ended` resolves when the other side ends. */
function connect(port: number, text = ''): { socket: net.Socket; ended: Promise<void> } {
  const socket = net.connect(port, '127.0.0.1', () => void socket.write(text));
  onTestFinished(() => void socket.destroy());
  const ended = new Promise<void>(resolve => {
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
  });
  socket.resume();
  return { socket, ended };
}

test('datagrams and streams go on, as they came and in another format, and are counted', async () => {
  const { tcp, udp, lines, word } = await forward('log 127.0.0.1:$LOG local0\n log 127.0.0.1:$LOG format short local0');
  await datagram(udp, '<13>Oct 11 22:14:15 h a: one');
  await vi.waitFor(() => expect(lines).toEqual(['<13>Oct 11 22:14:15 h a: one\n', '<5>one\n']));
  connect(tcp, '<14>two\n7 <15>two');
  await vi.waitFor(() => expect(lines.slice(2)).toEqual(['<14>two\n', '<6>two\n', '<15>two\n', '<7>two\n']));
  expect(word('received_logs')).toBe(3);
  expect(word('dropped_logs')).toBe(0);
});

test('targets take levels and their part of the lines, and cut them', async () => {
  const { udp, lines } = await forward(
    'log 127.0.0.1:$LOG len 80 format raw local0 notice\n log 127.0.0.1:$LOG sample 2:2 format short local0',
  );
  for (const text of ['<13>first', '<14>second', `<13>${'x'.repeat(100)}`]) {
    await datagram(udp, text);
    const before = lines.length;
    await vi.waitFor(() => expect(lines.length).toBeGreaterThan(before - 1));
  }
  await vi.waitFor(() => expect(lines.length).toBe(3));
  expect(lines).toEqual(['first\n', '<6>second\n', `${'x'.repeat(80)}\n`]);
});

test('what is no stream of messages is closed; what was understood before has gone on', async () => {
  const { tcp, lines } = await forward('log 127.0.0.1:$LOG local0');
  await connect(tcp, '<14>good\nbad\n').ended;
  await vi.waitFor(() => expect(lines).toEqual(['<14>good\n']));
});

test('lines without a header are texts where the options say so', async () => {
  const { tcp, lines } = await forward(
    'option assume-rfc6587-ntf\n option dont-parse-log\n log 127.0.0.1:$LOG format raw local0',
  );
  connect(tcp, 'a text\n<14>another\n');
  await vi.waitFor(() => expect(lines).toEqual(['a text\n', '<14>another\n']));
});

test('a silent connection is closed', async () => {
  const { tcp } = await forward('timeout client 50ms\n log 127.0.0.1:$LOG local0');
  await connect(tcp, '<14>a\n').ended;
});

test('connections beyond maxconn wait until another one ends', async () => {
  const { tcp, lines } = await forward('maxconn 1\n log 127.0.0.1:$LOG local0');
  const first = connect(tcp, '<14>first\n');
  await vi.waitFor(() => expect(lines).toEqual(['<14>first\n']));
  connect(tcp, '<14>second\n');
  connect(tcp, '<14>third\n').socket.end();
  first.socket.write('<14>still\n');
  await vi.waitFor(() => expect(lines).toEqual(['<14>first\n', '<14>still\n']));
  first.socket.end();
  await vi.waitFor(() => expect(lines).toEqual(['<14>first\n', '<14>still\n', '<14>second\n']));
});

test('over TLS', async () => {
  const pem = fs.readFileSync(pemFile({ name: 'h' }), 'utf8');
  const { tcp, lines } = await forward('log 127.0.0.1:$LOG local0', 'ssl crt /x.pem', { '/x.pem': pem });
  const socket = tls.connect({ port: tcp, host: '127.0.0.1', rejectUnauthorized: false }, () => {
    socket.write('<14>secret\n');
  });
  onTestFinished(() => void socket.destroy());
  await vi.waitFor(() => expect(lines).toEqual(['<14>secret\n']));
});

test('stopped, it hears nothing more and ends what is open', async () => {
  const { tcp, udp, lines, stop } = await forward('log 127.0.0.1:$LOG local0');
  const { ended } = connect(tcp, '<14>a\n');
  await vi.waitFor(() => expect(lines).toEqual(['<14>a\n']));
  stop();
  await ended;
  await datagram(udp, '<14>late');
  await connect(tcp).ended;
  expect(lines).toEqual(['<14>a\n']);
});
