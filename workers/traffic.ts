/** The thread of a traffic worker: a Piscina task that lasts as long as the worker serves. */
import { createIo } from '../engine/io/choose.ts';
import { startTraffic } from '../engine/proxy/worker.ts';
import { Memory } from '../engine/shm/memory.ts';
import type { TrafficTask } from './messages.ts';
import { joinMaster } from './thread.ts';

export default async function traffic(task: TrafficTask): Promise<void> {
  const { model, worker, facts, listeners } = task;
  const io = createIo(task.io);
  const thread = joinMaster(task.port, {
    serve: () => {
      for (const { listener, fd } of listeners) handle.listen(listener, fd);
    },
    stop: ({ soft }) => handle.stop(soft),
  });
  const handle = startTraffic({
    io,
    model,
    memory: Memory.attach(task.memory),
    worker,
    facts,
    log: thread.say,
    onIdle: thread.end,
  });
  thread.ready();
  await thread.ended;
  await io.stop();
}
