/** What every algorithm has in common: usable servers, backups, the server to avoid. */
import { describe, expect, test } from 'vitest';
import { FULL, NONE } from '../../engine/balance/balancer.ts';
import { type FarmSpec, type ServerSpec, subjectOf, TestFarm } from './farm.ts';

const SUBJECT = subjectOf({ source: '10.0.0.9', uri: '/a?id=7', headers: [['x-user', 'joe']] });
const CONSISTENT = { method: 'consistent', avalanche: true } as const;

const KINDS: [string, Pick<FarmSpec, 'balance' | 'hash'>][] = [
  ['roundrobin', { balance: { algorithm: 'roundrobin' } }],
  ['static-rr', { balance: { algorithm: 'static-rr' } }],
  ['leastconn', { balance: { algorithm: 'leastconn' } }],
  ['first', { balance: { algorithm: 'first' } }],
  ['random', { balance: { algorithm: 'random' } }],
  ['source', { balance: { algorithm: 'source' } }],
  ['uri', { balance: { algorithm: 'uri' } }],
  ['url_param', { balance: { algorithm: 'url_param', name: 'id' } }],
  ['hdr', { balance: { algorithm: 'hdr', name: 'X-User' } }],
  ['hdr, absent', { balance: { algorithm: 'hdr', name: 'x-none' } }],
  ['rdp-cookie', { balance: { algorithm: 'rdp-cookie' } }],
  ['uri, consistent', { balance: { algorithm: 'uri' }, hash: CONSISTENT }],
  ['uri, bounded load', { balance: { algorithm: 'uri' }, hash: { ...CONSISTENT, balanceFactor: 150 } }],
];

/** The servers that 60 picks give, sorted; each stream stays, so that all algorithms move on. */
function used(farm: TestFarm, avoid = -1): number[] {
  const balancer = farm.balancer();
  const seen = new Set<number>();
  for (let n = 0; n < 60; n++) {
    const server = balancer.pick(SUBJECT, avoid);
    if (server >= 0) farm.serve(server);
    seen.add(server);
  }
  return [...seen].sort();
}

const DOWN: ServerSpec = { disabled: true };
const BACKUP: ServerSpec = { backup: true };

describe.each(KINDS)('%s', (_, kind) => {
  test('no server, or none usable: NONE', () => {
    expect(used(new TestFarm({ ...kind, servers: [] }))).toEqual([NONE]);
    expect(used(new TestFarm({ ...kind, servers: [DOWN, DOWN] }), 1)).toEqual([NONE]);
  });

  test('backups serve only when no active server does: the first usable, or all', () => {
    const servers = [{}, BACKUP, BACKUP, BACKUP];
    const farm = new TestFarm({ ...kind, servers });
    expect(used(farm)).toEqual([0]);
    farm.weigh(0, 0);
    expect(used(farm)).toEqual([1]);
    farm.weigh(1, 0);
    expect(used(farm)).toEqual([2]);
    farm.weigh(0, 1);
    expect(used(farm)).toEqual([0]);
    const all = new TestFarm({ ...kind, servers: [DOWN, BACKUP, BACKUP], allbackups: true });
    for (const server of used(all)) expect([1, 2]).toContain(server);
  });

  test('a change is seen by a balancer that has already picked, in every worker', () => {
    const farm = new TestFarm({ ...kind, servers: [{}, {}] });
    const workers = [farm.balancer(), farm.balancer()];
    for (const worker of workers) worker.pick(SUBJECT, -1);
    farm.weigh(0, 0);
    for (const worker of workers) expect(worker.pick(SUBJECT, -1)).toBe(1);
    farm.weigh(1, 0);
    for (const worker of workers) expect(worker.pick(SUBJECT, -1)).toBe(NONE);
    farm.weigh(0, 1);
    for (const worker of workers) expect(worker.pick(SUBJECT, -1)).toBe(0);
  });

  test('the server to avoid is used only when it is the only one', () => {
    for (const avoid of [0, 1, 2]) {
      expect(used(new TestFarm({ ...kind, servers: [{}, {}, {}] }), avoid)).not.toContain(avoid);
    }
    expect(used(new TestFarm({ ...kind, servers: [DOWN, {}] }), 1)).toEqual([1]);
  });
});

test.each(KINDS.slice(0, 5))('%s: FULL when all usable servers are', (_, kind) => {
  const farm = new TestFarm({ ...kind, servers: [{ maxconn: 3 }, { maxconn: 2 }, DOWN] });
  const balancer = farm.balancer();
  for (let n = 0; n < 5; n++) {
    const server = balancer.pick(SUBJECT, -1);
    expect(server).toBeGreaterThanOrEqual(0);
    farm.serve(server);
  }
  expect(balancer.pick(SUBJECT, -1)).toBe(FULL);
  expect(balancer.pick(SUBJECT, 0)).toBe(FULL);
  farm.serve(1, -1);
  expect(balancer.pick(SUBJECT, -1)).toBe(1);
  expect(balancer.pick(SUBJECT, 1)).toBe(1);
});

test('balance hash hashes the value of its expression, as hdr that of its header', () => {
  const servers = [{}, { weight: 3 }, {}];
  const hash = new TestFarm({ balance: { algorithm: 'hash' }, servers }).balancer();
  const hdr = new TestFarm({ balance: { algorithm: 'hdr', name: 'x' }, servers }).balancer();
  for (const value of ['a', 'bc', '10.0.0.1:4711', 'ß']) {
    const picked = hash.pick(subjectOf({ hashed: value }), -1);
    expect(picked).toBe(hdr.pick(subjectOf({ headers: [['x', value]] }), -1));
  }
});
