/** Changes a register again and again: a number that all threads add to, and one of its own, in one change. */
import { parentPort, workerData } from 'node:worker_threads';
import { ChangeLog } from '../../engine/shm/change-log.ts';
import { Register } from './register.ts';

const { buffers, number, writes } = workerData;
const log = new ChangeLog(buffers, number);
const register = new Register();
log.follow(register);
log.catchUp();
let done = 0;
while (done < writes) {
  const changed = log.change(() => {
    register.put(log, 'all', (register.get('all') ?? 0) + 1);
    register.put(log, `own-${number}`, (register.get(`own-${number}`) ?? 0) + 1);
  });
  if (changed) done++;
}
log.catchUp();
parentPort!.postMessage({ writes: done });
