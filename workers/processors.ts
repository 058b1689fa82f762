/** How many processors this process may use: what `nbthread` defaults to. */
import fs from 'node:fs';
import os from 'node:os';
import { WORKERS_MAX } from '../engine/limits.ts';

/** Processors by affinity and by the CPU quota of the cgroup, 1 at least. */
export function processors(): number {
  const quota = quotaOf(read('/proc/self/cgroup'), read);
  return Math.max(1, Math.min(os.availableParallelism(), Math.ceil(quota), WORKERS_MAX));
}

/**
 * The tightest CPU quota on the way from the cgroup in `membership` (/proc/self/cgroup) up to the root, in processors;
 * Infinity when there is none. cgroup v2: `cpu.max` holds `quota period` in microseconds, or `max period`; v1: two files.
 */
export function quotaOf(membership: string | null, read: (path: string) => string | null): number {
  let quota = Infinity;
  for (const line of (membership ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    const v1 = controllers!.split(',').includes('cpu');
    if (controllers !== '' && !v1) continue;
    const root = v1 ? `/sys/fs/cgroup/${controllers}` : '/sys/fs/cgroup';
    for (const dir of upwards(path)) {
      const [most, period] = v1
        ? [read(`${root}${dir}/cpu.cfs_quota_us`), read(`${root}${dir}/cpu.cfs_period_us`)]
        : (read(`${root}${dir}/cpu.max`) ?? '').split(' ');
      const share = Number(most ?? 'max') / Number(period ?? 0);
      if (share > 0) quota = Math.min(quota, share);
    }
  }
  return quota;
}

/** `/a/b` gives `/a/b`, `/a` and the root, ''. */
function upwards(path: string): string[] {
  const parts = path.split('/').filter(part => part !== '');
  return Array.from({ length: parts.length + 1 }, (_, up) =>
    parts
      .slice(0, parts.length - up)
      .map(p => `/${p}`)
      .join(''),
  );
}

function read(path: string): string | null {
  try {
    return fs.readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}
