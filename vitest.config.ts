import { defineConfig } from 'vitest/config';

/** Tests of the data path: they run on each io (test/proxy/rig.ts). */
const DATA_PATH = ['test/proxy/**/*.test.ts', 'test/rules/**/*.test.ts'];

const common = { pool: 'forks', testTimeout: 30_000, hookTimeout: 30_000 } as const;

export default defineConfig({
  test: {
    projects: [
      { test: { ...common, name: 'net', include: ['test/**/*.test.ts'] } },
      { test: { ...common, name: 'uring', include: DATA_PATH, env: { SLUICE_TEST_IO: 'uring' } } },
    ],
  },
});
