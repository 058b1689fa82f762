/** TLS settings of `bind` and `server` lines; those of crt-lists and of `ssl-default-*-options` are among them. */
import type { Cursor } from './cursor.ts';
import { bare, word } from './fields.ts';
import { accepted, type Keyword, supported } from './keyword.ts';
import type { TlsDraft } from './tls-draft.ts';
import type { IgnoredErrors, Verify } from './tls-model.ts';
import { VERSIONS } from './tls-versions.ts';
import { X509_ERROR_MAX, X509_ERRORS } from './x509-errors.ts';

type Row<T> = Keyword<T>;

export function row(name: string, doc: string) {
  return { where: '', name, doc };
}

/** A row of a table of TLS settings as one of the lines that have them in a part of their draft. */
export function within<T, P>(rows: readonly Row<P>[], part: (draft: T) => P): Row<T>[] {
  return rows.map(keyword => ({
    ...keyword,
    parse: (cursor, draft, context) => keyword.parse(cursor, part(draft), context),
  }));
}

function versionRow<T extends TlsDraft>(name: string, field: 'minVersion' | 'maxVersion', doc: string): Row<T> {
  const names = VERSIONS.map(version => `'${version}'`);
  const kind = `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
  return supported<T>({
    ...{ ...row(name, doc), args: '<version>', good: [`${name} TLSv1.2`] },
    parse(cursor, draft) {
      const version = cursor.expectOneOf(name, VERSIONS);
      if (version !== null) draft[field] = version;
    },
    bad: [[`${name} TLSv9`, `'${name}' expects ${kind}, not 'TLSv9'`]],
  });
}

/** `no-tlsv12`, `force-tlsv12` and the others: one pair for each version. */
function oldVersionRows<T extends TlsDraft>(): Row<T>[] {
  return VERSIONS.flatMap(version => {
    const name = version.toLowerCase().replace('.', '');
    return [
      supported<T>({
        ...{ ...row(`no-${name}`, `Not ${version}.`), args: '', good: [`no-${name}`], bad: [] },
        parse: (_cursor, draft) => void draft.noVersions.push(version),
      }),
      supported<T>({
        ...{ ...row(`force-${name}`, `${version} only.`), args: '', good: [`force-${name}`], bad: [] },
        parse(_cursor, draft) {
          draft.minVersion = version;
          draft.maxVersion = version;
        },
      }),
    ];
  });
}

export function protocols(cursor: Cursor, name: string): string[] | null {
  const list = cursor.expectWord(name);
  if (list === null) return null;
  const names = list.text.split(',').filter(text => text !== '');
  if (names.every(text => text.length < 256)) return names;
  cursor.error(`'${name}': a protocol name is too long`);
  return null;
}

/** Rows that `bind`, `server` and crt-lists have in common. `verify` differs. */
export function commonRows<T extends TlsDraft>(): Row<T>[] {
  return [
    word<T>(row('ciphers', 'Ciphers of TLS 1.2 and older.'), '<ciphers>', 'ciphers' as never),
    word<T>(row('ciphersuites', 'Ciphers of TLS 1.3.'), '<suites>', 'ciphersuites' as never),
    word<T>(row('curves', 'Groups of the key exchange, best first.'), '<curves>', 'curves' as never),
    word<T>(row('sigalgs', 'Signature algorithms.'), '<algorithms>', 'sigalgs' as never),
    word<T>(
      row('client-sigalgs', 'Signature algorithms of client certificates.'),
      '<algorithms>',
      'clientSigalgs' as never,
    ),
    word<T>(row('crl-file', 'Lists of revoked certificates.'), '<file>', 'crlFile' as never),
    word<T>(row('ca-file', 'Authorities that vouch for certificates of the peer.'), '<file>', 'caFile' as never),
    versionRow<T>('ssl-min-ver', 'minVersion', 'Oldest TLS version.'),
    versionRow<T>('ssl-max-ver', 'maxVersion', 'Newest TLS version.'),
    ...oldVersionRows<T>(),
    bare<T>(row('no-tls-tickets', 'No session tickets.'), { tickets: false } as Partial<T>),
    bare<T>(row('tls-tickets', 'Session tickets.'), { tickets: true } as Partial<T>),
    supported<T>({
      ...row('alpn', 'Protocols offered, best first. `h2` is left out for now.'),
      ...{ args: '<protocols>', good: ['alpn http/1.1', 'alpn h2,http/1.1'] },
      parse(cursor, draft) {
        const names = protocols(cursor, 'alpn');
        if (names !== null) draft.alpn = names;
      },
      bad: [['alpn', "'alpn' expects an argument"]],
    }),
    accepted<T>('npn', '', '<protocols>', 'Protocols offered the old way.', 'no client knows NPN any more'),
    accepted<T>('ktls', '', '<on|off>', 'TLS in the kernel.', 'records are made here'),
  ];
}

export function verifyRow<T extends TlsDraft>(values: readonly Verify[], doc: string): Row<T> {
  const names = values.map(value => `'${value}'`);
  const kind = `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
  return supported<T>({
    ...{ ...row('verify', doc), args: `<${values.join('|')}>`, good: values.map(value => `verify ${value}`) },
    parse(cursor, draft) {
      const verify = cursor.expectOneOf('verify', values);
      if (verify !== null) draft.verify = verify;
    },
    bad: [['verify foo', `'verify' expects ${kind}, not 'foo'`]],
  });
}

/** `all`, or numbers and names of errors, separated by commas. Null after reporting. */
export function ignoredErrors(cursor: Cursor, name: string): IgnoredErrors | null {
  const list = cursor.expectWord(name);
  if (list === null) return null;
  if (list.text === 'all') return 'all';
  const numbers: number[] = [];
  for (const text of list.text.split(',')) {
    const number = /^\d+$/.test(text) ? Number(text) : X509_ERRORS[text];
    if (number === undefined || number < 1 || number > X509_ERROR_MAX) {
      const why = number === undefined ? 'not recognized' : `out of range (1..${X509_ERROR_MAX})`;
      cursor.error(`'${name}': error code '${text}' ${why}`);
      return null;
    }
    numbers.push(number);
  }
  return numbers;
}
