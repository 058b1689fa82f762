/** `show peers`: the lines of HAProxy 2.6, with the same words in the same places. */
import { expect, test } from 'vitest';
import { createSim } from '../../engine/io/sim.ts';
import { showSection } from '../../engine/peers/show.ts';
import { start } from './town.ts';

const WALL = new Date(2026, 10, 22, 19, 5, 17).getTime();

test('two peers, one of them ourselves', () => {
  const sim = createSim(3);
  const [a, b] = [start(sim, 'ab', 'a'), start(sim, 'ab', 'b')];
  sim.run(8000);
  a.set('x', 1);
  b.set('y', 2);
  sim.run(500);
  const text = showSection(a.section, { wall: WALL, now: sim.now(), dictionaries: false });
  expect(
    text.replace(/(src|addr)=10\.\S+|last_hdshk=\d+s|heartbeat=\d+s|_hbt=[1-9]/g, found =>
      found.replace(/[\d.:]+/, '*'),
    ),
  ).toBe(
    `0x1: [22/Nov/2026:19:05:17] id=p disabled=0 flags=0x3 resync_timeout=<PAST> task_calls=0
  0x10001: id=a(local,inactive) addr=127.0.0.1:1000 last_status=NONE last_hdshk=<NEVER>
        reconnect=<NEVER> heartbeat=<NEVER> confirm=0 tx_hbt=0 rx_hbt=0 no_hbt=0 new_conn=0 proto_err=0 coll=0
        flags=0x0
        shared tables:
          0x10001 local_id=1 remote_id=0 flags=0x0 remote_data=0x0
              last_acked=0 last_pushed=0 last_get=0 teaching_origin=0 update=0
              table:0x10001 id=t update=1 localupdate=1 commitupdate=1 refcnt=1
        Dictionary cache not dumped (use "show peers dict")
  0x10002: id=b(remote,active) addr=127.0.0.1:1001 last_status=ESTA last_hdshk=*s
        reconnect=<NEVER> heartbeat=*s confirm=0 tx_hbt=* rx_hbt=* no_hbt=0 new_conn=1 proto_err=0 coll=1
        flags=0x20000200 appctx:0x10002 st0=7 st1=0 task_calls=0 state=EST
        xprt=RAW src=* addr=127.0.0.1:1000
        remote_table:0x10002 id=t local_id=1 remote_id=1
        last_local_table:0x10002 id=t local_id=1 remote_id=1
        shared tables:
          0x10002 local_id=1 remote_id=1 flags=0x0 remote_data=0x80004
              last_acked=1 last_pushed=1 last_get=1 teaching_origin=0 update=1
              table:0x10002 id=t update=1 localupdate=1 commitupdate=1 refcnt=1
        Dictionary cache not dumped (use "show peers dict")`,
  );
  const lines = showSection(a.section, { wall: WALL, now: sim.now(), dictionaries: true }).split('\n');
  const tx = lines.lastIndexOf('        TX dictionary cache:');
  expect(lines.slice(tx, tx + 4)).toEqual([
    '        TX dictionary cache:',
    '            0 -> srv1',
    '        RX dictionary cache:',
    '            0 -> srv2    1 -> -    2 -> -    3 -> -',
  ]);
  expect(lines.at(-1)).toBe('          124 -> -  125 -> -  126 -> -  127 -> -');
});

test('a section that waits for its old self, a peer that is not there', () => {
  const sim = createSim(2);
  const a = start(sim, 'ab', 'a', { succeeds: true });
  const shown = () => showSection(a.section, { wall: WALL, now: sim.now(), dictionaries: false });
  sim.run(1500);
  expect(shown()).toContain('flags=0x0 resync_timeout=3s');
  sim.run(5000);
  expect(shown()).toMatch(/flags=0x1 resync_timeout=3s .*id=b\(remote,inactive\) addr=\S+ last_status=CONN/s);
});
