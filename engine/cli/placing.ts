/** Giving a place of the model to a server or a backend, or taking it away, in every thread. */
import { type Placing, place } from '../config/model.ts';
import { type CliEnv, type Later, later } from './command.ts';
import { info } from './severity.ts';

/**
 * The master first (for threads to come), then the workers, last this thread, which then calls `placed`. `text` is the
 * answer, with those that did not say that they have done it.
 */
export function placeEverywhere(env: CliEnv, placing: Placing, text: string, placed: () => void): Later {
  return later(done => {
    env.asker.place(placing, known => {
      env.asker.ask(placing, answers => {
        place(env.model, placing);
        placed();
        const silent = answers.filter(a => a.answer === 'silent').map(a => a.worker + 1);
        const late = known ? silent.map(n => `Thread ${n}`) : ['The master thread', ...silent.map(n => `thread ${n}`)];
        done(info(late.length === 0 ? text : `${text}\n${late.join(', ')} did not answer in time and will follow.`));
      });
    });
  });
}
