/** Limits and privileges of the process. */
import type { Global } from '../engine/config/global-model.ts';
import {
  allowDumps,
  type Capabilities,
  type Confinement,
  changeRoot,
  keepCapabilities,
  takeCapabilities,
} from '../engine/io/confine.ts';
import { errorText, fdLimits, groupId, setFdLimits, userId } from '../engine/io/native.ts';
import { SPARE_FDS } from './facts.ts';
import type { Say } from './say.ts';

/** Descriptors of the process without `ulimit-n` and `fd-hard-limit`: at most as many as HAProxy's. */
const FD_HARD_LIMIT = 1_048_576;

/**
 * `ulimit-n`; without it as many as the system allows and `fd-hard-limit` does, or as `maxconn` needs. False after saying
 * why not.
 */
export function limitDescriptors({ ulimitN, fdHardLimit, maxconn }: Global, say: Say): boolean {
  const limits = fdLimits();
  if ('errno' in limits) return true;
  if (ulimitN === 0) {
    const most = Math.min(limits.hard, fdHardLimit || FD_HARD_LIMIT);
    const wanted = maxconn === 0 ? most : Math.min(most, Math.max(limits.soft, 2 * maxconn + SPARE_FDS));
    setFdLimits(wanted, limits.hard);
    return true;
  }
  const result = setFdLimits(ulimitN, Math.max(ulimitN, limits.hard));
  if (result >= 0) return true;
  say('alert', `[sluice.main()] Cannot raise FD limit to ${ulimitN}, limit is ${limits.hard}: ${errorText(-result)}.`);
  return false;
}

/**
 * What the threads of a master-worker process become by themselves, so that the master can go on reading files and binding
 * addresses; null = nothing, or all threads together become it (`dropPrivileges`).
 */
export function confinementOf(global: Global): Confinement | null {
  const { masterWorker, chroot, capabilities, dumpable } = global;
  if (!masterWorker || process.getuid!() !== 0) return null;
  const { uid, gid } = idsOf(global);
  return chroot === null && uid === null && gid === null ? null : { chroot, uid, gid, capabilities, dumpable };
}

/**
 * What `setcap` asks of the threads of a process that changes its user with all of them, or that runs as another user than root
 * from the start; null = nothing. To be asked before privileges are dropped for threads that are there then.
 */
export function capabilitiesOf(global: Global): Capabilities | null {
  const { capabilities: numbers } = global;
  if (numbers.length === 0 || confinementOf(global) !== null) return null;
  if (process.getuid!() !== 0) return { numbers, only: false };
  return (idsOf(global).uid ?? 0) === 0 ? null : { numbers, only: true };
}

function idsOf({ uid, user, gid, group }: Global): { readonly uid: number | null; readonly gid: number | null } {
  const id = (number: number | null, name: string | null, look: (name: string) => number | null, kind: string) => {
    const found = number ?? (name === null ? null : look(name));
    if (found === null && name !== null) throw new Error(`[sluice.main()] Cannot find ${kind} '${name}'`);
    return found;
  };
  return { uid: id(uid, user, userId, 'user'), gid: id(gid, group, groupId, 'group') };
}

/**
 * `chroot`, `user`, `group`, `uid`, `gid` for the whole process: the group before the user, as without root it could not
 * be changed any more. Throws.
 */
export function dropPrivileges(global: Global): void {
  if (confinementOf(global) !== null) return;
  const { uid, gid } = idsOf(global);
  const { chroot, dumpable } = global;
  const capabilities = capabilitiesOf(global);
  if (capabilities?.only) orThrow('keep capabilities', keepCapabilities());
  if (chroot !== null) orThrow(`chroot(${chroot})`, changeRoot(chroot));
  try {
    if (gid !== null && process.getgid!() !== gid) {
      if (process.getuid!() === 0) process.setgroups!([gid]);
      process.setgid!(gid);
    }
    if (uid !== null && process.getuid!() !== uid) process.setuid!(uid);
  } catch (error) {
    throw new Error(`[sluice.main()] Cannot set user ${uid ?? '-'}, group ${gid ?? '-'}: ${(error as Error).message}`);
  }
  if (capabilities !== null) orThrow('set capabilities', takeCapabilities(capabilities));
  if (dumpable) allowDumps();
}

function orThrow(what: string, done: number): void {
  if (done < 0) throw new Error(`[sluice.main()] Cannot ${what}: ${errorText(-done)}`);
}
