/** Passwords of userlists (manual 12.2): plain ones, and crypt(3) hashes. */
import { timingSafeEqual } from 'node:crypto';
import type { Userlist } from '../config/model.ts';

type User = Userlist['users'][number];

/** Checks crypt(3) hashes; null = nothing here can, and such users are never let in. */
export type Crypt = (password: string, hash: string) => boolean;

let crypt: Crypt | null = null;

/** Says who checks crypt(3) hashes: the C library's `crypt`, which only the native calls of the io reach. */
export function useCrypt(check: Crypt): void {
  crypt = check;
}

/** Whether `password` (Latin-1 text of the bytes given) is the user's. Takes the same time wherever they differ. */
export function checkPassword(user: User, password: string): boolean {
  if (user.crypted) return crypt?.(password, user.password) ?? false;
  const given = Buffer.from(password, 'latin1');
  const wanted = Buffer.from(user.password, 'utf8');
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
