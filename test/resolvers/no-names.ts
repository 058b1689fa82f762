/** For tests of what does not care about names. */
import type { Names } from '../../engine/resolvers/index.ts';

export const NO_NAMES: Names = {
  sections: [],
  originOf: ({ server }) => ({ name: server.hostname, service: null }),
  rename: () => 'not resolved',
  suspect() {},
  remove() {},
  lookUp: (_section, _name, _prefer, done) => done(null),
  clearCounters() {},
  stop() {},
};
