/** The program that pings a member: a script around the system's `ping`, for `option external-check`. */
import fs from 'node:fs';
import path from 'node:path';
import { run } from './run.ts';

const SCRIPT = `#!/bin/sh
# Is the member there? HAProxy's external checks give its address.
exec ping -q -n -c 1 -w 1 "$HAPROXY_SERVER_ADDR" >/dev/null 2>&1
`;
const TRY_MS = 3_000;

/** Path of the script; null when we may not ping. */
export async function pingProgram(state: string): Promise<string | null> {
  const { code } = await run(['ping', '-q', '-n', '-c', '1', '-w', '1', '127.0.0.1'], TRY_MS);
  if (code !== 0) return null;
  const file = path.join(state, 'ping');
  fs.writeFileSync(file, SCRIPT, { mode: 0o755 });
  fs.chmodSync(file, 0o755);
  return file;
}
