/** Random scripts of sends, half-closes and pauses on both ends give the same bytes on every io. */

import { expect, test } from 'vitest';
import type { Conn } from '../../engine/io/contract.ts';
import fc from '../properties.ts';
import { Recorder } from './recorder.ts';
import { WORLDS, type World } from './worlds.ts';

const step = fc.record({
  who: fc.constantFrom(0, 1),
  op: fc.constantFrom('send', 'send', 'send', 'pause', 'resume', 'wait', 'shutdown'),
  bytes: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 200_000 })),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Plays the script, then ends both ways; gives what each end received. */
async function play(world: World, script: readonly Step[]): Promise<Uint8Array[]> {
  const ends = [new Recorder(), new Recorder()];
  let accepted: Conn | null = null;
  const { address } = world.listen(conn => {
    conn.handler = ends[1]!;
    accepted = conn;
  });
  const out = world.client.connect(address, { source: null, tfo: false }, ends[0]!);
  await world.until(() => accepted !== null && ends[0]!.opened);
  const conns = [out, accepted as unknown as Conn];
  let value = 0;
  for (const { who, op, bytes } of script) {
    const conn = conns[who]!;
    if (op === 'send')
      conn.send(
        Uint8Array.from({ length: bytes }, () => value++ & 0xff),
        0,
        bytes,
      );
    else if (op === 'wait') await world.pass(1);
    else conn[op]();
  }
  for (const conn of conns) {
    conn.resume();
    conn.shutdown();
  }
  await world.until(() => ends.every(e => e.closed));
  await world.stop();
  for (const e of ends) expect([e.broken, e.errno]).toEqual([[], 0]);
  return ends.map(e => Uint8Array.from(e.received));
}

/** What each end must receive: what the other sent before it shut down. */
function expected(script: readonly Step[]): Uint8Array[] {
  const sent: number[][] = [[], []];
  const shut = [false, false];
  let value = 0;
  for (const { who, op, bytes } of script) {
    if (op === 'shutdown') shut[who] = true;
    if (op !== 'send') continue;
    for (let i = 0; i < bytes; i++, value++) if (!shut[who]) sent[who]!.push(value & 0xff);
  }
  return [Uint8Array.from(sent[1]!), Uint8Array.from(sent[0]!)];
}

test.each(WORLDS)('random scripts on %s', async (_name, create) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async script => {
      const got = await play(create(), script);
      const want = expected(script);
      for (const i of [0, 1]) expect(Buffer.compare(got[i]!, want[i]!)).toBe(0);
    }),
    { numRuns: 25, seed: 20_261_122 },
  );
});
