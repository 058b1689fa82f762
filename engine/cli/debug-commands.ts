/**
 * `debug dev ...`: what those who look for faults in the control thread, or in what watches it, need. Expert mode only. Of
 * HAProxy's commands those are here that have a meaning; what pokes about in memory has none.
 */
import { hashed } from '../config/anonymous.ts';
import { LOG_INFO } from '../health/log.ts';
import { PROCESS } from '../shm/words.ts';
import { monotonicMs } from '../time.ts';
import type { Call, Command, Reply } from './command.ts';
import { wholeNumber } from './find.ts';
import { data } from './severity.ts';

/** The control thread is not kept longer than this. Milliseconds. */
const HOLD_MS_MAX = 60_000;
/** As much can be written. Bytes. */
const WRITE_BYTES_MAX = 1 << 20;
const LINE_BYTES = 64;

/** A command that keeps the control thread from all else for so many milliseconds. */
function holding(hold: (ms: number) => void): Command['run'] {
  return ({ args }) => {
    const ms = wholeNumber(args[0] ?? '0');
    if (ms === null || ms > HOLD_MS_MAX) return `Expects a number of milliseconds, ${HOLD_MS_MAX} at most.`;
    hold(ms);
    return '';
  };
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function loop(ms: number): void {
  const end = monotonicMs() + ms;
  while (monotonicMs() < end);
}

function exit({ env, args }: Call): string {
  const code = wholeNumber(args[0] ?? '0');
  if (code === null || code > 255) return 'Expects an exit code of at most 255.';
  env.exit(code);
  return '';
}

function write({ args }: Call): Reply {
  const bytes = wholeNumber(args[0]);
  if (bytes === null || bytes > WRITE_BYTES_MAX) return `Expects a number of bytes, ${WRITE_BYTES_MAX} at most.`;
  const line = `${'0123456789'.repeat(7).slice(0, LINE_BYTES - 1)}\n`;
  return data(line.repeat(Math.ceil(bytes / LINE_BYTES)).slice(0, bytes));
}

function log({ env, args }: Call): string {
  env.logger.process(LOG_INFO, args.join(' '));
  return '';
}

function row(name: string, usage: string, help: string, run: Command['run']): Command {
  return {
    ...{ words: `debug dev ${name}`, usage, help, level: 'admin', mode: 'expert' },
    run: call => {
      const { words, process } = call.env.memory;
      Atomics.add(words, process + PROCESS.at.debug_commands, 1);
      return run(call);
    },
  };
}

export const DEBUG_COMMANDS: readonly Command[] = [
  row('delay', '[ms]', 'sleep this long in the control thread', holding(sleep)),
  row('exit', '[code]', 'immediately exit the process', exit),
  row('hash', '<msg>', 'show what the anonymized mode makes of it', ({ state, args }) =>
    data(hashed(args.join(' '), state.anonKey)),
  ),
  row('log', '[msg] ...', 'send this message to the global logs', log),
  row('loop', '[ms]', 'loop this long in the control thread', holding(loop)),
  row('write', '<size>', 'write that many bytes of output', write),
];
