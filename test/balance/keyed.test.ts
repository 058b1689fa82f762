import fc from 'fast-check';
import { expect, test } from 'vitest';
import { subjectOf, TestFarm } from './farm.ts';

const KEYS = Array.from({ length: 300 }, (_, i) => subjectOf({ uri: `/key/${i}` }));
const CONSISTENT = { method: 'consistent', fn: 'sdbm', avalanche: true } as const;
const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 8 });

function uriFarm(w: readonly number[], hash: object = CONSISTENT): TestFarm {
  return new TestFarm({ balance: { algorithm: 'uri' }, hash, servers: w.map(weight => ({ weight })) });
}

test('consistent: when a server leaves only its keys move, and they come back with it', () => {
  fc.assert(
    fc.property(weights, fc.nat(), (w, n) => {
      const farm = uriFarm(w);
      const balancer = farm.balancer();
      const gone = n % w.length;
      const before = KEYS.map(key => balancer.pick(key, -1));
      farm.weigh(gone, 0);
      const without = KEYS.map(key => balancer.pick(key, -1));
      farm.weigh(gone, w[gone]!);
      expect(KEYS.map(key => balancer.pick(key, -1))).toEqual(before);
      without.forEach((server, i) => {
        if (before[i] === gone) expect(server).not.toBe(gone);
        else expect(server).toBe(before[i]);
      });
    }),
    { numRuns: 40 },
  );
});

test('consistent: a server that gains weight only takes keys, one that loses weight only gives', () => {
  fc.assert(
    fc.property(weights, fc.nat(), fc.integer({ min: 1, max: 20 }), (w, n, weight) => {
      const farm = uriFarm(w);
      const balancer = farm.balancer();
      const changed = n % w.length;
      const before = KEYS.map(key => balancer.pick(key, -1));
      farm.weigh(changed, weight);
      KEYS.forEach((key, i) => {
        const server = balancer.pick(key, -1);
        if (server === before[i]) return;
        expect(weight > w[changed]! ? server : before[i]).toBe(changed);
      });
    }),
    { numRuns: 40 },
  );
});

test('workers agree on every key, in both methods', () => {
  fc.assert(
    fc.property(weights, fc.constantFrom({}, CONSISTENT), (w, hash) => {
      const farm = uriFarm(w, hash);
      const [one, other] = [farm.balancer(), farm.balancer()];
      for (const key of KEYS) expect(one.pick(key, -1)).toBe(other.pick(key, -1));
    }),
    { numRuns: 20 },
  );
});

test('map-based shares follow the weights for evenly spread hashes', () => {
  const farm = new TestFarm({
    balance: { algorithm: 'source' },
    servers: [{ weight: 30 }, { weight: 10 }, { weight: 20 }],
  });
  const balancer = farm.balancer();
  const counts = [0, 0, 0];
  for (let n = 0; n < 240; n++) counts[balancer.pick(subjectOf({ source: `0.0.0.${n}` }), -1)]!++;
  expect(counts).toEqual([120, 40, 80]);
});

test('a full server keeps its keys: they wait for it', () => {
  for (const hash of [{}, CONSISTENT]) {
    const farm = new TestFarm({ balance: { algorithm: 'uri' }, hash, servers: [{ maxconn: 1 }, { maxconn: 1 }] });
    const balancer = farm.balancer();
    const before = KEYS.map(key => balancer.pick(key, -1));
    farm.serve(0);
    farm.serve(1);
    expect(KEYS.map(key => balancer.pick(key, -1))).toEqual(before);
  }
});

test('hash-balance-factor spreads one hot key as recorded from HAProxy', () => {
  const farm = new TestFarm({
    balance: { algorithm: 'source' },
    hash: { ...CONSISTENT, balanceFactor: 150 },
    servers: [{ weight: 1 }, { weight: 2 }, { weight: 3 }],
  });
  const balancer = farm.balancer();
  const client = subjectOf({ source: '10.1.2.3' });
  let order = '';
  for (let n = 0; n < 24; n++) {
    const server = balancer.pick(client, -1);
    farm.serve(server);
    order += server + 1;
  }
  expect(order).toBe('212323212321232123212321');
});

test('without a key the servers take turns, and full ones are passed over', () => {
  for (const hash of [{}, CONSISTENT]) {
    const balance = { algorithm: 'hdr', name: 'x-user' } as const;
    const farm = new TestFarm({ balance, hash, servers: [{}, { maxconn: 1 }, {}] });
    const workers = [farm.balancer(), farm.balancer()];
    const pick = (n: number) => workers[n % 2]!.pick(subjectOf({ headers: [['X-User', '']] }), -1);
    expect([0, 1, 2, 3].map(pick)).toEqual([0, 1, 2, 0]);
    farm.serve(1);
    expect([0, 1, 2, 3].map(pick)).toEqual([2, 0, 2, 0]);
  }
});
