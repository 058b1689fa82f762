/** Fetches of certificates (manual 7.3.4): `ssl_c_...` the client's, `ssl_f_...` ours, `ssl_s_...` the server's. */
import { createHash } from 'node:crypto';
import { verifiedRoot } from '../tls/connection.ts';
import { alternativeNames, entryOf, oneLine, rfc2253, shortName } from '../tls/names.ts';
import { type Name, policiesOf, readX509, type X509 } from '../tls/x509.ts';
import type { Args } from './arguments.ts';
import type { Fetch, SampleContext } from './context.ts';
import type { Source } from './points.ts';
import { type FetchRow, fetch, plain } from './row.ts';
import { bytesOf, type Sample, type TypeName } from './sample.ts';
import { back, bin, type ConnOf, front, ownX509, peerX509, str, text, tlsOf } from './tls-ends.ts';

type CertificateOf = (ctx: SampleContext) => X509 | null;

/** [end of the name, type, what it is, how it is read]: the same for all certificates. */
const ALL: readonly (readonly [string, TypeName, string, (x509: X509, out: Sample) => boolean])[] = [
  ['der', 'bin', 'DER', (x509, out) => bin(out, x509.der)],
  ['key_alg', 'str', 'Algorithm of the key', (x509, out) => text(out, shortName(x509.keyAlgorithm) || 'UNDEF')],
  ['notafter', 'str', 'End of validity (YYMMDDhhmmss[Z])', (x509, out) => text(out, x509.notAfter)],
  ['notbefore', 'str', 'Begin of validity (YYMMDDhhmmss[Z])', (x509, out) => text(out, x509.notBefore)],
  ['serial', 'bin', 'Serial number', (x509, out) => bin(out, x509.serial)],
  ['sha1', 'bin', 'SHA-1 fingerprint', (x509, out) => bin(out, createHash('sha1').update(x509.der).digest())],
  ['sig_alg', 'str', 'Algorithm of the signature', (x509, out) => text(out, shortName(x509.signature) || 'UNDEF')],
  ['version', 'sint', 'Version', (x509, out) => out.setInt(x509.version)],
];

const FORMAT = 'only rfc2253 is currently supported as a format';
const NUL = 0;

/** A name whole, one of its entries, or as RFC 2253 has it. */
function nameFetch(name: string, from: Source, doc: string, of: (ctx: SampleContext) => Name | null): FetchRow {
  const make = (args: Args): Fetch => {
    const entry = args.text(0);
    const occurrence = args.has(1) ? args.int(1) : 1;
    const read = entry !== '' ? null : args.has(2) ? rfc2253 : oneLine;
    return (ctx, out) => {
      const found = of(ctx);
      if (found === null) return false;
      if (read === null) return whole(out, entryOf(found, entry, occurrence));
      return found.entries.every(({ value }) => !value.includes(NUL)) && str(out, read(found));
    };
  };
  return fetch(name, '[entry:str] [occ:int] [format:str]', 'str', from, doc, make, {
    check: ([, , format]) => (format === undefined || format === null || format === 'rfc2253' ? null : FORMAT),
    good: [name, `${name}(CN)`, `${name}(OU,-1)`, `${name}(,0,rfc2253)`],
    bad: [[`${name}(,0,foo)`, `invalid args in fetch method '${name}' : ${FORMAT}`]],
  });
}

/** A text with a NUL in it is meant to deceive. */
function whole(out: Sample, value: Uint8Array | null): boolean {
  return value !== null && !value.includes(NUL) && str(out, value);
}

function rows(prefix: string, from: Source, whose: string, of: CertificateOf): FetchRow[] {
  return [
    ...ALL.map(([end, type, doc, read]) =>
      plain(`${prefix}_${end}`, type, from, `${doc} of ${whose} certificate.`, (ctx, out) => {
        const x509 = of(ctx);
        return x509 !== null && read(x509, out);
      }),
    ),
    nameFetch(`${prefix}_i_dn`, from, `Issuer of ${whose} certificate.`, ctx => of(ctx)?.issuer ?? null),
    nameFetch(`${prefix}_s_dn`, from, `Subject of ${whose} certificate.`, ctx => of(ctx)?.subject ?? null),
  ];
}

function chain(prefix: string, from: Source, whose: string, of: ConnOf): FetchRow {
  return plain(`${prefix}_chain_der`, 'bin', from, `DER of the certificates sent with ${whose}.`, (ctx, out) => {
    const tls = tlsOf(of(ctx));
    return tls !== null && bin(out, Buffer.concat(tls.peerChain()));
  });
}

const client: CertificateOf = ctx => peerX509(front(ctx));

function rootOf(ctx: SampleContext): Name | null {
  const tls = tlsOf(front(ctx));
  const der = tls === null ? null : verifiedRoot(tls);
  return der === null ? null : (readX509(der)?.subject ?? null);
}

const policies = fetch(
  'ssl_c_policies',
  '[oid:str]',
  'str',
  'clientSession',
  "Policies in the client's certificate, or one of them if it is there.",
  args => {
    const wanted = args.text(0);
    const bytes = bytesOf(wanted);
    return (ctx, out) => {
      const x509 = client(ctx);
      const found = x509 === null ? [] : policiesOf(x509);
      if (wanted === '') return text(out, found.join());
      return found.includes(wanted) && str(out, bytes);
    };
  },
  { good: ['ssl_c_policies', 'ssl_c_policies(0.4.0.1862.1.4)'] },
);

export const CERTIFICATE_FETCHES: readonly FetchRow[] = [
  ...rows('ssl_c', 'clientSession', "the client's", client),
  ...rows('ssl_f', 'clientSession', 'our', ctx => ownX509(front(ctx))),
  ...rows('ssl_s', 'eitherSession', "the server's", ctx => peerX509(back(ctx))),
  chain('ssl_c', 'clientSession', "the client's", front),
  chain('ssl_s', 'eitherSession', "the server's", back),
  nameFetch('ssl_c_r_dn', 'clientSession', "The root that the client's certificate was verified with.", rootOf),
  policies,
  plain('ssl_c_san', 'str', 'clientSession', "Alternative names in the client's certificate.", (ctx, out) => {
    const x509 = client(ctx);
    return x509 !== null && str(out, alternativeNames(x509));
  }),
];
