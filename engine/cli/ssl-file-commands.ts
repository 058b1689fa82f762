/** `ca-file` and `crl-file` at run time: `show`, `set`, `add`, `commit`, `abort`, `new`, `del`. The two differ in a table. */
import type { DerFile } from '../config/tls-model.ts';
import { type Problem, readAuthorities, readRevocations } from '../tls/bundle.ts';
import type { TlsChanges } from '../tls/changes.ts';
import type { Call, CliEnv, Command } from './command.ts';
import { err, type Message, notice } from './severity.ts';
import { authorityLines, revocationLines } from './ssl-text.ts';
import { committed, type Desk, desksOf, listing, NO_ROOM, readName } from './ssl-transaction.ts';
import { fileUses } from './ssl-uses.ts';

interface Kind {
  readonly what: 'ca-file' | 'crl-file';
  /** As messages write it. */
  readonly noun: 'CA' | 'CRL';
  /** What they call the number of an entry. */
  readonly contents: string;
  desk(env: CliEnv): Desk<DerFile>;
  all(tls: TlsChanges): readonly DerFile[];
  read(name: string, pem: Uint8Array): DerFile | Problem;
  put(tls: TlsChanges, file: DerFile): boolean;
  remove(tls: TlsChanges, name: string): boolean;
  lines(der: Uint8Array, number: number): string[];
  /** The line of a list of files. */
  title(file: DerFile): string;
}

const CA: Kind = {
  ...{ what: 'ca-file', noun: 'CA', contents: 'CAs', read: readAuthorities, lines: authorityLines },
  desk: env => desksOf(env).authorities,
  all: ({ store }) => store.all.authorities,
  put: (tls, file) => tls.putAuthorities(file),
  remove: (tls, name) => tls.removeAuthorities(name),
  title: ({ name, entries }) => `${name} - ${entries.length} certificate(s)`,
};

const CRL: Kind = {
  ...{ what: 'crl-file', noun: 'CRL', contents: 'CRLs', read: readRevocations, lines: revocationLines },
  desk: env => desksOf(env).revocations,
  all: ({ store }) => store.all.revocations,
  put: (tls, file) => tls.putRevocations(file),
  remove: (tls, name) => tls.removeRevocations(name),
  title: ({ name }) => name,
};

/** The file as it is in force, or new and still empty; null = nobody knows it. */
function find(kind: Kind, { env }: Pick<Call, 'env'>, name: string): DerFile | null {
  const known = kind.all(env.tls).find(file => file.name === name);
  return known ?? (kind.desk(env).empty.has(name) ? { name, entries: [] } : null);
}

function show(kind: Kind, call: Call): string | Message {
  const { env, args } = call;
  const { transaction, empty } = kind.desk(env);
  const [word] = args;
  if (word === undefined) {
    const files = [...kind.all(env.tls), ...[...empty].map(name => ({ name, entries: [] }))];
    const titles = files.sort((a, b) => (a.name < b.name ? -1 : 1)).map(kind.title);
    return listing(transaction === null ? null : kind.title(transaction), titles);
  }
  const [, path = '', index] = /^(.*?)(?::([^:/]*))?$/.exec(word) ?? [];
  if (index !== undefined && !(Number(index) >= 1)) return err(`wrong ${kind.noun} index after colons in '${word}'!`);
  const { name, prepared } = readName(path);
  const file = prepared ? transaction : find(kind, call, name);
  if (file === null || file.name !== name) return err(`Can't display the ${kind.noun} file : Not found!`);
  const number = index === undefined ? 0 : Number(index);
  if (kind === CA && number > file.entries.length) return '';
  const status = !prepared && fileUses(env, name) > 0 ? 'Used' : 'Unused';
  const entries = file.entries.flatMap((der, i) => (number === 0 || number === i + 1 ? kind.lines(der, i + 1) : []));
  return [`Filename: ${path}`, `Status: ${status}`, ...entries].join('\n');
}

