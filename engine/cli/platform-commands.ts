/** Commands about the process as the system sees it: they work on nothing of ours, so that the master has them too. */
import { hashed } from '../config/anonymous.ts';
import { type Descriptor, descriptors, type FdKind } from '../io/descriptors.ts';
import { loadedFiles, platformFacts } from '../io/platform.ts';
import type { Call, Command } from './command.ts';
import { err, type Message } from './severity.ts';

/** What `show fd` selects by. */
const FD_FLAGS: Readonly<Record<string, readonly FdKind[]>> = {
  p: ['pipe'],
  l: ['listener'],
  c: ['frontend', 'backend'],
  f: ['frontend'],
  b: ['backend'],
  s: ['backend'],
};

const FD_USAGE = 'Expects [-!plcfbs]* and [[<tgid>]/[<fd>] | <fd>].';

/** Each word with flags leaves some of the kinds; `-` and `!` turn the meaning of those that follow in the word. */
function selected(kinds: ReadonlySet<FdKind>, flags: string): ReadonlySet<FdKind> {
  let omit = false;
  let only: readonly FdKind[] = [];
  let left = kinds;
  for (const flag of flags) {
    if (flag === '-' || flag === '!') omit = !omit;
    else if (omit) left = left.difference(new Set(FD_FLAGS[flag]));
    else only = [...only, ...FD_FLAGS[flag]!];
  }
  return only.length === 0 ? left : left.intersection(new Set(only));
}

function showFd({ args }: Call<unknown>): string | Message {
  let kinds: ReadonlySet<FdKind> = new Set(['pipe', 'listener', 'frontend', 'backend', 'other'] as const);
  let wanted = -1;
  for (const word of args) {
    const number = /^(?:\d*\/(\d*)|(\d+))$/.exec(word);
    if (number !== null) wanted = Number(number[1] || number[2] || -1);
    else if (/^[-!plcfbs]+$/.test(word)) kinds = selected(kinds, word);
    else return err(FD_USAGE);
  }
  const rows = descriptors().filter(({ fd, kind }) => kinds.has(kind) && (wanted < 0 || fd === wanted));
  return rows.map(fdText).join('\n');
}

function fdText({ fd, what, socket }: Descriptor): string {
  return `${String(fd).padStart(7)} : ${what}${socket === '' ? '' : ` ${socket}`}`;
}

function showLibs(): string {
  const hex = (n: bigint, digits: number) => `0x${n.toString(16).padStart(digits, '0')}`;
  return loadedFiles()
    .map(({ path, first, last }) => `${hex(first, 12)}-${hex(last, 12)} (${hex(last - first + 1n, 7)}) ${path}`)
    .join('\n');
}

function showDev({ state }: Call<unknown>): string {
  const shown = (name: string, value: string) => (name === 'node name' ? hashed(value, state.anonKey) : value);
  return platformFacts()
    .flatMap(({ title, rows }) => [title, ...rows.map(([name, value]) => `  ${name}: ${shown(name, String(value))}`)])
    .join('\n');
}

export const PLATFORM_COMMANDS: readonly Command<unknown>[] = [
  { words: 'show dev', usage: '', help: 'show debug info for developers', level: 'operator', run: showDev },
  {
    words: 'show fd',
    usage: '[-!plcfbs]* [num]',
    help: 'dump list of file descriptors in use or a specific one',
    level: 'operator',
    run: showFd,
  },
  { words: 'show libs', usage: '', help: 'show loaded object files and libraries', level: 'operator', run: showLibs },
];
