/**
 * fast-check, the same for every run: what passes today passes tomorrow, wherever it runs. `SLUICE_TEST_SEED` chooses other
 * values (and other schedules of the simulated network, test/proxy/seeds.ts): run the tests with a new one to look for more.
 */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env.SLUICE_TEST_SEED ?? 1) });

export default fc;
