/** `wait`: for a time, or until a condition holds. */
import { parseTime } from '../config/units.ts';
import { Timer } from '../time.ts';
import type { Call, CliEnv, Command, Later, Reply } from './command.ts';
import { backendStays, findBackend } from './dynamic-backends.ts';
import { notRemovable } from './dynamic-servers.ts';
import { findServer } from './find.ts';

/** How often a condition is looked at. Milliseconds. */
const LOOK_MS = 10;

/** true: it holds; false: not yet; a text: it never will. */
type Condition = (env: CliEnv, args: readonly string[]) => boolean | string;

/** What can be waited for; each row is one line of the usage. */
const CONDITIONS: Readonly<Record<string, { usage: string; doc: string; holds: Condition }>> = {
  'be-removable': {
    usage: '<bk>',
    doc: 'the backend can be deleted: it is unpublished and has neither servers nor streams any more',
    holds: backendRemovable,
  },
  'srv-removable': {
    usage: '<bk>/<srv>',
    doc: 'the server can be deleted: it is in maintenance and has no connection any more',
    holds: serverRemovable,
  },
};

function serverRemovable(env: CliEnv, [name]: readonly string[]): boolean | string {
  const target = findServer(env, name);
  if (typeof target === 'string') return target;
  const refusal = notRemovable(env, target);
  return refusal?.forGood ? refusal.why : refusal === null;
}

function backendRemovable(env: CliEnv, [name]: readonly string[]): boolean | string {
  const proxy = findBackend(env, name);
  if (typeof proxy === 'string') return proxy;
  const refusal = backendStays(env, proxy);
  return refusal?.forGood ? refusal.why : refusal === null;
}

function usage(): string {
  const rows = Object.entries(CONDITIONS).map(([name, { usage, doc }]) => `  - ${name} ${usage} : ${doc}`);
  return [
    'Usage: wait {-h|<duration>} [condition [args...]]',
    'Waits for <duration> at most (milliseconds, or with a unit) until the condition holds.',
    'Without a condition it waits all of that time. Conditions:',
    ...rows,
  ].join('\n');
}

function wait({ env, args }: Call): Reply {
  const [duration, name, ...rest] = args;
  if (duration === undefined || duration === '-h' || name === '-h') return usage();
  const time = parseTime(duration, 'ms');
  if ('error' in time) return 'Invalid duration.';
  if (name === undefined) return until(env, time.value, () => false, '');
  const condition = Object.hasOwn(CONDITIONS, name) ? CONDITIONS[name]! : null;
  if (condition === null) return `Unknown condition '${name}'.\n${usage()}`;
  return until(env, time.value, () => condition.holds(env, rest), 'Wait delay expired.');
}

/** `late` is the answer when the time is over first. */
function until(env: CliEnv, ms: number, look: () => boolean | string, late: string): Later {
  return done => {
    const end = env.now() + ms;
    const timer: Timer<null> = new Timer(null, () => {
      const found = look();
      const now = env.now();
      if (found === true) done('Done.', null);
      else if (found !== false) done(found, null);
      else if (now >= end) done(late, null);
      else env.wheel.arm(timer, Math.min(end, late === '' ? end : now + LOOK_MS));
    });
    env.wheel.arm(timer, env.now());
    return () => env.wheel.forget(timer);
  };
}

export const WAIT_COMMAND: Command = {
  words: 'wait',
  usage: '{-h|<delay>} [<condition>]',
  help: 'wait the specified delay or condition (-h to see list)',
  level: 'user',
  run: wait,
};
