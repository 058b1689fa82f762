/** `ssl-f-use`: certificates for all bind lines of a proxy that speak TLS (manual 4.2). */
import type { ProxyDraft } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';
import { SSL_F_USE_LINE } from './keywords-tls-bind.ts';
import { readSettings, Table } from './table.ts';
import { newBindTls } from './tls-draft.ts';

const TABLE = new Table(SSL_F_USE_LINE);
const MISSING = "'ssl-f-use' expects a 'crt'";

export const SSL_F_USE: Keyword<ProxyDraft> = supported<ProxyDraft>({
  ...{ name: 'ssl-f-use', where: 'FL', args: 'crt <file> [<setting> ...]' },
  doc: 'A certificate for the TLS bind lines of this proxy, with settings of its own.',
  good: ['ssl-f-use crt foo.pem', 'ssl-f-use crt foo.crt key foo.key ssl-min-ver TLSv1.3 ocsp-update on'],
  parse(cursor, proxy, context) {
    const { file, line } = cursor.line;
    const draft = newBindTls();
    const words = cursor.line.words.slice(cursor.index).map(({ text }) => text);
    if (!readSettings(TABLE, cursor, draft, "'ssl-f-use'", context)) return;
    const crt = draft.load?.crt ?? null;
    if (crt === null) return cursor.error(MISSING);
    const at = words.indexOf('crt');
    const settings = words.filter((_, i) => i !== at && i !== at + 1).join(' ');
    // A line that says no more than the file leaves how it is loaded to others.
    const plain = Object.entries(draft.load!).every(([name, value]) => name === 'crt' || value === null);
    const own = { ...draft, load: plain ? null : draft.load };
    const number = proxy.sslUses.length + 1;
    const place = { file, line };
    proxy.sslUses.push({
      file: crt,
      line: number,
      filters: [],
      draft: settings === '' ? null : own,
      settings,
      at: place,
    });
  },
  bad: [
    ['ssl-f-use', MISSING],
    ['ssl-f-use crt foo nonsense', "'ssl-f-use': unknown keyword 'nonsense'"],
  ],
});
