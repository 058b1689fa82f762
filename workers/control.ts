/** The control thread: health checks and the stats sockets. Nothing here happens per request. */
import { startCli } from '../engine/cli/index.ts';
import { startHealth } from '../engine/health/index.ts';
import { createIo } from '../engine/io/choose.ts';
import { TimerWheel } from '../engine/time.ts';
import type { ControlTask } from './messages.ts';
import { attach, joinMaster } from './thread.ts';

export default async function control(task: ControlTask): Promise<void> {
  const { model, environment, listeners } = task;
  const io = createIo(task.io);
  const wheel = new TimerWheel(io.now());
  io.onTurn(now => wheel.advance(now));
  const running: { stop(): void }[] = [];
  const thread = joinMaster(task.port, {
    serve: () => {
      io.wake();
      const env = { ...attach(task, null, io, thread.say), io, wheel, environment, random: Math.random };
      const sockets = listeners.map(({ listener, fd }) => ({ fd, bind: model.global.statsSockets[listener]! }));
      running.push(startHealth(env), startCli(env, sockets));
    },
    stop: () => {
      for (const part of running) part.stop();
      thread.end();
    },
  });
  thread.ready();
  await thread.ended;
  await io.stop();
}