/** `set` replaces all that is in the transaction, `add` adds to it. */
function change(kind: Kind, verb: 'set' | 'add', call: Call): string | Message {
  const { env, args, payload } = call;
  const [name] = args;
  const { what, noun } = kind;
  if (!name || payload === null) return `'${verb} ssl ${what} expects a filename and ${kind.contents} as a payload`;
  const desk = kind.desk(env);
  const failed = `Can't update ${name}!`;
  const conflict = desk.conflict(name, 'set');
  if (conflict !== null) return `${conflict}\n${failed}`;
  const known = desk.transaction ?? find(kind, call, name);
  if (known === null) {
    return `Can't replace a ${noun} file which is not referenced by the configuration!\n${failed}`;
  }
  const read = kind.read(name, Buffer.from(payload));
  if ('problem' in read) return `Invalid payload\n${read.problem}\n${failed}`;
  const before = verb === 'add' ? known.entries : [];
  const isNew = desk.prepare({ name, entries: [...before, ...read.entries] });
  return notice(`transaction ${isNew ? 'created' : 'updated'} for ${noun} ${name}!`);
}

function commit(kind: Kind, { env, args: [name] }: Call): string | Message {
  if (!name) return `'commit ssl ${kind.what} expects a filename`;
  const desk = kind.desk(env);
  const failed = `Can't commit ${name}!`;
  if (desk.transaction === null) return `No ongoing transaction! !\n${failed}`;
  const conflict = desk.conflict(name, 'set');
  if (conflict !== null) return `${conflict}\n${failed}`;
  if (!kind.put(env.tls, desk.transaction)) return `${NO_ROOM}\n${failed}`;
  desk.transaction = null;
  desk.empty.delete(name);
  return committed(name, fileUses(env, name));
}

function create(kind: Kind, call: Call): string | Message {
  const [name] = call.args;
  if (!name) return `'new ssl ${kind.what}' expects a filename`;
  if (find(kind, call, name) !== null) return `${kind.noun} file '${name}' already exists!`;
  const { empty } = kind.desk(call.env);
  if (empty.size >= EMPTY_MAX) return NO_ROOM;
  empty.add(name);
  return notice(`New ${kind.noun} file created '${name}'!`);
}

/** Names without content, at most. */
const EMPTY_MAX = 10_000;

function remove(kind: Kind, call: Call): string | Message {
  const { env, args } = call;
  const [name] = args;
  const noun = `${kind.noun} file`;
  if (!name) return `'del ssl ${kind.what}' expects a ${noun} name`;
  const cannot = (why: string) => `Can't remove the ${noun}: ${noun} '${name}' ${why}!\n`;
  if (kind.desk(env).empty.delete(name)) return notice(`${noun} '${name}' deleted!`);
  if (find(kind, call, name) === null) return cannot("doesn't exist");
  if (fileUses(env, name) > 0) return cannot("in use, can't be deleted");
  return kind.remove(env.tls, name) ? `${noun} '${name}' deleted!` : NO_ROOM;
}

function commands(kind: Kind): Command[] {
  const { what, noun } = kind;
  const file = `<${what.replace('-', '')}>`;
  const admin = 'admin' as const;
  return [
    {
      words: `show ssl ${what}`,
      usage: `[${file}[:<index>]]`,
      help: `display the SSL ${noun} files used in memory, or the details of a ${file}, or of one entry of it`,
      level: 'user',
      run: call => show(kind, call),
    },
    {
      words: `set ssl ${what}`,
      usage: `${file} <payload>`,
      help: `replace a ${noun} file`,
      level: admin,
      run: call => change(kind, 'set', call),
    },
    {
      words: `commit ssl ${what}`,
      usage: file,
      help: `commit a ${noun} file`,
      level: admin,
      run: call => commit(kind, call),
    },
    {
      words: `abort ssl ${what}`,
      usage: file,
      help: `abort a transaction for a ${noun} file`,
      level: admin,
      run: ({ env, args: [name] }) => kind.desk(env).abort(name, what, `${noun} file`),
    },
    {
      words: `new ssl ${what}`,
      usage: file,
      help: `create a new ${noun} file to be used in a crt-list`,
      level: admin,
      run: call => create(kind, call),
    },
    {
      words: `del ssl ${what}`,
      usage: file,
      help: `delete an unused ${noun} file`,
      level: admin,
      run: call => remove(kind, call),
    },
  ];
}

export const SSL_FILE_COMMANDS: readonly Command[] = [
  ...commands(CA),
  ...commands(CRL),
  {
    words: 'add ssl ca-file',
    usage: '<cafile> <payload>',
    help: 'add a certificate into the CA file',
    level: 'admin',
    run: call => change(CA, 'add', call),
  },
];
