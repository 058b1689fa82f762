/** Which versions of TLS a line leaves: `ssl-min-ver`, `ssl-max-ver`, `force-*` and the old `no-*` (manual 5.1, 5.2). */
import type { TlsDraft } from './tls-draft.ts';
import type { TlsVersion } from './tls-model.ts';

/** Oldest first. */
export const VERSIONS: readonly TlsVersion[] = ['SSLv3', 'TLSv1.0', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/** What OpenSSL still speaks. */
const SPOKEN = VERSIONS.slice(1);

export interface Versions {
  /** Null = none is left. */
  readonly oldest: TlsVersion | null;
  readonly newest: TlsVersion | null;
  /** What is hardly meant. */
  readonly advice: readonly string[];
}

const age = (version: TlsVersion): number => VERSIONS.indexOf(version);

/** What a line says, else the global section, else `usual`, which is the oldest version without a word of them. */
export function versionsOf(own: TlsDraft, above: TlsDraft, usual: TlsVersion): Versions {
  const min = own.minVersion ?? above.minVersion;
  const max = own.maxVersion ?? above.maxVersion;
  const no = [...own.noVersions, ...above.noVersions];
  const ranged = min !== null || max !== null;
  const ambiguous = min === null && max !== null && age(max) < age(usual);
  const [from, to] = [min ?? (ambiguous ? max : usual), max ?? 'TLSv1.3'];
  const left = SPOKEN.filter(version => age(version) >= age(from) && age(version) <= age(to)).filter(
    version => ranged || !no.includes(version),
  );
  const [oldest = null, newest = null] = [left[0], left.at(-1)];
  const hole = SPOKEN.find(
    version =>
      left.length > 0 && !left.includes(version) && age(version) > age(left[0]!) && age(version) < age(newest!),
  );
  const advice = [
    ...(ranged && no.length > 0 ? ["'no-sslv3' and 'no-tlsv1x' are ignored beside them"] : []),
    ...(ambiguous
      ? [`'ssl-max-ver ${max}' is older than the usual oldest version (${usual}), it is the only one now`]
      : []),
    ...(hole === undefined ? [] : [`a range of versions has no holes, ${hole} stays in it`]),
  ];
  return { oldest, newest, advice: advice.map(text => `${text}: use 'ssl-min-ver' and 'ssl-max-ver' alone`) };
}
