/**
 * crypt(3) of the system's libcrypt: the password hashes of userlists (manual 12.2), in whatever forms the system knows
 * ($1$, $5$, $6$, $y$ ...). Reentrant: each thread has its own work area.
 */
import ffi from 'node:ffi';

/** struct crypt_data: 32 KiB in libxcrypt; glibc's older one was 128 KiB. */
const CRYPT_DATA_BYTES = 131_232;
const NAMES = ['libcrypt.so.1', 'libcrypt.so.2'];

type CryptR = (key: bigint, setting: bigint, data: bigint) => bigint;

let found: { readonly call: CryptR; readonly data: Uint8Array } | null | undefined;

function library(): { readonly call: CryptR; readonly data: Uint8Array } | null {
  if (found !== undefined) return found;
  found = null;
  for (const name of NAMES) {
    try {
      const { functions } = ffi.dlopen(name, {
        crypt_r: { return: 'pointer', arguments: ['pointer', 'pointer', 'pointer'] },
      });
      found = { call: functions.crypt_r as CryptR, data: new Uint8Array(CRYPT_DATA_BYTES) };
      return found;
    } catch {
      // Not under this name.
    }
  }
  return found;
}

/** Whether this system can check such hashes. */
export function canCrypt(): boolean {
  return library() !== null;
}

/** The hash of `password` (bytes, as Latin-1 text) with the setting that `hash` begins with; null when it cannot be made. */
export function cryptHash(password: string, hash: string): string | null {
  const lib = library();
  if (lib === null) return null;
  const key = Buffer.from(`${password}\0`, 'latin1');
  const setting = Buffer.from(`${hash}\0`, 'latin1');
  const made = lib.call(ffi.getRawPointer(key), ffi.getRawPointer(setting), ffi.getRawPointer(lib.data));
  if (made === 0n || made === null) return null;
  const text = ffi.toString(made);
  // libxcrypt answers `*0` or `*1` where it cannot.
  return text === null || text.startsWith('*') ? null : text;
}
