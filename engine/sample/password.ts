/** Passwords of userlists (manual 12.2): plain ones, and crypt(3) hashes. */
import { timingSafeEqual } from 'node:crypto';
import type { Userlist } from '../config/model.ts';
import { cryptHash } from '../io/crypt.ts';

type User = Userlist['users'][number];

/** Whether `password` (Latin-1 text of the bytes given) is the user's. Takes the same time wherever they differ. */
export function checkPassword(user: User, password: string): boolean {
  const given = user.crypted ? cryptHash(password, user.password) : password;
  return given !== null && same(Buffer.from(given, 'latin1'), Buffer.from(user.password, 'utf8'));
}

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
