/** Finding a command, and what to say when there is none: lists of commands in HAProxy's shape. */
import { distance } from '../config/suggest.ts';
import { allowed, type Command, type Level } from './command.ts';

/** Columns of a command's words and usage before its help. */
const USAGE_WIDTH = 40;
/** Commands offered for an unknown one, beside the basic ones. */
const OFFERS_MAX = 5;
/** Slips above which a word is not taken for another. */
const SLIPS_MAX = 2;
/** Always offered, at the end. */
const BASIC = ['help', 'prompt', 'quit'];

/** The command that `words` begin with, the longest one; null when there is none. */
export function findCommand<E>(commands: readonly Command<E>[], words: readonly string[]): Command<E> | null {
  let best: Command<E> | null = null;
  for (const command of commands) {
    const own = command.words.split(' ');
    const longer = best === null || own.length > best.words.split(' ').length;
    if (longer && own.every((w, i) => w === words[i])) best = command;
  }
  return best;
}

/** `help [<command>]`. */
export function helpText<E>(commands: readonly Command<E>[], level: Level, about: readonly string[]): string {
  const mine = commands.filter(c => !c.hidden && allowed(level, c.level));
  const found = about.length === 0 ? mine : offers(mine, about);
  return `The following commands are valid at this level:\n${list(mine, found)}`;
}

/** The answer to words that are no command. */
export function unknownText<E>(commands: readonly Command<E>[], level: Level, words: readonly string[]): string {
  const mine = commands.filter(c => !c.hidden && allowed(level, c.level));
  if (words.length === 0) {
    return `Unknown command. Please enter one of the following commands only:\n${list(mine, mine)}`;
  }
  const near = offers(mine, words);
  const what = `Unknown command: '${words.join(' ')}'`;
  if (near.length === 0) return `${what}. Please enter one of the following commands only:\n${list(mine, mine)}`;
  return `${what}, but maybe one of the following ones is a better match:\n${list(mine, near)}`;
}

function list<E>(commands: readonly Command<E>[], shown: readonly Command<E>[]): string {
  const basic = BASIC.map(words => commands.find(c => c.words === words)!);
  const rest = shown.filter(c => !BASIC.includes(c.words));
  return [...rest, ...basic].map(c => `  ${`${c.words} ${c.usage}`.padEnd(USAGE_WIDTH)}: ${c.help}`).join('\n');
}

/**
 * What the user may have meant. Of the commands with the same first word, if there are any: those that the words begin
 * (`show`), else those with the same second word, else the nearest, else all. Otherwise the nearest of all.
 */
function offers<E>(commands: readonly Command<E>[], words: readonly string[]): readonly Command<E>[] {
  const family = commands.filter(c => c.words.split(' ')[0] === words[0]);
  if (family.length === 0) return nearest(commands, words);
  const begun = family.filter(c => {
    const own = c.words.split(' ');
    return words.every((w, i) => i >= own.length || own[i] === w);
  });
  if (begun.length > 0) return begun;
  // Two words or more that are right tell more than one that is nearly.
  const alike = family.filter(c => c.words.split(' ')[1] === words[1]);
  if (alike.length > 0) return alike;
  const near = nearest(family, words);
  return near.length > 0 ? near : family;
}

function nearest<E>(commands: readonly Command<E>[], words: readonly string[]): readonly Command<E>[] {
  return commands
    .map(command => ({ command, slips: slips(command.words.split(' '), words) }))
    .filter(o => o.slips !== Infinity)
    .sort((a, b) => a.slips - b.slips)
    .slice(0, OFFERS_MAX)
    .map(o => o.command);
}

/** Slips between a command and what was typed; Infinity when a word has too many. A word cut short is half a slip. */
function slips(own: readonly string[], typed: readonly string[]): number {
  let sum = 0;
  for (let i = 0; i < own.length; i++) {
    const word = typed[i] ?? '';
    if (word === own[i]) continue;
    if (word !== '' && own[i]!.startsWith(word)) {
      sum += 0.5;
      continue;
    }
    const d = distance(word, own[i]!, SLIPS_MAX);
    if (d > SLIPS_MAX || d >= own[i]!.length) return Infinity;
    sum += d;
  }
  return sum;
}
