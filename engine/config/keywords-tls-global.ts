/** What the global section says of TLS: where files are, and what `bind` and `server` lines have unless they say otherwise. */
import type { Cursor } from './cursor.ts';
import type { GlobalDraft } from './draft.ts';
import { bare, integer, word } from './fields.ts';
import { accepted, type Context, type Keyword, later, supported } from './keyword.ts';
import { within } from './keywords-tls.ts';
import { BIND_OPTIONS } from './keywords-tls-bind.ts';
import { GLOBAL_TLS_FILES } from './keywords-tls-files.ts';
import { GLOBAL_TLS_LIBRARY } from './keywords-tls-library.ts';
import { SERVER_OPTIONS } from './keywords-tls-server.ts';
import { once, onceOnly } from './once.ts';
import { readSettings, Table } from './table.ts';
import type { GlobalTlsDraft, TlsDraft } from './tls-draft.ts';

type Row = Keyword<GlobalTlsDraft>;

function row(name: string, doc: string) {
  return { where: 'G', name, doc };
}

/** `ssl-default-bind-ciphers` and its kin: [end of the name, field, syntax, what it is]. */
const DEFAULTS: readonly (readonly [string, keyof TlsDraft, string, string])[] = [
  ['ciphers', 'ciphers', '<ciphers>', 'Ciphers of TLS 1.2 and older'],
  ['ciphersuites', 'ciphersuites', '<suites>', 'Ciphers of TLS 1.3'],
  ['curves', 'curves', '<curves>', 'Groups of the key exchange'],
  ['sigalgs', 'sigalgs', '<algorithms>', 'Signature algorithms'],
  ['client-sigalgs', 'clientSigalgs', '<algorithms>', 'Signature algorithms of client certificates'],
];

function defaults(side: 'bind' | 'server'): Row[] {
  return DEFAULTS.flatMap(([end, field, args, doc]) => {
    const name = `ssl-default-${side}-${end}`;
    const rows = [word<TlsDraft>(row(name, `${doc} where the ${side} line does not say.`), args, field as never)];
    return within<GlobalTlsDraft, TlsDraft>(rows, tls => tls[side]);
  });
}

/** `ssl-default-bind-options ssl-min-ver TLSv1.3 no-tls-tickets`. */
function options<D extends TlsDraft>(side: 'bind' | 'server', rows: readonly Keyword<D>[]): Row {
  const name = `ssl-default-${side}-options`;
  const table = new Table(rows);
  return supported<GlobalTlsDraft>({
    ...row(name, `Settings of ${side} lines that do not say otherwise.`),
    ...{ args: '<option> ...', good: [`${name} ssl-min-ver TLSv1.3 no-tls-tickets`] },
    parse(cursor: Cursor, tls, context: Context) {
      if (cursor.left === 0) cursor.error(`'${name}' expects an option`);
      else readSettings(table, cursor, tls[side] as unknown as D, `'${name}'`, context);
    },
    bad: [
      [name, `'${name}' expects an option`],
      [`${name} foo`, `'${name}': unknown keyword 'foo'`],
    ],
  });
}

