/** `node bench/micro/histogram.ts [servers]`: what recording a time costs, reading percentiles, and a Prometheus scrape. */
import { PIECE_BYTES } from '../../engine/stats/out.ts';
import { dumpPrometheus } from '../../engine/stats/prometheus.ts';
import { readPrometheusFilter } from '../../engine/stats/prometheus-filter.ts';
import { PERCENTILES } from '../../engine/stats/view.ts';
import { monotonicMs } from '../../engine/time.ts';
import { FACTS, fresh, MODEL, NOW, proxy, server } from '../../test/stats/fixture.ts';

const SERVERS = Number(process.argv[2] ?? 1000);
const ROUNDS = 20;
const HOT = 5_000_000;
/** Milliseconds: 0.1 to 400, most of them small. */
const TIMES = Float64Array.from({ length: 4096 }, (_, i) => Math.exp(((i * 1597) % 4096) / 500) / 10);

const servers = Array.from({ length: SERVERS }, (_, i) => server(i, `server-${i}`));
const { memory, view } = fresh({ ...MODEL, proxies: [proxy(0, 'backend', 'app', { servers })] });
const { histograms } = memory;
const places = servers.map(({ index }) => histograms.at(0, memory.timedRow('server', index)));

function each(rounds: number, work: () => void): number {
  const start = monotonicMs();
  for (let i = 0; i < rounds; i++) work();
  return ((monotonicMs() - start) * 1e6) / rounds;
}

let n = 0;
const rss = process.memoryUsage.rss();
const spread = each(HOT, () => histograms.record(places[n % SERVERS]!, n & 3, TIMES[n++ & 4095]!, NOW));
const resident = process.memoryUsage.rss() - rss;
const hot = each(HOT, () => histograms.record(places[0]!, n & 3, TIMES[n++ & 4095]!, NOW));
console.log(`histogram: record ${hot.toFixed(1)} ns in one server, ${spread.toFixed(1)} ns spread over ${SERVERS}`);
console.log(
  `histogram: ${(memory.buffer.byteLength / 2 ** 20).toFixed(0)} MiB of address space for ${FACTS.nbthread} workers, ${(resident / SERVERS / 1024).toFixed(1)} KiB resident per server in use`,
);

const merged = histograms.merged();
const out = new Float64Array(PERCENTILES.length);
const reading = each(ROUNDS * SERVERS, () => {
  histograms.read(memory.timedRow('server', n++ % SERVERS), n & 3, 'window', NOW, merged);
  merged.percentiles(PERCENTILES, out, 0);
});
console.log(`histogram: percentiles of one timer ${reading.toFixed(0)} ns`);

let bytes = 0;
let slowest = 0;
const scrape = each(5, () => {
  const dump = dumpPrometheus(view, readPrometheusFilter('')!, NOW);
  bytes = slowest = 0;
  for (;;) {
    const before = monotonicMs();
    const piece = dump.next();
    slowest = Math.max(slowest, monotonicMs() - before);
    if (piece === null) return;
    bytes += piece.length;
  }
});
console.log(
  `prometheus: ${(scrape / 1e6).toFixed(1)} ms and ${(bytes / 1e6).toFixed(1)} MB, slowest piece of ${PIECE_BYTES} bytes ${slowest.toFixed(3)} ms`,
);
