/** The control thread: health checks and the stats sockets. Nothing here happens per request. */
import type { Severity } from '../engine/config/diagnostics.ts';
import { startHealth } from '../engine/health/index.ts';
import { LOG_EMERG } from '../engine/health/log.ts';
import { createIo } from '../engine/io/choose.ts';
import { Memory, topology } from '../engine/shm/memory.ts';
import { TimerWheel } from '../engine/time.ts';
import type { ControlTask } from './messages.ts';
import { joinMaster } from './thread.ts';

export default async function control(task: ControlTask): Promise<void> {
  const { model } = task;
  const io = createIo(task.io);
  const wheel = new TimerWheel(io.now());
  io.onTurn(now => wheel.advance(now));
  let stop = () => {};
  const thread = joinMaster(task.port, {
    serve: () => {
      const health = startHealth({
        io,
        wheel,
        model,
        memory: Memory.attach(task.memory),
        topology: topology(model),
        now: () => io.now(),
        random: Math.random,
        log: (level, _proxy, text) => thread.say(severityOf(level), text),
      });
      stop = () => health.stop();
    },
    stop: () => {
      stop();
      thread.end();
    },
  });
  thread.ready();
  await thread.ended;
  await io.stop();
}

/** On the terminal HAProxy shows a state change as a warning, and a backend without servers as an alert. */
function severityOf(level: number): Severity {
  return level === LOG_EMERG ? 'alert' : 'warning';
}
