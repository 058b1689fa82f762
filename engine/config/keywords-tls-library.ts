/** What the OpenSSL inside Node has to work with, and who tells it the passphrases of private keys (manual 3.1). */
import { word } from './fields.ts';
import { type Keyword, later, supported } from './keyword.ts';
import type { GlobalTlsDraft } from './tls-draft.ts';

function row(name: string, doc: string) {
  return { where: 'G', name, doc };
}

const NO_PROVIDER = "global statement 'ssl-provider' expects a valid engine provider name as an argument.";
const NO_QUERY = "global statement 'ssl-propquery' expects a property string as an argument.";

export const GLOBAL_TLS_LIBRARY: readonly Keyword<GlobalTlsDraft>[] = [
  supported<GlobalTlsDraft>({
    ...row('ssl-provider', 'Loads a provider of algorithms into OpenSSL, beside `default`, which is always there.'),
    ...{ args: '<name>', good: ['ssl-provider default'], bad: [['ssl-provider', NO_PROVIDER]] },
    parse(cursor, { providers, providerFolder }) {
      const { file, line } = cursor.line;
      const name = cursor.next()?.text ?? '';
      if (name === '') cursor.error(NO_PROVIDER);
      else providers.push({ file, line, name, folder: providerFolder });
    },
  }),
  word(
    row('ssl-provider-path', 'Folder of the providers that are named after it.'),
    '<directory>',
    'providerFolder',
    "global statement 'ssl-provider-path' expects a directory path as an argument.",
  ),
  supported<GlobalTlsDraft>({
    ...row('ssl-propquery', 'Which of the providers an algorithm is taken from.'),
    ...{ args: '<query>', good: ['ssl-propquery ?provider=default'], bad: [['ssl-propquery', NO_QUERY]] },
    parse(cursor, tls) {
      const { file, line } = cursor.line;
      const text = cursor.next()?.text ?? '';
      if (text === '') cursor.error(NO_QUERY);
      else tls.properties = { file, line, text };
    },
  }),
  supported<GlobalTlsDraft>({
    ...row('ssl-passphrase-cmd', 'Program that writes the passphrase of the private key whose file it is told first.'),
    ...{ args: '<command> [<argument>...]', good: ['ssl-passphrase-cmd /bin/ask', 'ssl-passphrase-cmd ask -v'] },
    parse(cursor, tls) {
      const words = cursor.rest().map(({ text }) => text);
      if (words.length === 0) cursor.error("'ssl-passphrase-cmd' expects a command");
      else tls.passphraseCommand = words;
    },
    bad: [['ssl-passphrase-cmd', "'ssl-passphrase-cmd' expects a command"]],
  }),
  later('ssl-engine', 'G', '<engine> ...', 'OpenSSL engines.', "OpenSSL gives them up, use 'ssl-provider'"),
];
