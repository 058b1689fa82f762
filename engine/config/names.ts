/** Names of proxies and servers. */

/** The first character that a name must not have; null when it is a good name. */
export function illegalCharacter(name: string): string | null {
  return /[^A-Za-z0-9_.:-]/.exec(name)?.[0] ?? null;
}
