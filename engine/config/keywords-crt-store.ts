/** `crt-store` sections (manual 12.7), and how a certificate is loaded: lines of crt-lists and `ssl-f-use` say that too. */
import { integer, word } from './fields.ts';
import { type Keyword, later, supported } from './keyword.ts';
import { row, within } from './keywords-tls.ts';
import type { Place } from './model.ts';
import { readSettings, Table } from './table.ts';
import { type Dummy, type LoadDraft, newLoad } from './tls-draft.ts';

export interface CrtStoreDraft extends Place {
  /** '' = it has none. */
  readonly name: string;
  crtBase: string | null;
  keyBase: string | null;
  loads: (LoadDraft & Place)[];
}

export function newCrtStore(place: Place, name: string): CrtStoreDraft {
  return { ...place, name, crtBase: null, keyBase: null, loads: [] };
}

/** Where the parts of a certificate are, and whether its OCSP response is kept fresh. */
export const LOAD_OPTIONS: readonly Keyword<LoadDraft>[] = [
  word(row('key', 'File of the private key.'), '<file>', 'key'),
  word(row('ocsp', 'File of the OCSP response, DER.'), '<file>', 'ocsp'),
  word(row('issuer', "File of the issuer's certificate."), '<file>', 'issuer'),
  word(row('sctl', 'File of the signed certificate timestamps (RFC 6962).'), '<file>', 'sctl'),
  supported<LoadDraft>({
    ...row('ocsp-update', 'Whether the OCSP response is fetched and kept fresh.'),
    ...{ args: '<on|off>', good: ['ocsp-update on', 'ocsp-update off'] },
    parse(cursor, load) {
      const value = cursor.expectOneOf('ocsp-update', ['on', 'off'] as const);
      if (value !== null) load.ocspUpdate = value === 'on';
    },
    bad: [['ocsp-update foo', "'ocsp-update' expects 'on' or 'off', not 'foo'"]],
  }),
  later('acme', '', '<section>', 'Certificates by ACME.'),
  later('domains', '', '<names>', 'Names of a certificate by ACME.'),
  later('ips', '', '<addresses>', 'Addresses of a certificate by ACME.'),
];

/** A key and a certificate that are made instead of read. Only a store makes them. */
const DUMMY: readonly Keyword<Dummy>[] = [
  supported<Dummy>({
    ...row('generate-dummy', 'Whether a key and a certificate of its own are made, instead of read.'),
    ...{ args: '<on|off>', good: ['generate-dummy on', 'generate-dummy off'] },
    parse(cursor, dummy) {
      const value = cursor.expectOneOf('generate-dummy', ['on', 'off'] as const);
      if (value !== null) dummy.generate = value === 'on';
    },
    bad: [['generate-dummy foo', "'generate-dummy' expects 'on' or 'off', not 'foo'"]],
  }),
  supported<Dummy>({
    ...row('keytype', 'The kind of that key; RSA unless said.'),
    ...{ args: '<RSA|ECDSA>', good: ['keytype RSA', 'keytype ECDSA'] },
    parse(cursor, dummy) {
      const value = cursor.expectOneOf('keytype', ['RSA', 'ECDSA'] as const);
      if (value !== null) dummy.keyType = value;
    },
    bad: [['keytype foo', "'keytype' expects 'RSA' or 'ECDSA', not 'foo'"]],
  }),
  integer(row('bits', 'Bits of an RSA key; 2048 unless said.'), 'bits', { min: 1024, max: 16_384 }),
  word(row('curves', 'The curve of an ECDSA key; P-384 unless said.'), '<curve>', 'curves'),
];

export const CRT: Keyword<LoadDraft> = word(row('crt', 'The certificate: a PEM file.'), '<file>', 'crt');

const LOAD: readonly Keyword<LoadDraft>[] = [
  CRT,
  word(row('alias', 'Another name for it.'), '<name>', 'alias'),
  ...LOAD_OPTIONS,
  ...within<LoadDraft, Dummy>(DUMMY, load => load.dummy),
  later('jwt', '', '<on|off>', 'Whether tokens may be verified with the certificate.'),
];

const TABLE = new Table(LOAD);
const MISSING = "'load' expects a 'crt'";

export const CRT_STORE: readonly Keyword<CrtStoreDraft>[] = [
  word({ where: 'C', name: 'crt-base', doc: 'Folder of relative names of files.' }, '<directory>', 'crtBase'),
  word({ where: 'C', name: 'key-base', doc: 'Folder of relative names of keys.' }, '<directory>', 'keyBase'),
  supported<CrtStoreDraft>({
    ...{ where: 'C', name: 'load', doc: 'Loads a certificate.', args: 'crt <file> [<setting> ...]' },
    good: [
      'load crt foo.pem',
      'load crt foo.pem generate-dummy on keytype ECDSA curves P-256 bits 2048',
      'load crt a.crt key a.key ocsp a.ocsp issuer a.issuer sctl a.sctl alias a ocsp-update on',
    ],
    parse(cursor, store, context) {
      const { file, line } = cursor.line;
      const load = { ...newLoad(), file, line };
      if (!readSettings(TABLE, cursor, load, "'load'", context)) return;
      if (load.crt === null) cursor.error(MISSING);
      else store.loads.push(load);
    },
    bad: [
      ['load', MISSING],
      ['load key foo', MISSING],
      ['load crt foo nonsense', "'load': unknown keyword 'nonsense'"],
    ],
  }),
];
