/** `node bench/micro/csv.ts [servers]`: what one row of `show stat` costs, and the longest piece of a whole dump. */

import { dumpStat } from '../../engine/stats/stat.ts';
import { monotonicMs } from '../../engine/time.ts';
import { fresh, MODEL, NOW, proxy, server } from '../../test/stats/fixture.ts';

const SERVERS = Number(process.argv[2] ?? 1000);
const WARM_UP = 20;
const ROUNDS = 50;

const servers = Array.from({ length: SERVERS }, (_, i) => server(i, `server-${i}`));
const fixture = fresh({ ...MODEL, proxies: [proxy(0, 'backend', 'app', { servers })] });
for (let i = 0; i < SERVERS; i++) {
  for (const name of ['cum_sess', 'cum_req', 'hrsp_2xx', 'bytes_in', 'bytes_out', 'cum_lb'] as const) {
    fixture.count('server', i, name, 1_000_003 * (i + 1));
  }
}

let bytes = 0;
let slowest = 0;
function dumpOnce(): void {
  const dump = dumpStat(fixture.view, { format: 'csv', legends: true }, NOW);
  for (;;) {
    const before = monotonicMs();
    const piece = dump.next();
    slowest = Math.max(slowest, monotonicMs() - before);
    if (piece === null) return;
    bytes += piece.length;
  }
}

for (let i = 0; i < WARM_UP; i++) dumpOnce();
bytes = 0;
slowest = 0;
const start = monotonicMs();
for (let i = 0; i < ROUNDS; i++) dumpOnce();
const ms = monotonicMs() - start;
const rows = ROUNDS * (SERVERS + 1);
console.log(`csv: ${((ms * 1e6) / rows).toFixed(0)} ns/row, ${(bytes / rows).toFixed(0)} bytes/row`);
console.log(`csv: slowest piece ${slowest.toFixed(3)} ms, dump of ${SERVERS} servers ${(ms / ROUNDS).toFixed(2)} ms`);
