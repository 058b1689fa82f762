/** The command `sluice lbaas`: parses, serves until a signal comes, or shows the state. */
import type { Say } from '../say.ts';
import { write } from '../say.ts';
import { lbaasUsage, parseLbaas } from './options.ts';

/** @returns the exit code */
export async function lbaas(words: readonly string[], program: string, say: Say): Promise<number> {
  if (words.includes('--help')) {
    write(1, lbaasUsage(program));
    return 0;
  }
  const { options, error } = parseLbaas(words);
  if (error !== null) {
    say('alert', `lbaas: ${error}`);
    write(2, lbaasUsage(program));
    return 1;
  }
  if (options.command === 'status') {
    const { showStatus } = await import('./status.ts');
    return showStatus(options, say);
  }
  const { serve } = await import('./serve.ts');
  const { promise: signalled, resolve } = Promise.withResolvers<void>();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGUSR1'] as const) process.on(signal, () => resolve());
  try {
    const served = await serve(options, program);
    await signalled;
    await served.close();
    return 0;
  } catch (failure) {
    say('alert', `lbaas: ${(failure as Error).message}`);
    return 1;
  }
}
