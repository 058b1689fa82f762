import { afterEach, expect, test, vi } from 'vitest';
import { type Rig, startRig } from './rig.ts';
import { ask, WireServer } from './wire.ts';

let rig: Rig | null = null;
let server: WireServer | null = null;

afterEach(async () => {
  await rig?.stop();
  rig = null;
  server?.stop();
  server = null;
});

test('a connection that is still closing takes nothing from those that came after it', async () => {
  server = await WireServer.start((_head, conn) => {
    conn.socket.end('bye');
    return null;
  });
  rig = await startRig(`
defaults
  mode tcp
  timeout client 2s
  timeout server 2s
  timeout connect 1s
listen relay
  bind 127.0.0.1:1
  server s1 127.0.0.1:${server.port}
`);
  const port = rig.port('relay');
  const LANES = 4;
  const TURNS = 50;
  const lane = async () => {
    const got: string[] = [];
    for (let i = 0; i < TURNS; i++) got.push(await ask(port, 'hello\r\n\r\n'));
    return got;
  };
  const got = await Promise.all(Array.from({ length: LANES }, lane));
  expect(new Set(got.flat())).toEqual(new Set(['bye']));
  // A stream is counted at its end, a moment after the client saw its own.
  await vi.waitUntil(() => rig!.counter('frontend', 'relay', 'bytes_out') === LANES * TURNS * 'bye'.length);
});
