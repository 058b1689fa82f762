/** silent-drop: the client hears nothing, not even when it sends its data again. */
import { expect, test } from 'vitest';
import { GET, listen } from '../proxy/listen.ts';
import { connect } from '../proxy/wire.ts';

/** TCP_REPAIR needs a descriptor and privileges; a retransmission comes after 200 ms. */
const CAN = process.env.SLUICE_TEST_IO === 'uring' && process.getuid?.() === 0;

test.runIf(CAN)('a client that is dropped silently hears nothing', async () => {
  const rig = await listen(['http-request silent-drop']);
  const client = await connect(rig.port('web'));
  client.send(GET);
  await new Promise(done => setTimeout(done, 600));
  expect(client.closed).toBe(false);
  client.socket.destroy();
});
