/** Answering once a change in shared memory has been seen by every worker. */
import { ringAll } from '../shm/doorbell.ts';
import type { Answered } from './asker.ts';
import { type CliEnv, type Later, later } from './command.ts';
import type { Message } from './severity.ts';

/** Tells all workers to look at the shared words now; `text` is the answer when they all did. */
export function inForce(env: CliEnv, text: string | Message = ''): Later {
  return later(done => {
    ringAll(env.memory);
    env.asker.ask({ type: 'look' }, answers => done(silence(answers) || text));
  });
}

/** What to say of workers that did not answer; '' when all did. */
export function silence(answers: readonly Answered<'look' | 'clear' | 'rename' | 'profile'>[]): string {
  const silent = answers.filter(a => a.answer === 'silent').map(a => a.worker + 1);
  return silent.length === 0 ? '' : `Thread ${silent.join(', ')} did not answer in time: it will follow when it can.`;
}
