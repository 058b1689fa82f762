/** A worker that answers each connection on `fd` with its thread number and closes it. */
import { parentPort, threadId, workerData } from 'node:worker_threads';
import { createIo } from '../../engine/io/choose.ts';
import type { Handler } from '../../engine/io/contract.ts';

const handler: Handler = { onOpen() {}, onData() {}, onEnd: conn => conn.close(), onDrain() {}, onClose() {} };

createIo(workerData.io).listen(workerData.fd, 64, conn => {
  conn.handler = handler;
  conn.send(Buffer.from(String(threadId)), 0, String(threadId).length);
  conn.shutdown();
});
parentPort?.postMessage('ready');
