/** The program that pings a member: a script around the system's `ping`, for `option external-check`. */
import fs from 'node:fs';
import path from 'node:path';
import { run } from './run.ts';

/** External checks have no PATH of their own. */
const SCRIPT = `#!/bin/sh
# Is the member there? HAProxy's external checks give its address.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec ping -q -n -c 1 -w 1 "$HAPROXY_SERVER_ADDR" >/dev/null 2>&1
`;
const TRY_MS = 3_000;

/** Path of the script; null when we may not ping. */
export async function pingProgram(state: string): Promise<string | null> {
  const file = path.join(fs.realpathSync(state), 'ping');
  fs.writeFileSync(file, SCRIPT);
  fs.chmodSync(file, 0o755);
  const { code } = await run([file], TRY_MS, { HAPROXY_SERVER_ADDR: '127.0.0.1' });
  if (code === 0) return file;
  fs.rmSync(file);
  return null;
}
