/**
 * A worker on uring: echoes what arrives on the descriptor `fd`, and answers questions of the test.
 *
 *   'ping' -> 'pong'            'timer' -> ms that a Node timer of 5 ms took
 *   'enters' -> how often the ring was entered       'ring' -> the doorbell is listened to; then 'rung' for each ring
 *   'immediates' -> ms that ten setImmediate one after the other took, begun in a connection's event
 *   'stop' -> stops the io, then says so
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Conn, Handler } from '../../engine/io/contract.ts';
import { createUringIo } from '../../engine/io/uring/index.ts';
import { listenDoorbell } from '../../engine/shm/doorbell.ts';
import { Memory } from '../../engine/shm/memory.ts';

const port = parentPort!;
const made = createUringIo();
if (typeof made === 'string') throw new Error(made);
const io = made;
let conns = 0;

/** Calls `then` after `count` laps of the loop. */
function laps(count: number, then: () => void): void {
  if (count === 0) then();
  else setImmediate(() => laps(count - 1, then));
}

const echo: Handler = {
  onOpen() {},
  onData(conn: Conn, chunk) {
    conn.forward(chunk, chunk.start, chunk.end);
    if (chunk.bytes[chunk.start] === 'I'.charCodeAt(0)) {
      const start = performance.now();
      laps(10, () => port.postMessage(performance.now() - start));
    }
  },
  onEnd: conn => conn.shutdown(),
  onDrain() {},
  onClose() {
    conns--;
  },
};

io.listen(workerData.fd, 64, conn => {
  conns++;
  conn.handler = echo;
});
if (workerData.memory !== undefined) {
  const memory = Memory.attach(workerData.memory);
  listenDoorbell(memory, 0, () => port.postMessage('rung'));
}

const ANSWERS: Readonly<Record<string, () => void>> = {
  ping: () => port.postMessage('pong'),
  timer: () => {
    const start = performance.now();
    setTimeout(() => port.postMessage(performance.now() - start), 5);
  },
  enters: () => port.postMessage(io.ring.enters),
  conns: () => port.postMessage(conns),
  stop: () => void io.stop().then(() => port.postMessage('stopped')),
};
port.on('message', (question: string) => ANSWERS[question]!());
port.postMessage('ready');
