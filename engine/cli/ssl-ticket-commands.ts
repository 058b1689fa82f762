/** Keys of session tickets out of files: `show tls-keys`, `set ssl tls-key`. Who shows secrets must be allowed to change them. */
import type { DerFile } from '../config/tls-model.ts';
import { rotated } from '../tls/ticket-file.ts';
import { allowed, type Call, type CliEnv, type Command } from './command.ts';
import { err, info, type Message } from './severity.ts';
import { NO_ROOM } from './ssl-transaction.ts';

/** Files are known by their names, or by `#` and their place. */
function find({ tls }: CliEnv, word: string): DerFile | undefined {
  const files = tls.store.all.ticketKeys;
  return files.find(({ name }, i) => name === word || `#${i}` === word);
}

function show({ env, state, args: [word] }: Call): string | Message {
  const files = env.tls.store.all.ticketKeys;
  if (word === undefined) return ['# id (file)', ...files.map(({ name }, i) => `${i} (${name})`)].join('\n');
  if (!allowed(state.level, 'admin')) return err("'show tls-keys' shows secrets only where the level is admin");
  const wanted = word === '*' ? files : [find(env, word)].filter(file => file !== undefined);
  if (word !== '*' && wanted.length === 0) return err("'show tls-keys' unable to locate referenced filename");
  return ['# id secret', ...wanted.flatMap(file => secrets(file, files.indexOf(file)))].join('\n');
}

function secrets({ name, entries }: DerFile, id: number): string[] {
  return [`# ${id} (${name})`, ...entries.map((key, i) => `${id}.${i} ${Buffer.from(key).toString('base64')}`)];
}

const SET = "'set ssl tls-key'";

function set({ env, args: [word, text] }: Call): string | Message {
  if (!word || !text) return `${SET} expects a filename and the new TLS key in base64 encoding.`;
  const file = find(env, word);
  if (file === undefined) return `${SET} unable to locate referenced filename`;
  const key = Buffer.from(text, 'base64');
  if (key.length === 0 || key.toString('base64') !== text) return `${SET} received invalid base64 encoded TLS key.`;
  const next = rotated(file, new Uint8Array(key));
  if (next === null) return `${SET} received a key of wrong size.`;
  return env.tls.putTicketKeys(next) ? info('TLS ticket key updated!') : NO_ROOM;
}

export const SSL_TICKET_COMMANDS: readonly Command[] = [
  {
    words: 'show tls-keys',
    usage: '[id|*]',
    help: 'show tls keys references or dump tls ticket keys when id specified',
    level: 'user',
    run: show,
  },
  {
    words: 'set ssl tls-key',
    usage: '<id|file> <key>',
    help: 'set the next TLS key for the <id> or <file> listener to <key>',
    level: 'admin',
    run: set,
  },
];
