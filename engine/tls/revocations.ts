/** What a certificate revocation list says (RFC 5280 5.1). */
import { dotted, elements, GENERALIZED_TIME, INTEGER, inside, SEQUENCE, UTC_TIME } from './der.ts';
import { magnitude, type Name, nameOf, timeOf } from './x509.ts';

interface RevocationList {
  /** 1 or 2. */
  readonly version: number;
  /** Object identifier. */
  readonly signature: string;
  readonly issuer: Name;
  /** As in certificates; '' = it is not said. */
  readonly lastUpdate: string;
  readonly nextUpdate: string;
  readonly revoked: readonly { readonly serial: Uint8Array; readonly date: string }[];
}

/** Of a list that OpenSSL can read; null when it is none. */
export function readRevocationList(der: Uint8Array): RevocationList | null {
  const [whole] = elements(der, 0, der.length);
  const [tbs] = whole === undefined ? [] : inside(der, whole);
  if (tbs === undefined) return null;
  const parts = inside(der, tbs);
  const version = parts[0]?.tag === INTEGER ? parts.shift() : undefined;
  const [signature, issuer, ...rest] = parts;
  const id = signature === undefined ? undefined : inside(der, signature)[0];
  if (id === undefined || issuer === undefined) return null;
  const times = rest.filter(({ tag }) => tag === UTC_TIME || tag === GENERALIZED_TIME);
  const list = rest.find(({ tag }) => tag === SEQUENCE);
  return {
    version: version === undefined ? 1 : der[version.end - 1]! + 1,
    signature: dotted(der, id),
    issuer: nameOf(der, issuer),
    lastUpdate: timeOf(der, times[0]),
    nextUpdate: timeOf(der, times[1]),
    revoked: (list === undefined ? [] : inside(der, list)).map(entry => {
      const [serial, date] = inside(der, entry);
      return { serial: magnitude(der, serial!), date: timeOf(der, date) };
    }),
  };
}
