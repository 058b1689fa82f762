/** Which files are read for a certificate beside its own (manual 3.1). */
import { bare, word } from './fields.ts';
import { type Keyword, supported } from './keyword.ts';
import { EXTRA_FILES, type GlobalTlsDraft } from './tls-draft.ts';

function row(name: string, doc: string) {
  return { where: 'G', name, doc };
}

const CHOICES = ['none', 'all', ...EXTRA_FILES] as const;

export const GLOBAL_TLS_FILES: readonly Keyword<GlobalTlsDraft>[] = [
  supported<GlobalTlsDraft>({
    ...row('ssl-load-extra-files', 'Which files beside a certificate are read.'),
    ...{ args: `<${CHOICES.join('|')}> ...`, good: ['ssl-load-extra-files none', 'ssl-load-extra-files key ocsp'] },
    parse(cursor, tls) {
      const wanted = new Set<string>();
      const words = cursor.left;
      do {
        const choice = cursor.expectOneOf('ssl-load-extra-files', CHOICES);
        if (choice === null) return;
        if (words > 1 && (choice === 'none' || choice === 'all')) {
          return cursor.error("'ssl-load-extra-files' 'none' and 'all' can be only used alone");
        }
        for (const kind of choice === 'all' ? EXTRA_FILES : [choice]) wanted.add(kind);
      } while (cursor.left > 0);
      tls.extraFiles = EXTRA_FILES.filter(kind => wanted.has(kind));
    },
    bad: [
      [
        'ssl-load-extra-files foo',
        "'ssl-load-extra-files' expects 'none', 'all', 'bundle', 'sctl', 'ocsp', 'issuer' or 'key', not 'foo'",
      ],
      ['ssl-load-extra-files none key', "'ssl-load-extra-files' 'none' and 'all' can be only used alone"],
    ],
  }),
  bare(row('ssl-load-extra-del-ext', 'Files beside `x.crt` are `x.key` and the like, not `x.crt.key`.'), {
    removeExtension: true,
  }),
  word(row('issuers-chain-path', 'Folder of chains for certificates that have none.'), '<directory>', 'issuersFolder'),
  bare(row('ssl-skip-self-issued-ca', 'Leaves roots out of chains.'), { skipSelfIssued: true }),
];
