/** crt-lists at run time: `show`, `add`, `del ssl crt-list`. */
import { ownSettings } from '../config/build-tls.ts';
import { based } from '../config/certificate-files.ts';
import { readCrtList } from '../config/crt-list.ts';
import { Diagnostics } from '../config/diagnostics.ts';
import type { BindSettings, CrtListLine } from '../config/tls-model.ts';
import { certificatesOf } from '../tls/listener.ts';
import type { Call, CliEnv, Command } from './command.ts';
import { data, err, type Message, notice } from './severity.ts';
import { problemIn } from './ssl-cert-commands.ts';
import { desksOf, NO_ROOM } from './ssl-transaction.ts';
import { type TlsBind, tlsBinds } from './ssl-uses.ts';

function bindsOf(env: CliEnv, list: string): TlsBind[] {
  return tlsBinds(env).filter(({ tls }) => tls.lists.includes(list));
}

// --- show ---

function show({ env, args }: Call): string | Message {
  const { store } = env.tls;
  const numbered = args[0] === '-n';
  const [name] = numbered ? args.slice(1) : args;
  if (name === undefined) {
    return numbered
      ? err("'show ssl crt-list -n' expects a filename or a directory")
      : store.all.lists.sort().join('\n');
  }
  const lines = store.list(name);
  if (lines === null) return err("didn't find the specified filename");
  const rows = lines.flatMap(({ number, certificates, settings, filters }) =>
    certificates.map(certificate => {
      const place = numbered ? `${certificate}:${number}` : certificate;
      return [place, ...(settings === '' ? [] : [`[${settings}]`]), ...filters].join(' ');
    }),
  );
  return [`# ${name}`, ...rows].join('\n');
}

// --- add ---

const ADD_USAGE = "'add ssl crtlist' expects a filename and a certificate name";

/** Files are not read at run time. */
const NO_FILES = { env: {}, resolve: () => null, readFile: () => null, readFolder: () => null };

/** The one line of a payload, or that of a name; a text says what is wrong. */
function lineOf(env: CliEnv, text: string): Omit<CrtListLine, 'number'> | string {
  const diagnostics = new Diagnostics();
  const [line, ...more] = readCrtList('CLI', Buffer.from(text), diagnostics, NO_FILES);
  const [problem] = diagnostics.list.filter(({ severity }) => severity === 'alert');
  if (problem !== undefined) return `parsing [CLI:1]: ${problem.message}`;
  if (more.length > 0) return 'only one line of payload is supported!';
  if (line === undefined) return 'there is no line in the payload!';
  const { crtBase, caBase } = env.model.global.tls;
  const { file, draft, filters, settings } = line;
  if (draft !== null && draft.load !== null) return 'a certificate that is there already is not loaded again!';
  const added = ownSettings(draft);
  const files = [added.caFile, added.caVerifyFile, added.crlFile].filter(name => typeof name === 'string');
  const unknown = files.find(name => !knows(env, based(name, caBase)));
  if (unknown !== undefined) return `file '${unknown}' does not exist!`;
  return { certificates: [based(file, crtBase)], filters, settings, added: withBase(added, caBase) };
}

function knows({ tls }: CliEnv, name: string): boolean {
  const { authorities, revocations } = tls.store.all;
  return [...authorities, ...revocations].some(file => file.name === name);
}

function withBase(added: Partial<BindSettings>, base: string | null): Partial<BindSettings> {
  const fields = ['caFile', 'caVerifyFile', 'crlFile'] as const;
  const named = fields.flatMap(field => {
    const name = added[field];
    return typeof name === 'string' ? [[field, based(name, base)] as const] : [];
  });
  return { ...added, ...Object.fromEntries(named) };
}

/** Why a file cannot come into a folder; null = it can. */
function misfit(folder: string, lines: readonly CrtListLine[], name: string): string | null {
  if (!name.startsWith(`${folder.replace(/\/+$/, '')}/`)) {
    return `'${folder}' is a directory, certificate path '${name}' must contain the directory path`;
  }
  const there = lines.some(({ certificates }) => certificates.includes(name));
  return there ? 'file already exists in this directory!' : null;
}

