/** Real sockets on the loopback, under either io. */
import { once } from 'node:events';
import net from 'node:net';
import { closeFd, dupListener, openListener } from '../../engine/io/bind.ts';
import { createIo } from '../../engine/io/choose.ts';
import { monotonicMs } from '../../engine/time.ts';
import type { Network } from './network.ts';

/** What is waited for may also happen where nobody calls `wake`: look again so often, ms. */
const LOOK_MS = 10;

export function realNetwork(name: 'net' | 'uring'): Network {
  let waiting: (() => void)[] = [];
  const wake = () => {
    const woken = waiting;
    waiting = [];
    for (const resolve of woken) resolve();
  };
  const soon = async (ms: number) => {
    const timer = setTimeout(wake, Math.min(ms, LOOK_MS));
    await new Promise<void>(resolve => waiting.push(resolve));
    clearTimeout(timer);
  };
  return {
    now: monotonicMs,
    io: () => createIo(name),
    bind(spec) {
      const address = spec.address === null ? null : { ...spec.address, port: 0 };
      const opened = openListener({ ...spec, address, reusePort: false });
      if ('errno' in opened) throw new Error(opened.message);
      return { fd: opened.fd, port: opened.address.port };
    },
    dup: dupListener,
    close: closeFd,
    connect: (port, allowHalfOpen) => net.connect({ port, host: '127.0.0.1', allowHalfOpen }),
    async serve(allowHalfOpen, accept) {
      const server = net.createServer({ allowHalfOpen }, accept);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return { port: (server.address() as net.AddressInfo).port, close: () => server.close() };
    },
    async wait(done, ms) {
      const deadline = monotonicMs() + ms;
      while (!done()) {
        const left = deadline - monotonicMs();
        if (left <= 0) return false;
        await soon(left);
      }
      return true;
    },
    wake,
  };
}
