import { expect, test } from 'vitest';
import { processors, quotaOf } from '../../workers/processors.ts';

const reader = (files: Record<string, string>) => (path: string) => files[path] ?? null;

test('cgroup v2: the tightest quota up to the root counts', () => {
  const files = {
    '/sys/fs/cgroup/a/b/cpu.max': 'max 100000',
    '/sys/fs/cgroup/a/cpu.max': '150000 100000',
    '/sys/fs/cgroup/cpu.max': '400000 100000',
  };
  expect(quotaOf('0::/a/b\n', reader(files))).toBe(1.5);
  expect(quotaOf('0::/\n', reader(files))).toBe(4);
});

test('cgroup v1: quota and period in two files, -1 is none', () => {
  const files = {
    '/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us': '50000',
    '/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us': '100000',
    '/sys/fs/cgroup/cpu,cpuacct/y/cpu.cfs_quota_us': '-1',
    '/sys/fs/cgroup/cpu,cpuacct/y/cpu.cfs_period_us': '100000',
  };
  expect(quotaOf('4:cpu,cpuacct:/x\n3:memory:/z\n', reader(files))).toBe(0.5);
  expect(quotaOf('4:cpu,cpuacct:/y\n', reader(files))).toBe(Infinity);
});

test('no cgroup, or one that cannot be read, sets no limit', () => {
  expect(quotaOf(null, reader({}))).toBe(Infinity);
  expect(quotaOf('garbage\n0::/a', reader({ '/sys/fs/cgroup/a/cpu.max': 'max' }))).toBe(Infinity);
  expect(processors()).toBeGreaterThanOrEqual(1);
});
