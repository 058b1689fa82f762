import dgram from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { DatagramSender } from '../../engine/io/datagram-sender.ts';
import { AF_INET, closeFd, encodeSockaddr, SOCK_DGRAM, socket } from '../../engine/io/native.ts';
import { LineBatch } from '../../engine/log/line-batch.ts';
import fc from '../properties.ts';

const LINUX = process.platform === 'linux';

/** A line of so many bytes, told from others by its first. */
const line = (length: number, first: number) => new Uint8Array(length).fill(first, 0, 1).fill(120, 1);

/** What a batch sends: `[length, segment]` of each call, answered by `answer`. */
function record(answer: (length: number, segment: number) => number = length => length) {
  const calls: [number, number][] = [];
  const lost: number[] = [];
  const settling: LineBatch[] = [];
  const batch = new LineBatch(
    { settle: layer => void settling.push(layer as LineBatch) },
    (_, length, segment) => {
      calls.push([length, segment]);
      return answer(length, segment);
    },
    errno => void lost.push(errno),
  );
  const put = (...lengths: number[]) => {
    for (const length of lengths) batch.put(line(length, 65), length);
  };
  return { batch, calls, lost, settling, put };
}

test('lines of one length leave together at the end of the turn, with one shorter line behind them', () => {
  const { batch, calls, settling, put } = record();
  put(100, 100, 100, 90, 90, 100, 100);
  expect(calls).toEqual([
    [390, 100],
    [90, 90],
  ]);
  expect(settling).toEqual([batch]);
  batch.settle();
  expect(calls).toEqual([
    [390, 100],
    [90, 90],
    [200, 100],
  ]);
  batch.settle();
  expect(calls).toHaveLength(3);
});

test('what waits is bounded, and long lines leave alone, in their turn', () => {
  const { calls, put } = record();
  put(...Array<number>(33).fill(10), 1_500);
  expect(calls).toEqual([
    [320, 10],
    [10, 10],
    [1_500, 1_500],
  ]);
});

test('where nothing is cut each line is sent by itself, now and from then on', () => {
  const { batch, calls, lost, put } = record((length, segment) => (length > segment ? -22 : length));
  put(50, 50, 40);
  batch.settle();
  expect(calls).toEqual([
    [140, 50],
    [50, 50],
    [50, 50],
    [40, 40],
  ]);
  put(50);
  expect(calls).toHaveLength(5);
  expect(lost).toEqual([]);
});

test('each line that is lost is told', () => {
  const full = record(() => -11);
  full.put(50, 50, 50);
  full.batch.settle();
  expect(full.lost).toEqual([-11, -11, -11]);
  const unreachable = record((length, segment) => (length > segment ? -5 : -101));
  unreachable.put(50, 50);
  unreachable.batch.settle();
  expect(unreachable.lost).toEqual([-101, -101]);
});

test.skipIf(!LINUX)('over a socket every line arrives as one datagram, in order', async () => {
  const server = dgram.createSocket('udp4');
  await new Promise<void>(resolve => server.bind(0, '127.0.0.1', resolve));
  const fd = socket(AF_INET, SOCK_DGRAM);
  onTestFinished(() => {
    server.close();
    closeFd(fd);
  });
  const port = (server.address() as AddressInfo).port;
  const name = encodeSockaddr({ family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port })!;
  const sender = new DatagramSender(fd);
  const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 2_000 })), {
    minLength: 1,
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(lengths, async sent => {
      const got: [number, number][] = [];
      const all = new Promise<void>(resolve => {
        server.on('message', bytes => {
          if (got.push([bytes.length, bytes[0]!]) === sent.length) resolve();
        });
      });
      const lost: number[] = [];
      const batch = new LineBatch(
        { settle: () => {} },
        (bytes, length, segment) => sender.send(bytes, length, name, segment),
        errno => void lost.push(errno),
      );
      sent.forEach((length, i) => void batch.put(line(length, i), length));
      batch.settle();
      await all;
      server.removeAllListeners('message');
      expect(lost).toEqual([]);
      expect(got).toEqual(sent.map((length, i) => [length, i]));
    }),
    { numRuns: 50 },
  );
});
