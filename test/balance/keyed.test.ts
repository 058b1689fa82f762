import { describe, expect, test } from 'vitest';
import fc from '../properties.ts';
import { type FarmSpec, subjectOf, TestFarm } from './farm.ts';

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

const ADDRESSES = [1, 2, 3, 4].map(n => ({ family: 4, bytes: Uint8Array.of(10, 0, 0, n), port: 80 }) as const);

function picks(servers: FarmSpec['servers']): number[] {
  const balancer = new TestFarm({ balance: { algorithm: 'uri' }, hash: CONSISTENT, servers }).balancer();
  return KEYS.map(key => balancer.pick(key, -1));
}

test.each(['addr', 'addr-port', 'guid'] as const)('hash-key %s: the order of the servers does not matter', hashKey => {
  const servers = ADDRESSES.map((address, i) => ({ hashKey, address, guid: `server-${i}` }));
  const there = picks(servers);
  expect(new Set(there).size).toBe(servers.length);
  expect(picks(servers.toReversed())).toEqual(there.map(server => servers.length - 1 - server));
  expect(picks(servers.map(server => ({ ...server, hashKey: 'id' })))).not.toEqual(there);
});

test('hash-key: addr and addr-port tell servers of one machine apart by the port only', () => {
  const [a] = ADDRESSES;
  const at = (hashKey: 'addr' | 'addr-port', ...ports: number[]) =>
    picks(ports.map(port => ({ hashKey, address: { ...a!, port } })));
  expect(at('addr', 80, 81)).toEqual(at('addr', 90, 91));
  expect(at('addr-port', 80, 81)).not.toEqual(at('addr-port', 90, 91));
  expect(at('addr-port', 80, 81)).toEqual(at('addr-port', 81, 80).map(server => 1 - server));
});

test('hash-key: what a server does not have is made up for by its id', () => {
  const ids = picks([{}, {}, {}]);
  expect(picks([{ hashKey: 'addr' }, { hashKey: 'guid' }, { hashKey: 'addr-port' }])).toEqual(ids);
});

describe.each([{}, CONSISTENT])('hash-preserve-affinity, %j', hash => {
  const key = KEYS[0]!;
  const farmOf = (affinity: 'always' | 'maxconn' | 'maxqueue', server: object) =>
    new TestFarm({ balance: { algorithm: 'uri' }, hash: { ...hash, affinity }, servers: [server, server, server] });

  test('always: a full server is waited for', () => {
    const farm = farmOf('always', { maxconn: 1 });
    const first = farm.balancer().pick(key, -1);
    farm.serve(first, 1);
    expect(farm.balancer().pick(key, -1)).toBe(first);
  });

  test('maxconn: a full server is left for the next; when all are full, for the last before it', () => {
    const farm = farmOf('maxconn', { maxconn: 1 });
    const balancer = farm.balancer();
    const order: number[] = [];
    for (let n = 0; n < 3; n++) {
      order.push(balancer.pick(key, -1));
      farm.serve(order[n]!, 1);
    }
    expect(new Set(order).size).toBe(3);
    const waited = balancer.pick(key, -1);
    expect(order).toContain(waited);
  });

  test('maxqueue: one whose queue has room is waited for', () => {
    const farm = farmOf('maxqueue', { maxconn: 1, maxqueue: 1 });
    const balancer = farm.balancer();
    const first = balancer.pick(key, -1);
    farm.serve(first, 1);
    expect(balancer.pick(key, -1)).toBe(first);
    farm.set(first, 'queued', 1);
    expect(balancer.pick(key, -1)).not.toBe(first);
  });

  test('servers without maxconn are never left', () => {
    const farm = farmOf('maxconn', {});
    const first = farm.balancer().pick(key, -1);
    farm.serve(first, 1000);
    expect(farm.balancer().pick(key, -1)).toBe(first);
  });
});