const GLOBAL_TLS_ROWS: readonly Row[] = [
  ...defaults('bind'),
  ...defaults('server'),
  options('bind', BIND_OPTIONS),
  options('server', SERVER_OPTIONS),
  ...onceOnly<GlobalTlsDraft>(
    word(row('ca-base', 'Folder of relative `ca-file` and `crl-file` names.'), '<directory>', 'caBase'),
    word(row('crt-base', 'Folder of relative `crt` names, also of those in crt-lists.'), '<directory>', 'crtBase'),
    word(row('key-base', 'Folder of relative key files.'), '<directory>', 'keyBase'),
  ),
  word(row('ssl-dh-param-file', 'Parameters of the Diffie-Hellman key exchange.'), '<file>', 'dhParamFile'),
  supported<GlobalTlsDraft>({
    ...row('ssl-server-verify', 'Whether certificates of servers are verified where the line does not say.'),
    ...{ args: '<none|required>', good: ['ssl-server-verify none'] },
    parse(cursor, tls) {
      const verify = cursor.expectOneOf('ssl-server-verify', ['none', 'required'] as const);
      if (verify !== null) tls.serverVerify = verify;
    },
    bad: [['ssl-server-verify foo', "'ssl-server-verify' expects 'none' or 'required', not 'foo'"]],
  }),
  integer(row('maxsslconn', 'TLS connections at most, of clients and to servers.'), 'maxConn', {}),
  ...once(
    'maxsslrate',
    integer<GlobalTlsDraft>(row('maxsslrate', 'TLS connections of clients per second at most.'), 'maxRate', {}),
  ),
  supported<GlobalTlsDraft>({
    ...row('ssl-security-level', "OpenSSL's security level."),
    ...{ args: '<number>', good: ['ssl-security-level 2'] },
    parse(cursor, tls) {
      const level = cursor.expectInt('ssl-security-level', { min: 0, max: 5 });
      if (level !== null) tls.securityLevel = level;
    },
    bad: [['ssl-security-level 6', "'ssl-security-level' expects an integer between 0 and 5, not '6'"]],
  }),
  integer(row('tune.ssl.ssl-ctx-cache-size', 'Certificates kept that were made for clients.'), 'madeMax', {
    max: 1_000_000,
  }),
  integer(
    row(
      'tune.ssl.default-dh-param',
      'Bits of Diffie-Hellman groups at most, at least 2048; without it there are no DHE ciphers.',
    ),
    'dhBits',
    { min: 1024 },
  ),
  integer(row('tune.ssl.cachesize', 'Sessions kept for clients without tickets.'), 'cacheSize', { max: 10_000_000 }),
  bare(row('tune.ssl.force-private-cache', 'Each thread keeps such sessions for itself.'), { privateCache: true }),
  supported<GlobalTlsDraft>({
    ...row('tune.ssl.lifetime', 'How long a session may be resumed.'),
    ...{ args: '<time>', good: ['tune.ssl.lifetime 10m', 'tune.ssl.lifetime 300'] },
    parse(cursor, tls) {
      const ms = cursor.expectTime('tune.ssl.lifetime', 's');
      if (ms !== null) tls.lifetimeSeconds = Math.ceil(ms / 1000);
    },
    bad: [['tune.ssl.lifetime', "'tune.ssl.lifetime' expects a time (in seconds by default)"]],
  }),
  integer(row('tune.ssl.maxrecord', 'Plaintext of a record at most; 0 = 16 KiB.'), 'maxRecordBytes', {}),
  integer(row('tune.ssl.hard-maxrecord', 'Plaintext of a record at most; 0 = 16 KiB.'), 'maxRecordBytes', {}),
  integer(
    row('tune.ssl.keyupdate-rate-limit', 'Key updates of a client per second at most; 0 = any number.'),
    'keyUpdatesMax',
  ),
  ...['tune.ssl.capture-buffer-size', 'tune.ssl.capture-cipherlist-size'].map(name =>
    integer<GlobalTlsDraft>(row(name, "Bytes of a client's hello kept for fetches; 0 = none."), 'captureBytes', {
      max: 65_535,
    }),
  ),
  supported<GlobalTlsDraft>({
    ...row('tune.ssl.keylog', 'Keeps the secrets of connections for fetches: for debugging only.'),
    ...{ args: '<on|off>', good: ['tune.ssl.keylog on', 'tune.ssl.keylog off'] },
    parse(cursor, tls) {
      const value = cursor.expectOneOf('tune.ssl.keylog', ['on', 'off'] as const);
      if (value !== null) tls.keylog = value === 'on';
    },
    bad: [['tune.ssl.keylog foo', "'tune.ssl.keylog' expects 'on' or 'off', not 'foo'"]],
  }),
];

function onOff(name: string, doc: string, field: 'ocspMode' | 'ocspDisabled'): Row {
  return supported<GlobalTlsDraft>({
    ...{ ...row(name, doc), args: '<on|off>', good: [`${name} on`, `${name} off`] },
    parse(cursor, tls) {
      const value = cursor.expectOneOf(name, ['on', 'off'] as const);
      if (value !== null) tls[field] = value === 'on';
    },
    bad: [[`${name} foo`, `'${name}' expects 'on' or 'off', not 'foo'`]],
  });
}

const OCSP_ROWS: readonly Row[] = [
  onOff('ocsp-update.mode', 'Whether OCSP responses are fetched and kept fresh where no line says.', 'ocspMode'),
  onOff('ocsp-update.disable', 'No OCSP response is fetched, whatever lines say.', 'ocspDisabled'),
  ...['ocsp-update', 'tune.ssl.ocsp-update'].flatMap(name => [
    integer<GlobalTlsDraft>(
      row(`${name}.mindelay`, 'Seconds between two updates of an OCSP response at least.'),
      'ocspMinSeconds',
      { max: 31_536_000 },
    ),
    integer<GlobalTlsDraft>(
      row(`${name}.maxdelay`, 'Seconds between two updates of an OCSP response at most.'),
      'ocspMaxSeconds',
      { max: 31_536_000 },
    ),
  ]),
  word(row('ocsp-update.httpproxy', 'HTTP proxy that is asked for OCSP responses.'), '<address>[:<port>]', 'ocspProxy'),
];

/** Lines that servers are read with: those that come at run time, too. */
const FOR_SERVERS = /^(ca-base|crt-base|key-base|ssl-default-server-.*|ssl-server-verify|ssl-security-level)$/;

function noted(keyword: Row): Row {
  if (!FOR_SERVERS.test(keyword.name)) return keyword;
  return {
    ...keyword,
    parse(cursor, tls, context) {
      tls.serverLines.push(cursor.line.words.map(({ text }) => text));
      keyword.parse(cursor, tls, context);
    },
  };
}

export const GLOBAL_TLS: readonly Keyword<GlobalDraft>[] = [
  ...within<GlobalDraft, GlobalTlsDraft>(
    [...GLOBAL_TLS_ROWS.map(noted), ...GLOBAL_TLS_FILES, ...GLOBAL_TLS_LIBRARY, ...OCSP_ROWS],
    global => global.tls,
  ),
  accepted('tune.ssl.certificate-compression', 'G', '<auto|off>', 'Compressed certificates.', 'none are sent'),
  accepted('ssl-mode-async', 'G', '', 'Asynchronous TLS engines.', 'there are no engines'),
  accepted('noktls', 'G', '', 'No TLS in the kernel.', 'records are made here'),
  later('acme.scheduler', 'G', '<auto|off>', 'When certificates come by ACME.'),
];
