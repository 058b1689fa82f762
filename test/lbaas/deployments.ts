/** Deployments of every kind, for tests of what becomes of them. */

import type { Deployment, Farm, FarmMember, Front, Monitor, Policy } from '../../engine/lbaas/deployment-model.ts';
import type { L7Rule } from '../../engine/lbaas/items.ts';
import fc from '../properties.ts';

/** Texts as people give them: quotes, spaces, signs that mean something in a configuration. */
const text = fc.stringMatching(/^[ -~äß✓]{1,20}$/);
const id = fc.uuid();
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

const member: fc.Arbitrary<FarmMember> = fc.record({
  ...{
    id,
    name: text,
    enabled: fc.boolean(),
    address: fc.oneof(fc.ipV4(), fc.ipV6()),
    port: fc.integer({ min: 1, max: 65_535 }),
  },
  ...{
    weight: fc.nat(256),
    backup: fc.boolean(),
    monitorAddress: maybe(fc.ipV4()),
    monitorPort: maybe(fc.integer({ min: 1, max: 65_535 })),
  },
});

export const monitor: fc.Arbitrary<Monitor> = fc.record({
  type: fc.constantFrom('HTTP', 'PING', 'TCP'),
  ...{ delay: fc.integer({ min: 5, max: 60 }), timeout: fc.integer({ min: 1, max: 5 }) },
  ...{
    rise: fc.integer({ min: 1, max: 10 }),
    fall: fc.integer({ min: 1, max: 10 }),
    method: fc.constantFrom('GET', 'HEAD', 'OPTIONS'),
  },
  path: fc.stringMatching(/^\/[!-~]{0,12}$/),
  codes: fc.constantFrom('200', '200, 301', '200-299'),
  ...{ version: fc.constant(1.1), domain: maybe(fc.constant('www.example')) },
});

const farm: fc.Arbitrary<Farm> = fc.record({
  ...{ id, name: text, protocol: fc.constantFrom('HTTP', 'PROXY', 'PROXYV2') },
  algorithm: fc.constantFrom('ROUND_ROBIN', 'LEAST_CONNECTIONS', 'SOURCE_IP'),
  persistence: maybe(fc.constant({ type: 'HTTP_COOKIE' as const })),
  monitors: fc.array(monitor, { maxLength: 3 }),
  members: fc.uniqueArray(member, { maxLength: 4, selector: ({ id: of }) => of }),
  tls: fc.constant(null),
});

const rule: fc.Arbitrary<L7Rule> = fc
  .record({
    ...{
      id,
      type: fc.constantFrom('COOKIE', 'FILE_TYPE', 'HEADER', 'HOST_NAME', 'PATH'),
      value: text,
      invert: fc.boolean(),
    },
    compare_type: fc.constantFrom('CONTAINS', 'ENDS_WITH', 'EQUAL_TO', 'STARTS_WITH'),
    key: fc.constantFrom('X-Some', 'a.b', "it's"),
  })
  .map(given => given as unknown as L7Rule);

const policy: fc.Arbitrary<Policy> = fc
  .record({
    ...{ id, name: text, action: fc.constantFrom('REJECT', 'REDIRECT_PREFIX', 'REDIRECT_TO_URL', 'REDIRECT_TO_POOL') },
    ...{ pool: farm, location: fc.constant('http://a.example/%20?x=%7B&y'), code: fc.constantFrom(301, 302, 307) },
    rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
  })
  .map(given => (given.action === 'REDIRECT_TO_POOL' ? given : { ...given, pool: null }) as Policy);

const front: fc.Arbitrary<Front> = fc.record({
  ...{ id, name: text, protocol: fc.constant('HTTP'), port: fc.integer({ min: 1, max: 65_535 }) },
  connectionLimit: fc.constantFrom(-1, 1, 5000),
  allowedCidrs: fc.constantFrom([], ['10.0.0.0/8', '127.0.0.1']),
  insertHeaders: fc.constantFrom(
    {},
    { 'X-Forwarded-For': 'true', 'X-Forwarded-Port': 'True', 'X-Forwarded-Proto': 'false' },
  ),
  ...{
    clientMs: fc.nat(90_000),
    connectMs: fc.nat(90_000),
    serverMs: fc.nat(90_000),
    inspectMs: fc.constantFrom(0, 500),
  },
  ...{ tls: fc.constant(null), policies: fc.array(policy, { maxLength: 3 }), pool: maybe(farm) },
});

export const deployments: fc.Arbitrary<Deployment> = fc
  .record({
    ...{ id, title: text, addresses: fc.constantFrom(['127.0.0.1'], ['127.0.0.1', '::1']) },
    fronts: fc.array(front, { minLength: 1, maxLength: 3 }),
    ...{ threads: fc.integer({ min: 1, max: 4 }), connectionsMax: maybe(fc.integer({ min: 1, max: 1_000_000 })) },
  })
  .map(withOwnNames);

/** Ids and ports are each their own. */
function withOwnNames(deployment: Deployment): Deployment {
  let n = 0;
  const named = <T extends { readonly id: string }>(what: T): T => ({ ...what, id: `id${n++}` });
  const farmNamed = (farm: Farm | null) =>
    farm === null ? null : { ...named(farm), members: farm.members.map(named) };
  const fronts = deployment.fronts.map((front, i) => ({
    ...{
      ...named(front),
      port: front.port === 0 ? 1 : ((front.port + i * 20_000) % 65_535) + 1,
      pool: farmNamed(front.pool),
    },
    policies: front.policies.map(policy => ({
      ...named(policy),
      pool: farmNamed(policy.pool),
      rules: policy.rules.map(named),
    })),
  }));
  return { ...deployment, fronts };
}

export const SITE = {
  socket: '/run/sock',
  states: '/run/states',
  ping: '/bin/true',
  certificate: () => null,
  digest: () => 'abc',
};

/** As in a store: ids are each their own, addresses too. */
export const several = fc.array(deployments, { minLength: 1, maxLength: 4 }).map(all =>
  all.map((deployment, n): Deployment => {
    const own = JSON.parse(JSON.stringify(deployment, (key, value) => (key === 'id' ? `${value}-${n}` : value)));
    return { ...own, addresses: [`127.0.0.${n + 1}`] };
  }),
);
