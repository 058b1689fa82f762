/** Opens connections, one request on each, and keeps them until it is told to end. Prints how many failed. */
import net from 'node:net';

/** Opened at a time. */
const BATCH = 200;
const [port, count] = process.argv.slice(2).map(Number) as [number, number];

function open(): Promise<boolean> {
  return new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: race\r\n\r\n'));
    socket.once('data', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

let failed = 0;
for (let opened = 0; opened < count; opened += BATCH) {
  const answers = await Promise.all(Array.from({ length: Math.min(BATCH, count - opened) }, open));
  failed += answers.filter(ok => !ok).length;
}
console.log(failed);
process.once('SIGTERM', () => process.exit(0));
