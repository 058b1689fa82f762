/** `show events`: the rings and what is in them. */
import type { LiveRing } from '../log/rings.ts';
import { allowed, type Call, type Command, type Later, type Reply } from './command.ts';
import { DENIED, err } from './severity.ts';

/** Lines of one piece of an answer. */
const LINES_MAX = 200;

/** Sinks that keep nothing. */
const DESCRIPTORS = { stdout: 'standard output (fd#1)', stderr: 'standard output (fd#2)' } as const;

function list({ env }: Call): string {
  const descriptors = Object.entries(DESCRIPTORS).map(([name, description]) => {
    return `    ${name.padEnd(10)} : type=fd, 0 dropped, ${description}`;
  });
  const rows = env.rings.list.map(({ config: { name, description }, buffer: { dropped } }) => {
    return `    ${name.padEnd(10)} : type=buffer, ${dropped} dropped, ${description}`;
  });
  const title = 'Supported events sinks are listed below. Add -0(zero), -w(wait), -n(new). Any key to stop.';
  return [title, ...descriptors, ...rows].join('\n');
}

interface Wish {
  wait: boolean;
  newOnly: boolean;
  /** Lines end with a NUL. */
  zero: boolean;
}

/** null = an option is unknown. */
function wishOf(options: readonly string[]): Wish | null {
  const wish = { wait: false, newOnly: false, zero: false };
  for (const option of options) {
    const letters = /^-([wn0]+)$/.exec(option)?.[1];
    if (letters === undefined) return null;
    for (const letter of letters) {
      if (letter === 'w') wish.wait = true;
      else if (letter === 'n') wish.newOnly = true;
      else wish.zero = true;
    }
  }
  return wish;
}

function showEvents(call: Call): Reply {
  const [name, ...options] = call.args;
  if (name === undefined) return list(call);
  if (!allowed(call.state.level, 'operator')) return DENIED;
  const ring = call.env.rings.list.find(({ config }) => config.name === name);
  if (ring === undefined) return err(name in DESCRIPTORS ? 'Nothing to report for this sink' : 'No such event sink');
  const wish = wishOf(options);
  return wish === null ? 'unknown option' : dump(call, ring, wish);
}

function dump({ env, state }: Call, { buffer }: LiveRing, { wait, newOnly, zero }: Wish): Later {
  const place = buffer.open(false, newOnly);
  const take = (): string => {
    const lines: string[] = [];
    while (lines.length < LINES_MAX) {
      const line = buffer.read(place);
      if (line === null) break;
      lines.push(Buffer.from(line.buffer, line.byteOffset, line.length).toString());
    }
    return zero ? lines.map(line => `${line}\0`).join('') : lines.join('\n');
  };
  const goOn: Later = done => {
    const text = take();
    if (text !== '' || !wait) {
      done(text, text === '' ? null : goOn);
      return () => {};
    }
    // Any input ends it.
    state.interruptible = true;
    const ignore = env.rings.watch(() => {
      const more = take();
      if (more === '') return;
      ignore();
      done(more, goOn);
    });
    return ignore;
  };
  return goOn;
}

export const EVENT_COMMANDS: readonly Command[] = [
  {
    words: 'show events',
    usage: '[<sink>] [-w] [-n] [-0]',
    help: 'show event sink state',
    level: 'user',
    run: showEvents,
  },
];
