/** Free ports. */
import net from 'node:net';

/** Each is given once: what listens with SO_REUSEPORT would share one that is given twice. */
const GIVEN = new Set<number>();

/**
 * A port that was free a moment ago, below those that the kernel gives to outgoing connections: one of another test might
 * take it before it is bound.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (GIVEN.has(port)) continue;
    const server = net.createServer();
    const free = await new Promise<boolean>(resolve => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise(resolve => server.close(resolve));
    GIVEN.add(port);
    return port;
  }
}
