/** Each run of a test has its own network, with its own seed; a failure tells which. `SLUICE_TEST_SEED` is the first. */
import { beforeEach, onTestFailed } from 'vitest';
import { useSeed } from './network.ts';

const FIRST = Number(process.env.SLUICE_TEST_SEED ?? 1);

beforeEach(({ task }) => {
  const seed = FIRST + (task.result?.repeatCount ?? 0);
  useSeed(seed);
  onTestFailed(() => {
    for (const error of task.result?.errors ?? []) {
      if (!error.message.includes('(seed ')) error.message += ` (seed ${seed})`;
    }
  });
});
