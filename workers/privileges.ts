/** Limits and privileges of the process. */
import type { Global } from '../engine/config/model.ts';
import { errorText, fdLimits, setFdLimits } from '../engine/io/native.ts';
import type { Say } from './say.ts';

/** `ulimit-n`. */
export function limitDescriptors({ ulimitN }: Global, say: Say): boolean {
  const limits = fdLimits();
  if (ulimitN === 0 || 'errno' in limits) return true;
  const result = setFdLimits(ulimitN, Math.max(ulimitN, limits.hard));
  if (result >= 0) return true;
  say('alert', `[sluice.main()] Cannot raise FD limit to ${ulimitN}, limit is ${limits.hard}: ${errorText(-result)}.`);
  return false;
}

/** `user`, `group`, `uid`, `gid`: the group first, as without root it could not be changed any more. Throws. */
export function dropPrivileges({ uid, user, gid, group }: Global): void {
  const newGroup = gid ?? group;
  const newUser = uid ?? user;
  try {
    if (newGroup !== null && process.getgid!() !== newGroup) {
      if (process.getuid!() === 0) process.setgroups!([newGroup]);
      process.setgid!(newGroup);
    }
    if (newUser !== null && process.getuid!() !== newUser) process.setuid!(newUser);
  } catch (error) {
    throw new Error(
      `[sluice.main()] Cannot set user ${newUser ?? '-'}, group ${newGroup ?? '-'}: ${(error as Error).message}`,
    );
  }
}
