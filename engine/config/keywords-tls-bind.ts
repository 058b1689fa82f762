/** TLS settings of `bind` lines; those marked so may stand in a crt-list, too. */
import { bare, word } from './fields.ts';
import { type Keyword, later, supported } from './keyword.ts';
import { CRT, LOAD_OPTIONS } from './keywords-crt-store.ts';
import { commonRows, ignoredErrors, row, verifyRow, within } from './keywords-tls.ts';
import { type BindTlsDraft, type LoadDraft, newLoad } from './tls-draft.ts';
import { X509_ERROR_MAX } from './x509-errors.ts';

type Row = Keyword<BindTlsDraft>;

function file(name: 'crt' | 'crt-list' | 'default-crt', doc: string): Row {
  return supported<BindTlsDraft>({
    ...{ ...row(name, doc), args: '<file>', good: [`${name} foo.pem`], bad: [[name, `'${name}' expects an argument`]] },
    parse(cursor, draft) {
      const text = cursor.expectWord(name)?.text;
      if (text !== undefined) draft.crt.push({ keyword: name, file: text });
    },
  });
}

function ignored(name: string, field: 'caIgnore' | 'crtIgnore', doc: string): Row {
  return supported<BindTlsDraft>({
    ...{ ...row(name, doc), args: '<errors>', good: [`${name} all`, `${name} 10,X509_V_ERR_CERT_HAS_EXPIRED`] },
    parse(cursor, draft) {
      const errors = ignoredErrors(cursor, name);
      if (errors !== null) draft[field] = errors;
    },
    bad: [
      [`${name} foo`, `'${name}': error code 'foo' not recognized`],
      [`${name} 10,0`, `'${name}': error code '0' out of range (1..${X509_ERROR_MAX})`],
    ],
  });
}

/** Rows that `ssl-default-bind-options` takes, too: of these a line of a crt-list has only the range of versions. */
const SHARED = commonRows<BindTlsDraft>().filter(({ name }) => /^(ssl-m|no-|force-|tls-t)/.test(name));
const OF_BINDS_ONLY = SHARED.filter(({ name }) => !name.startsWith('ssl-m'));

/** In `[...]` of a crt-list, too. */
const CRT_LIST: readonly Row[] = [
  ...commonRows<BindTlsDraft>().filter(({ name }) => !OF_BINDS_ONLY.some(only => only.name === name)),
  verifyRow<BindTlsDraft>(['none', 'optional', 'required'], 'Whether clients must show a certificate.'),
  word(row('ca-verify-file', 'Authorities whose names clients are not told.'), '<file>', 'caVerifyFile'),
  word(row('ecdhe', 'The group of the key exchange.'), '<curve>', 'ecdhe'),
  bare<BindTlsDraft>(row('no-ca-names', 'Does not tell clients the names of authorities.'), { caNames: false }),
  bare<BindTlsDraft>(row('no-alpn', 'No protocol is offered.'), { alpn: [] }),
  bare<BindTlsDraft>(row('allow-0rtt', 'Takes early data of TLS 1.3, which may be replayed.'), { early: true }),
];

/** What a line of a crt-list may say. */
export const CRT_LIST_LINE: readonly Row[] = [...CRT_LIST, ...within<BindTlsDraft, LoadDraft>(LOAD_OPTIONS, loadOf)];

/** What `ssl-f-use` may say. */
export const SSL_F_USE_LINE: readonly Row[] = [...CRT_LIST_LINE, ...within<BindTlsDraft, LoadDraft>([CRT], loadOf)];

function loadOf(draft: BindTlsDraft): LoadDraft {
  draft.load ??= newLoad();
  return draft.load;
}

/** In `ssl-default-bind-options`, too. */
export const BIND_OPTIONS: readonly Row[] = [
  ...SHARED,
  bare<BindTlsDraft>(row('prefer-client-ciphers', "The client's order of ciphers counts."), {
    preferClientCiphers: true,
  }),
  bare<BindTlsDraft>(row('strict-sni', 'Refuses clients of unknown names.'), { strictSni: true }),
  bare<BindTlsDraft>(row('no-strict-sni', 'Serves clients of unknown names with the default certificate.'), {
    strictSni: false,
  }),
];

export const BIND_TLS: readonly Row[] = [
  ...CRT_LIST,
  ...OF_BINDS_ONLY,
  ...BIND_OPTIONS.slice(-3),
  bare<BindTlsDraft>(row('ssl', 'TLS on this address.'), { ssl: true }),
  file('crt', 'Certificates with their keys: a PEM file, or a folder of them.'),
  file('crt-list', 'A file that lists certificates, their settings and names.'),
  file('default-crt', 'Certificates for clients of unknown names.'),
  ignored('ca-ignore-err', 'caIgnore', 'Tolerated errors of the authorities of clients.'),
  ignored('crt-ignore-err', 'crtIgnore', "Tolerated errors of clients' certificates."),
  word(row('tls-ticket-keys', 'Keys of session tickets, shared with others.'), '<file>', 'ticketKeysFile'),
  bare<BindTlsDraft>(row('generate-certificates', 'Makes certificates for names that none is for.'), {
    generate: true,
  }),
  word(row('ca-sign-file', 'Authority that signs such certificates, with its key.'), '<file>', 'signFile'),
  word(row('ca-sign-pass', 'Password of that key.'), '<password>', 'signPassword'),
  later<BindTlsDraft>('ech', '', '<directory>', 'Encrypted client hello.', 'the OpenSSL inside Node does not have it'),
];
