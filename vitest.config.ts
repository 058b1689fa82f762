import { defineConfig } from 'vitest/config';

/** Tests of the data path: they run on each io (test/proxy/rig.ts). */
const DATA_PATH = [
  'test/proxy/**/*.test.ts',
  'test/rules/**/*.test.ts',
  'test/stick/proxy.test.ts',
  'test/tls/proxy.test.ts',
];
const INTEROP = 'test/interop/**/*.test.ts';

const common = { pool: 'forks', testTimeout: 30_000, hookTimeout: 30_000 } as const;

export default defineConfig({
  test: {
    projects: [
      { test: { ...common, name: 'net', include: ['test/**/*.test.ts'], exclude: [INTEROP] } },
      { test: { ...common, name: 'uring', include: DATA_PATH, env: { SLUICE_TEST_IO: 'uring' } } },
      {
        // Beside a real peer both must find the machine as quiet: one file at a time, when the others are done. A peer's
        // own timing may differ once.
        test: {
          ...common,
          name: 'interop',
          include: [INTEROP],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          retry: 1,
        },
      },
    ],
  },
});
