/** Private keys that are encrypted: their passphrases are asked for, each once (`ssl-passphrase-cmd`). */
import { createPrivateKey, type KeyObject } from 'node:crypto';

/** The private key in `pem`, which stands in the file `path`; else what is wrong. */
export type OpenKey = (path: string, pem: string) => KeyObject | { readonly problem: string };

/** The passphrase of the key in a file, or why there is none. */
export type Answer = { readonly passphrase: string } | { readonly problem: string };

/** Nobody knows any. */
export const NO_PASSPHRASE: OpenKey = () => ({ problem: "it is encrypted (see 'ssl-passphrase-cmd')" });

/** Opens keys with what it knows already, and asks where none of that fits. */
export function keyOpener(ask: (path: string) => Answer): OpenKey {
  const known: string[] = [];
  return (path, pem) => {
    for (const passphrase of known) {
      const key = opened(pem, passphrase);
      if (!('problem' in key)) return key;
    }
    const answer = ask(path);
    if ('problem' in answer) return answer;
    const key = opened(pem, answer.passphrase);
    if (!('problem' in key)) known.push(answer.passphrase);
    return key;
  };
}

function opened(key: string, passphrase: string): ReturnType<OpenKey> {
  try {
    return createPrivateKey({ key, passphrase });
  } catch (error) {
    return { problem: `the passphrase is wrong: ${(error as { reason?: string }).reason ?? (error as Error).message}` };
  }
}
