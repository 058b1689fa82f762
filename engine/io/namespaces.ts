/**
 * Network namespaces of Linux (`namespace`): a socket belongs to the one that its thread is in when it makes it, so the thread
 * goes there for that one call. Going needs CAP_SYS_ADMIN. Namespaces are opened before files are out of reach (`chroot`).
 */
import fs from 'node:fs';
import os from 'node:os';
import * as native from './native.ts';

export const NAMESPACES_FOLDER = '/var/run/netns';
const OWN = '/proc/thread-self/ns/net';
const { ENOENT } = os.constants.errno;

interface Open {
  readonly fd: number;
  /** Another one of the same name has another number. */
  readonly number: number;
}

/** Of this thread, by name; '' = where it is at home. */
const open = new Map<string, Open>();

const pathOf = (name: string) => (name === '' ? OWN : `${NAMESPACES_FOLDER}/${name}`);

/** Opens a namespace, so that sockets can be made in it from now on. False when there is none of that name. */
export function openNamespace(name: string): boolean {
  try {
    const path = pathOf(name);
    const { ino: number } = fs.statSync(path);
    const known = open.get(name);
    if (known?.number === number) return true;
    if (known !== undefined) fs.closeSync(known.fd);
    open.delete(name);
    open.set(name, { number, fd: fs.openSync(path, 'r') });
    return name === '' || openNamespace('');
  } catch {
    return false;
  }
}

/** Whether `openNamespace` has opened it in this thread. */
export function isOpen(name: string): boolean {
  return open.has(name);
}

/** A new socket in a namespace that was opened; '' = in our own. Its descriptor, or minus errno. */
export function socketIn(name: string, family: number, type: number, protocol = 0): number {
  if (name === '') return native.socket(family, type, protocol);
  const [there, home] = [open.get(name), open.get('')];
  if (there === undefined || home === undefined) return -ENOENT;
  const gone = native.setNamespace(there.fd);
  if (gone < 0) return gone;
  const fd = native.socket(family, type, protocol);
  const back = native.setNamespace(home.fd);
  // Nothing that this thread does from here on would be where it belongs.
  if (back < 0) throw new Error(`cannot leave network namespace '${name}': ${native.errorText(-back)}`);
  return fd;
}
