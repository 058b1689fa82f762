/** The command line: what was asked for, and the exit code of it. */
import type { Configuration } from './configuration.ts';
import { parseArguments, usage } from './options.ts';
import { createSay, write } from './say.ts';

/** What messages call the program: what was started, not the Node that runs it. */
const program = process.env.SLUICE_PROGRAM ?? process.argv[1]!;
const given = process.argv.slice(2);
/** What is asked for by a word instead of flags; each gives its exit code. */
const COMMANDS: ReadonlyMap<string, (words: readonly string[]) => Promise<number>> = new Map([
  ['diff', async (words: readonly string[]) => (await import('./diff.ts')).showDiff(words, say, program)],
  ['lbaas', async (words: readonly string[]) => (await import('./lbaas/main.ts')).lbaas(words, program, say)],
]);
const command = COMMANDS.get(given[0] ?? '') ?? null;
const { options, error } = parseArguments(command === null ? given : []);
const say = createSay(options.quiet, process.pid);

// Node would open its inspector to whoever sends this signal; to us it means the end, from the first moment on.
process.on('SIGUSR1', () => {
  if (process.listenerCount('SIGUSR1') === 1) process.exit(0);
});

// A reload that is asked for too early is the start itself; these would end the process until it listens to them.
for (const signal of ['SIGUSR2', 'SIGHUP', 'SIGTTIN', 'SIGTTOU', 'SIGQUIT'] as const) process.on(signal, () => {});

// What is not asked for is not loaded: a start must be quick.
if (command !== null) process.exit(await command(given.slice(1)));
else if (error !== null) await refuse(error);
else if (options.version > 0) {
  const { about, aboutAll } = await import('./about.ts');
  write(1, options.version === 1 ? about() : aboutAll());
} else if (options.condition !== null) process.exitCode = await evaluate(options.condition);
else if (options.files.length === 0) await refuse(null);
else process.exit(await run()); // threads that are still there, or a daemon's child, hold nothing up

/** HAProxy shows its version on standard output and the rest on standard error. */
async function refuse(error: string | null): Promise<void> {
  const { about } = await import('./about.ts');
  write(1, about());
  if (error !== null) say('alert', error);
  write(2, usage(program));
  process.exitCode = 1;
}

/** `-cc`: 0 = true, 1 = false, 2 = it cannot be evaluated. */
async function evaluate(condition: string): Promise<number> {
  const { checkCondition } = await import('./condition.ts');
  return checkCondition(condition, options, say);
}

async function run(): Promise<number> {
  if (options.chdir !== null && !(await enter(options.chdir))) return 1;
  const [{ readConfiguration }, { daemonChild }] = await Promise.all([
    import('./configuration.ts'),
    import('./daemon.ts'),
  ]);
  // What the configuration has to say a daemon's parent has said already.
  const child = daemonChild();
  const configuration = readConfiguration(options, child === null ? say : createSay(true, process.pid), program);
  if (child === null && !(await dumps())) return 1;
  if (configuration === null) return 1;
  if (options.check) return await checked(configuration);
  const [{ startProcess }, { nameProcess }] = await Promise.all([import('./process.ts'), import('./manager.ts')]);
  if (options.processName !== null) nameProcess(options.processName);
  return startProcess(configuration, options, program, child, say);
}

/** `-c` of a configuration without errors: 2 = it would not start. */
async function checked({ model, warnings }: Configuration): Promise<number> {
  const { hasListener } = await import('./listeners.ts');
  const starts = hasListener(model);
  if (!options.quiet) {
    if (warnings > 0) write(1, 'Warnings were found.\n');
    // The newest HAProxy says so with -V only; tools that look for the words (test runners, deployment scripts) ask without.
    const said = starts ? 'is valid' : 'has no error but will not start (no listener) => exit(2).';
    write(1, `Configuration file ${said}\n`);
  }
  return starts ? 0 : 2;
}

async function enter(folder: string): Promise<boolean> {
  try {
    process.chdir(folder);
    return true;
  } catch (error) {
    const { reason } = await import('../engine/config/files.ts');
    say('alert', `Could not change to directory ${folder} : ${reason(error)}.`);
    return false;
  }
}

/** `-dK`, `-dL` and `-dA`. False after saying what went wrong. */
async function dumps(): Promise<boolean> {
  if (options.keywords !== null) {
    const { dumpKeywords } = await import('./keywords.ts');
    write(1, dumpKeywords(options.keywords));
  }
  if (!options.libraries && options.archive === null) return true;
  const { dumpLibraries, writeArchive } = await import('./libraries.ts');
  if (options.libraries) write(1, dumpLibraries(options.verbose));
  return options.archive === null || writeArchive(options.archive, say);
}
