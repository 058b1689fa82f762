/** Addresses handed to keepalived: it puts them up, tells the neighbours, and takes them away when the host may not have them. */
import fs from 'node:fs';
import path from 'node:path';
import { keepalivedText, type VirtualRouter } from '../../engine/lbaas/keepalived.ts';
import { monotonicMs } from '../../engine/time.ts';
import type { Place, Vip } from './places.ts';
import { sleep } from './processes.ts';
import { must } from './run.ts';
import type { StateFolder } from './state-folder.ts';

interface Keepalived {
  /** The file that keepalived's configuration includes. */
  readonly file: string;
  /** Where keepalived writes its process id. */
  readonly pidFile: string;
  readonly router: VirtualRouter;
}

/** Until keepalived has put an address up: at first it listens for others. How often we look. Milliseconds. */
const UP_MAX_MS = 15_000;
const LOOK_MS = 50;

/** @param folder with the load balancers' `vips` */
export function handedTo({ file, pidFile, router }: Keepalived, folder: StateFolder): Place {
  const addresses = (gone: readonly string[]): string[] => {
    const vips = folder.ids().flatMap(id => JSON.parse(folder.read(id, 'vips') ?? '[]') as Vip[]);
    return [...new Set(vips.map(({ address }) => address))].filter(address => !gone.includes(address)).sort();
  };
  const tell = (gone: readonly string[] = []) => {
    const text = keepalivedText(router, addresses(gone));
    if (readOr(file, null) !== text) {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(`${file}.new`, text);
      fs.renameSync(`${file}.new`, file);
      signal(pidFile);
    }
  };
  return {
    inside: () => [],
    up: async (_id, vips) => {
      tell();
      await untilUp(router.device, vips, pidFile);
    },
    // keepalived does.
    announce: async () => {},
    down: async (_id, vips) => tell(vips.map(({ address }) => address)),
  };
}

/** A program cannot listen on an address before it is there. */
async function untilUp(device: string, vips: readonly Vip[], pidFile: string): Promise<void> {
  const deadline = monotonicMs() + UP_MAX_MS;
  for (;;) {
    const there = await must(['ip', '-o', 'addr', 'show', 'dev', device]);
    const missing = vips.find(({ address }) => !there.includes(` ${address}/`));
    if (missing === undefined) return;
    if (monotonicMs() > deadline) {
      const why = isRunning(pidFile) ? 'has not put it up' : `does not run (${pidFile})`;
      throw new Error(`${missing.address} is not on ${device}: keepalived ${why}`);
    }
    await sleep(LOOK_MS);
  }
}

function signal(pidFile: string, name: NodeJS.Signals | 0 = 'SIGHUP'): boolean {
  try {
    return process.kill(Number(readOr(pidFile, 'none')), name);
  } catch {
    // It reads the file when it starts.
    return false;
  }
}

function isRunning(pidFile: string): boolean {
  return signal(pidFile, 0);
}

function readOr<T>(file: string, otherwise: T): string | T {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}