function add({ env, args: [list, certificate], payload }: Call): string | Message {
  if (!list || (!certificate && payload === null)) return ADD_USAGE;
  const cannot = (why: string) => `Can't edit the crt-list: ${why}`;
  const lines = env.tls.store.list(list);
  if (lines === null) return cannot(`crt-list '${list}' does not exist!`);
  const line = lineOf(env, payload ?? certificate!);
  if (typeof line === 'string') return cannot(line);
  const [name = ''] = line.certificates;
  const misplaced = env.model.tls.lists.some(each => each.folder && each.name === list) && misfit(list, lines, name);
  if (misplaced) return cannot(misplaced);
  const found = env.tls.store.find(name);
  if (found === null) {
    const why = desksOf(env).certificates.empty.has(name) ? 'is empty' : 'does not exist';
    return cannot(`certificate '${name}' ${why}!`);
  }
  const binds = bindsOf(env, list);
  for (const { tls } of binds) {
    const problem = problemIn(env, tls, { ...tls, ...line.added }, found);
    if (problem !== null) return cannot(`unable to ${problem}`);
  }
  const number = Math.max(0, ...lines.map(other => other.number)) + 1;
  if (!env.tls.putList(list, [...lines, { ...line, number }])) return cannot(NO_ROOM);
  return data(`Inserting certificate '${name}' in crt-list '${list}'${'.'.repeat(binds.length)}\nSuccess!`);
}

// --- del ---

function remove({ env, args: [list, word] }: Call): string | Message {
  if (!list || !word) return "'del ssl crtlist' expects a filename and a certificate name";
  const cannot = (why: string) => `Can't delete the entry: ${why}`;
  const lines = env.tls.store.list(list);
  if (lines === null) return cannot(`crt-list '${list}' does not exist!`);
  const [, name = '', number] = /^(.*?)(?::(\d+))?$/.exec(word) ?? [];
  const found = lines.filter(({ certificates }) => certificates.includes(name));
  if (found.length === 0) return cannot(`certificate '${name}' does not exist!`);
  const numbers = `please specify a ${number === undefined ? '' : 'correct '}line number preceded by colons (${found.map(line => line.number).join(', ')})!`;
  if (number === undefined && found.length > 1) {
    return cannot(`found the certificate '${name}' in several entries, ${numbers}`);
  }
  const line = number === undefined ? found[0] : found.find(other => other.number === Number(number));
  if (line === undefined) {
    return cannot(`found a certificate '${name}' but the line number is incorrect, ${numbers}`);
  }
  const defaults = bindsOf(env, list).filter(({ tls }) => isDefault(env, tls, list, line));
  if (defaults.length > 0) {
    const places = defaults.map(({ bind }) => `\t- ${bind.file}:${bind.line}\n`).join('');
    const why = 'cannot be deleted, it is used as default certificate by the following frontends:';
    return cannot(`certificate '${name}' ${why}\n${places}`);
  }
  const left = lines.filter(other => other !== line);
  if (!env.tls.putList(list, left)) return cannot(NO_ROOM);
  return notice(`Entry '${name}' deleted in crtlist '${list}'!`);
}

/** A line that a client gets who names nothing. */
function isDefault(env: CliEnv, tls: TlsBind['tls'], list: string, line: CrtListLine): boolean {
  const entries = certificatesOf(tls, env.tls.store);
  const chosen = entries.filter(entry => entry.isDefault);
  const defaults = tls.strictSni ? [] : chosen.length > 0 ? chosen : entries.slice(0, 1);
  return defaults.some(({ from }) => from?.list === list && from.line === line.number) && defaults.length === 1;
}

export const SSL_LIST_COMMANDS: readonly Command[] = [
  {
    words: 'show ssl crt-list',
    usage: '[-n] [<list>]',
    help: 'show the list of crt-lists or the content of a crt-list file <list>',
    level: 'admin',
    run: show,
  },
  {
    words: 'add ssl crt-list',
    usage: '<list> <cert> [opts]*',
    help: 'add to crt-list file <list> a line <cert> or a payload',
    level: 'admin',
    run: add,
  },
  {
    words: 'del ssl crt-list',
    usage: '<list> <cert[:line]>',
    help: 'delete a line <cert> from crt-list file <list>',
    level: 'admin',
    run: remove,
  },
];
