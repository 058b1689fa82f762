/**
 * `set anon`, `show anon`: whether the names and addresses that a session is shown are hashes (config/anonymous.ts). The key
 * is the session's; where none is given, that of the process, which all hashes of a report should share.
 */
import { randomInt } from 'node:crypto';
import { PROCESS } from '../shm/words.ts';
import { allowed, type Call, type Command } from './command.ts';
import { info, type Message } from './severity.ts';

const KEY_MAX = 0xffff_ffff;

const USAGE = `'set anon' only supports:
  - 'on' [key] to turn the anonymized mode on
  - 'off' to turn it off
  - 'global-key' <key> to set the key of the process`;

/** A key of at least `min`; null = it is none. */
function keyOf(text: string | undefined, min: number): number | null {
  const key = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : -1;
  return key >= min && key <= KEY_MAX ? key : null;
}

function setAnon({ env, state, args: [mode, key] }: Call): string {
  if (mode === 'off') {
    if (key !== undefined) return "A key can't be set while the anonymized mode is turned off.";
    state.anonKey = 0;
    return '';
  }
  if (mode !== 'on') return USAGE;
  const { memory } = env;
  const wanted = key === undefined ? globalKey(memory) || randomInt(1, KEY_MAX) : keyOf(key, 1);
  if (wanted === null) return `Value out of range (1 to ${KEY_MAX} expected).`;
  state.anonKey = wanted;
  return '';
}

/** 0 = there is none. */
function globalKey({ words, process }: Call['env']['memory']): number {
  return Atomics.load(words, process + PROCESS.at.anon_key) >>> 0;
}

function setGlobalKey({ env: { memory }, args }: Call): string {
  const key = keyOf(args[0], 0);
  if (key === null) return `Value out of range (0 to ${KEY_MAX} expected).`;
  Atomics.store(memory.words, memory.process + PROCESS.at.anon_key, key | 0);
  return '';
}

function showAnon({ state: { level, anonKey } }: Call): Message {
  if (anonKey === 0) return info('Anonymized mode disabled');
  return info(`Anonymized mode enabled${allowed(level, 'operator') ? `\nKey : ${anonKey}` : ''}`);
}

export const ANON_COMMANDS: readonly Command[] = [
  {
    words: 'set anon',
    usage: '{on [key]|off}',
    help: 'show names and addresses as hashes in this session',
    level: 'user',
    run: setAnon,
  },
  {
    words: 'set anon global-key',
    usage: '<key>',
    help: 'change the key that sessions begin with (0 = none)',
    level: 'admin',
    run: setGlobalKey,
  },
  { words: 'show anon', usage: '', help: 'display the current state of anonymized mode', level: 'user', run: showAnon },
];
