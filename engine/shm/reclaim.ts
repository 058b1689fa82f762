/**
 * Gives back what a worker held when it died: its gauges say how much of every shared word is its own. Called by the
 * master, when the thread has ended and before another gets the row.
 */
import { isBackend, isFrontend, type Model } from '../config/model.ts';
import { COUNTERS, CUR_CONNS, CUR_PAUSED, CUR_QUEUED, CUR_SESS, CUR_TLS } from './counters.ts';
import { type Memory, type RowKind, topology } from './memory.ts';
import { reclaimPorts } from './source-ports.ts';
import { LISTENER, PROCESS, PROXY, SERVER, WORKER } from './words.ts';

/** The fields of a row that say what is there now; all others are totals and stay. */
const GAUGES: readonly number[] = Object.entries(COUNTERS.at)
  .filter(([name]) => name.startsWith('cur_') || name === 'queue_head')
  .map(([, field]) => field);

/** Safe while the other workers run: every word is changed by one subtraction. */
export function reclaim(memory: Memory, model: Model, worker: number): void {
  const { firstListener, firstServer } = topology(model);
  const give = (kind: RowKind, index: number, field: number, ...words: number[]) => {
    const held = memory.counters[memory.row(worker, kind, index) + field]!;
    if (held !== 0) for (const at of words) Atomics.sub(memory.words, at, held);
  };

  give('process', 0, CUR_SESS, memory.process + PROCESS.at.conns);
  give('process', 0, CUR_TLS, memory.process + PROCESS.at.tls_conns);
  give('process', 0, CUR_PAUSED, memory.process + PROCESS.at.waiting);
  clear(memory, worker, 'process', 0);
  for (const proxy of model.proxies) {
    const { index } = proxy;
    const at = memory.proxy(index);
    if (isFrontend(proxy)) {
      give('frontend', index, CUR_SESS, at + PROXY.at.fe_conns);
      clear(memory, worker, 'frontend', index);
      for (let l = firstListener[index]!; l < firstListener[index + 1]!; l++) {
        give('listener', l, CUR_SESS, memory.listener(l) + LISTENER.at.conns);
        clear(memory, worker, 'listener', l);
      }
    }
    if (isBackend(proxy)) {
      give('backend', index, CUR_SESS, at + PROXY.at.be_sess);
      give('backend', index, CUR_QUEUED, at + PROXY.at.be_queued, at + PROXY.at.be_total_queued);
      clear(memory, worker, 'backend', index);
      for (let s = firstServer[index]!; s < firstServer[index + 1]!; s++) {
        give('server', s, CUR_SESS, memory.server(s) + SERVER.at.served, at + PROXY.at.be_served);
        give('server', s, CUR_CONNS, memory.server(s) + SERVER.at.conns);
        give('server', s, CUR_QUEUED, memory.server(s) + SERVER.at.queued, at + PROXY.at.be_total_queued);
        clear(memory, worker, 'server', s);
      }
    }
  }
  reclaimPorts(memory, model, worker);
  Atomics.store(memory.words, memory.worker(worker) + WORKER.at.streams, 0);
  Atomics.store(memory.words, memory.worker(worker) + WORKER.at.busy_permille, 0);
}

function clear(memory: Memory, worker: number, kind: RowKind, index: number): void {
  const row = memory.row(worker, kind, index);
  for (const field of GAUGES) memory.counters[row + field] = 0;
}
