/** Connections that are kept and idle, held by a process of their own (holder.ts). */
import path from 'node:path';
import { start, stop } from './processes.ts';

/** Memory is given back and taken a little after traffic. */
const SETTLE_MS = 2_000;

/** Resolves when `connections` are open, have each had an answer, and have been idle for a moment. `stop` gives how many failed. */
export async function holding(port: number, connections: number): Promise<{ stop(): Promise<number> }> {
  const child = start(
    process.execPath,
    [path.join(import.meta.dirname, 'holder.ts'), `${port}`, `${connections}`],
    'other',
    'pipe',
  );
  const failed = await new Promise<number>((resolve, reject) => {
    child.stdout!.once('data', text => resolve(Number(text)));
    child.once('close', code => reject(new Error(`holder: exit ${code}`)));
  });
  await new Promise(resolve => setTimeout(resolve, SETTLE_MS));
  return {
    async stop() {
      await stop(child);
      return failed;
    },
  };
}
