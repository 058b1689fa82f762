/** Runs programs to their end. */
import { spawn } from 'node:child_process';
import { after } from '../../engine/time.ts';

interface Ended {
  /** Null when it was ended by a signal or could not be started. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A program that says more is cut off here. Characters. */
const OUTPUT_MAX = 1024 * 1024;

/** Resolves when the program has ended, or was ended after `timeoutMs`. */
export function run(words: readonly string[], timeoutMs: number, env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], env });
  let out = '';
  let err = '';
  const alarm = after(timeoutMs, () => child.kill('SIGKILL'));
  const end = (code: number | null) => {
    alarm.cancel();
    // A daemon that it left behind may keep them open.
    child.stdout.destroy();
    child.stderr.destroy();
    resolve({ code, out, err });
  };
  child.stdout.on('data', chunk => {
    if (out.length < OUTPUT_MAX) out += chunk;
  });
  child.stderr.on('data', chunk => {
    if (err.length < OUTPUT_MAX) err += chunk;
  });
  child.once('error', error => {
    err += error.message;
    end(null);
  });
  // What it wrote last is read before.
  child.once('exit', code => after(0, () => end(code)));
  return promise;
}

/** @throws what the program said, when it fails */
export async function must(words: readonly string[], timeoutMs = 10_000): Promise<string> {
  const { code, out, err } = await run(words, timeoutMs);
  if (code === 0) return out;
  throw new Error(`${words.join(' ')}: ${err.trim() || `exit code ${code}`}`);
}
