import { defineConfig } from 'vitest/config';

/** Tests of the data path: they run on each io (test/proxy/network.ts). */
const DATA_PATH = ['test/proxy/**/*.test.ts', 'test/rules/**/*.test.ts', 'test/stick/proxy.test.ts'];
/** The same, but clients and servers are other programs. */
const KERNEL_ONLY = ['test/tls/proxy.test.ts', 'test/tls/early-data.test.ts'];
/** How many schedules of the simulated network each test has to stand. */
const SEEDS = Number(process.env.SLUICE_TEST_SEEDS ?? 3);
const INTEROP = 'test/interop/**/*.test.ts';

const common = {
  pool: 'forks',
  testTimeout: 30_000,
  hookTimeout: 30_000,
} as const;

export default defineConfig({
  test: {
    // Most tests wait most of their time. vitest would leave a processor free.
    maxWorkers: 2,
    projects: [
      { test: { ...common, name: 'net', include: ['test/**/*.test.ts'], exclude: [INTEROP] } },
      { test: { ...common, name: 'uring', include: [...DATA_PATH, ...KERNEL_ONLY], env: { SLUICE_TEST_IO: 'uring' } } },
      {
        // The simulated network: each test is a run per seed.
        test: {
          ...common,
          name: 'sim',
          include: DATA_PATH,
          env: { SLUICE_TEST_IO: 'sim' },
          setupFiles: ['test/proxy/seeds.ts'],
          repeats: SEEDS - 1,
        },
      },
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
